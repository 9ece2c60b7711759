"""Heat maps: what several methods say of the same patches, side by side over the picture.

Pointing at a patch shows its value and its rank in every map; nothing is asked of the server.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.components.packing import as_image, pack, picture_header
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints
from explainer.content.numbers import written
from explainer.figures import drawn, panels
from explainer.figures.difference import OverImage
from explainer.figures.panels import Panel
from explainer.figures.theme import MARKS

WIDTH = 168  # pixels of a saved map

_mount = st.components.v2.component(
    "vit_explainer.heat_maps",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "heat_maps/heat_maps"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/numbers", "shared/marks",
        "shared/scale", "shared/view", "shared/choosing", "heat_maps/heat_maps",
    ),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class HeatMap:
    """One method's map, or why there is none.

    Attributes:
        name: of the method, as a link writes it.
        title: what it is called.
        values: (P,) finite, in reading order; None where there is no map.
        is_signed: whether 0 is the middle of its scale, and no end of it.
        is_baseline: whether it stands with those that ask no model.
        text: one sentence on what it assumes.
        facts: short remarks: whose it is, its unit, by how much its sum misses.
        source, address: its paper, and where that is; empty without one.
        absent: why there is no map.
    """

    name: str
    title: str
    values: np.ndarray | None
    is_signed: bool
    is_baseline: bool
    text: str
    facts: Sequence[str] = ()
    source: str = ""
    address: str = ""
    absent: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """The values at both ends of its scale; 0 is an end, or the middle where it is signed."""
        assert self.values is not None
        low, high = float(self.values.min()), float(self.values.max())
        if self.is_signed:
            most = max(abs(low), abs(high)) or 1.0
            return -most, most
        low = min(low, 0.0)
        return low, high if high > low else low + 1.0


def pack_maps(
    *,
    channel: str,
    image: np.ndarray,
    grid: tuple[int, int],
    maps: Sequence[HeatMap],
    texts: Mapping[str, str],
    group: str = "",
) -> bytes:
    """Return what the browser needs: the image, and a value of each patch for each map.

    Args:
        image: (height, width) or (height, width, 1 or 3) uint8.
        grid: rows and columns of patches.
        texts: of the component.
        group: what is pointed at is marked in all components of the same group.

    Raises:
        ValueError: a map does not fit the grid, or is not of numbers.
    """
    pixels, count = as_image(image), grid[0] * grid[1]
    tiles: list[dict[str, Any]] = []
    rows: list[np.ndarray] = []
    for one in maps:
        tile = asdict(one) | {"values": None, "row": -1}
        if one.values is not None:
            if one.values.shape != (count,):
                raise ValueError(
                    f"a map of shape {one.values.shape} does not fit {grid[0]} x {grid[1]} patches"
                )
            tile |= {"row": len(rows), "limits": one.limits}
            rows.append(np.asarray(one.values, np.float32))
        tiles.append(tile)
    header = {
        **picture_header(channel, pixels, grid),
        "group": group,
        "maps": tiles,
        "texts": dict(texts),
    }
    return pack(
        header,
        {"image": pixels, "values": np.stack(rows) if rows else np.zeros((0, count), np.float32)},
    )


def heat_maps(
    *,
    key: str,
    image: np.ndarray,
    grid: tuple[int, int],
    maps: Sequence[HeatMap],
    patch: int,
    on_choose: Callable[[int], None],
    texts: Mapping[str, str],
    group: str = "",
    title: str = "",
    cache: Hashable | None = None,
) -> None:
    """Show the maps; arguments as for ``pack_maps``.

    Args:
        key: of the component, and the channel on which it hears what is chosen.
        patch: the chosen one, from 0.
        on_choose: called before the rerun with the patch that was clicked.
        title: what a saved picture of all maps is called.
        cache: everything that is drawn depends on, as ``explainer.caching.remember`` takes it.
    """

    def make() -> bytes:
        return pack_maps(channel=key, image=image, grid=grid, maps=maps, texts=texts, group=group)

    def choose() -> None:
        clicked = valid_choice(state_of(key), {"query": grid[0] * grid[1]})
        if clicked:
            on_choose(clicked["query"])

    there = [one for one in maps if one.values is not None]
    if there:
        drawn.note(
            drawn.base_name(key),
            title,
            lambda: [shown_map(one, image, grid, patch) for one in there],
        )
    for one in there:
        drawn.note(
            f"{drawn.base_name(key)}-{one.name.replace('_', '-')}",
            one.title,
            partial(lambda one: [shown_map(one, image, grid, patch)], one),
            numbers=partial(
                lambda one: OverImage(image, grid, (), one.values, patch, "query"), one
            ),
        )
    with st.container(key=f"{key}-room", gap=None):
        _mount(
            key=key,
            data=make() if cache is None else remember(("heat_maps", key, cache), make),
            on_choice_change=repaints(choose),
        )
        send_choice(key, {"query": patch})


def shown_map(one: HeatMap, image: np.ndarray, grid: tuple[int, int], patch: int) -> Panel:
    """Return what the browser draws of one map, as data."""
    low, high = one.limits
    values = np.asarray(one.values, np.float32)
    if not one.is_signed:
        values, span = values - low, high - low
    else:
        span = high
    lines: tuple[Any, ...] = tuple(one.facts)
    return Panel(
        as_image(image),
        title=one.title,
        lines=lines,
        over=panels.veil(values.reshape(grid), span, signed=one.is_signed),
        grid=grid,
        marks=panels.marked(patch, MARKS["query"].light),
        scale=(panels.stops_of(one.is_signed), written(low), written(high)),
        width=WIDTH,
    )
