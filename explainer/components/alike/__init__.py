"""Similar patches: the cosine of one patch to all others, after any block, in several pictures."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.components.packing import as_image, pack, picture_header
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.content.numbers import fixed
from explainer.figures import drawn, panels
from explainer.figures.difference import OverImage
from explainer.figures.panels import Panel
from explainer.figures.theme import MARKS

WIDTH = 240  # pixels of a saved picture
BEST = 3  # patches that are framed

_mount = st.components.v2.component(
    "vit_explainer.alike",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "alike/alike"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/numbers", "shared/marks",
        "shared/scale", "shared/view", "alike/alike",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Cosines:
    """The cosine of the chosen patch to all patches of a picture.

    Attributes:
        name: unlike that of all others beside it, plain letters.
        title: what stands above it.
        values: (S, P) float32, before the first block and after each.
        picture: "image" for the picture with the chosen patch, "second" for the other one.
    """

    name: str
    title: str
    values: np.ndarray
    picture: Literal["image", "second"] = "image"


def pack_alike(
    *,
    channel: str,
    image: np.ndarray,
    grid: tuple[int, int],
    chosen: int,
    cosines: Sequence[Cosines],
    second: np.ndarray | None = None,
    stretched: bool = True,
    group: str = "",
) -> bytes:
    """Return what the browser needs.

    Args:
        image: (height, width) or (height, width, 1 or 3) uint8.
        grid: rows and columns of patches.
        chosen: the patch, from 0.
        cosines: of each panel, at least one.
        second: the other picture, of the same shape; None if no panel shows it.
        stretched: whether the colours begin with those between the least and the most similar
            patch, or with those from -1 to 1; the visitor can change it.
        group: what is pointed at is marked in all components of the same group.

    Raises:
        ValueError: an array does not fit.
    """
    pixels = as_image(image)
    others = {} if second is None else {"second": as_image(second)}
    if any(one.shape != pixels.shape for one in others.values()):
        raise ValueError(f"both pictures must have the shape {pixels.shape}")
    patches = grid[0] * grid[1]
    stages = len(cosines[0].values)
    if not 0 <= chosen < patches:
        raise ValueError(f"there is no patch {chosen}; they are from 0 to {patches - 1}")
    for one in cosines:
        if one.values.shape != (stages, patches) or one.picture not in ("image", *others):
            raise ValueError(f"{one.name} does not fit {stages} stages of {patches} patches")
    header = {
        **picture_header(channel, pixels, grid),
        "group": group,
        "stretched": stretched,
        "stages": stages,
        "panels": [
            {"name": one.name, "title": one.title, "picture": one.picture} for one in cosines
        ],
        "texts": {**load_texts("token_picker"), **load_texts("look_alike")["component"]},
    }
    arrays = {one.name: np.asarray(one.values, np.float32) for one in cosines}
    where = {"chosen": np.array([chosen], np.float32)}
    return pack(header, {"image": pixels, **others, **where, **arrays})


def alike(
    *,
    key: str,
    image: np.ndarray,
    grid: tuple[int, int],
    chosen: int,
    stage: int,
    cosines: Sequence[Cosines],
    on_choose: Callable[[Mapping[str, int]], None],
    second: np.ndarray | None = None,
    stretched: bool = True,
    group: str = "",
    title: str = "",
    cache: Hashable,
) -> None:
    """Show similar patches; other arguments as for ``pack_alike``.

    Args:
        key: of the component, and the channel on which it hears what is chosen.
        stage: that is shown, 0 before the first block.
        on_choose: called before the rerun with ``{"query": patch, "stage": stage}``.
        title: what a saved picture of it is called.
        cache: everything that is drawn depends on but the stage, as ``remember`` takes it.
    """

    def make() -> bytes:
        return pack_alike(
            channel=key,
            image=image,
            grid=grid,
            chosen=chosen,
            cosines=cosines,
            second=second,
            stretched=stretched,
            group=group,
        )

    def choose() -> None:
        sizes = {"query": grid[0] * grid[1], "stage": len(cosines[0].values)}
        if clicked := valid_choice(state_of(key), sizes):
            on_choose(clicked)

    drawn.note(
        drawn.base_name(key),
        title,
        partial(shown_panels, image, second, grid, chosen, stage, cosines, stretched),
        numbers=lambda: OverImage(image, grid, (), cosines[0].values[stage], chosen, "query"),
        links={"patch": chosen},
        prefix=0,
    )
    with st.container(gap=None):
        _mount(
            key=key,
            data=remember(("alike", key, cache), make),
            on_choice_change=repaints(choose),
        )
        send_choice(key, {"query": chosen, "stage": stage})


def shown_panels(
    image: np.ndarray,
    second: np.ndarray | None,
    grid: tuple[int, int],
    chosen: int,
    stage: int,
    cosines: Sequence[Cosines],
    stretched: bool,
) -> list[Panel]:
    """Return what the browser draws of it at first at one stage, as data."""
    found = []
    for one in cosines:
        is_own = one.picture == "image"
        values, pixels = one.values[stage], image if is_own else second
        assert pixels is not None, "a panel of the second picture has one"
        best = nearest(values, chosen if is_own else None)
        marks = [(patch, MARKS["key"].light) for patch in best]
        low, high = limits_of(values, chosen if is_own else None) if stretched else (-1.0, 1.0)
        shares = (values - low) / ((high - low) or 1.0)
        found.append(
            Panel(
                as_image(pixels),
                one.title,
                lines=[", ".join(fixed(float(values[patch]), 2) for patch in best)],
                over=panels.veil(
                    (shares if stretched else values).reshape(grid), 1.0, signed=not stretched
                ),
                grid=grid,
                marks=[*marks, *(panels.marked(chosen, MARKS["query"].light) if is_own else ())],
                scale=(panels.stops_of(not stretched), fixed(low, 2), fixed(high, 2)),
                width=WIDTH,
            )
        )
    return found


def limits_of(values: np.ndarray, chosen: int | None) -> tuple[float, float]:
    """Return the smallest and the largest cosine, without that of the chosen patch to itself."""
    others = values if chosen is None else np.delete(values, chosen)
    return (float(others.min()), float(others.max())) if others.size else (-1.0, 1.0)


def nearest(values: np.ndarray, chosen: int | None, count: int = BEST) -> list[int]:
    """Return the patches with the largest cosines, without the chosen one."""
    order = np.argsort(-values, kind="stable").tolist()
    return [patch for patch in order if patch != chosen][:count]
