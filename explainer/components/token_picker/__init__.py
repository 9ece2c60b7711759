"""The token picker: a small image whose patches, and whose class token beside it, can be chosen."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.components.packing import as_image, pack, picture_header
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.content.numbers import written
from explainer.figures import drawn, panels
from explainer.figures.difference import OverImage
from explainer.figures.panels import Panel, Swatch
from explainer.figures.theme import MARKS

SCALES = ("sequential", "diverging")

_mount = st.components.v2.component(
    "vit_explainer.token_picker",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "token_picker/token_picker"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/numbers", "shared/marks",
        "shared/scale", "shared/view", "shared/choosing", "token_picker/token_picker",
    ),
)  # fmt: skip


def pack_picker(
    *,
    channel: str,
    image: np.ndarray,
    grid: tuple[int, int],
    prefix_names: Sequence[str],
    values: np.ndarray | None = None,
    scale: Literal["sequential", "diverging"] = "sequential",
    limit: float | None = None,
    colour: str = "query",
    width: int = 240,
    group: str = "",
) -> bytes:
    """Return what the browser needs: the image, and a value of each token if there are any.

    Args:
        image: (height, width) or (height, width, 1 or 3) uint8.
        grid: rows and columns of patches.
        prefix_names: of the tokens before the first patch.
        values: (N,) finite, one for each token in order, painted over the image.
        scale: "sequential" for amounts from 0, "diverging" for signed numbers.
        limit: the size from which a token has the full colour, the largest of all if None.
        colour: of the chosen token, as ``figures.theme.MARKS`` names it.
        width: of the image in pixels; less where the page is narrower.
        group: what is pointed at is marked in all components of the same group.

    Raises:
        ValueError: the image is no image, or an argument does not fit.
    """
    pixels = as_image(image)
    rows, columns = grid
    tokens = len(prefix_names) + rows * columns
    if scale not in SCALES or colour not in MARKS:
        raise ValueError(
            f"scale must be one of {', '.join(SCALES)} and colour one of {', '.join(MARKS)}, "
            f"not {scale!r} and {colour!r}"
        )
    if limit is not None and not 0 < limit < np.inf:
        raise ValueError(f"limit must be a number above 0, not {limit}")
    if values is not None:
        values = np.asarray(values, dtype=np.float32)
        if values.shape != (tokens,):
            raise ValueError(
                f"values of shape {values.shape} do not fit {len(prefix_names)} tokens before "
                f"{rows} x {columns} patches"
            )
        if scale == "sequential" and values.min() < 0:
            raise ValueError("values below 0 need the diverging scale")
    header = {
        **picture_header(channel, pixels, grid, prefix_names),
        "group": group,
        "scale": scale,
        "limit": limit,
        "colour": colour,
        "width": width,
        "texts": dict(load_texts("token_picker")),
    }
    return pack(header, {"image": pixels} | ({} if values is None else {"values": values}))


def token_picker(
    *,
    key: str,
    image: np.ndarray,
    grid: tuple[int, int],
    prefix_names: Sequence[str],
    query: int,
    on_choose: Callable[[Mapping[str, int]], None],
    values: np.ndarray | None = None,
    scale: Literal["sequential", "diverging"] = "sequential",
    limit: float | None = None,
    colour: str = "query",
    width: int = 240,
    group: str = "",
    title: str = "",
    cache: Hashable | None = None,
) -> None:
    """Show the picker; arguments as for ``pack_picker``.

    Pointing at a token marks it in all matrices of the page, and the other way round.

    Args:
        key: of the component, and the channel on which it hears what is chosen.
        query: the chosen token, from 0.
        on_choose: called before the rerun with ``{"query": token}`` when a token was clicked.
        title: what a saved picture of it is called.
        cache: everything that is drawn depends on, as ``explainer.caching.remember`` takes it; None
            packs it on every run.
    """

    def make() -> bytes:
        return pack_picker(
            channel=key,
            image=image,
            grid=grid,
            prefix_names=prefix_names,
            values=values,
            scale=scale,
            limit=limit,
            colour=colour,
            width=width,
            group=group,
        )

    def choose() -> None:
        clicked = valid_choice(state_of(key), {"query": tokens})
        if clicked:
            on_choose(clicked)

    def on_scale(most: float | None) -> list[Panel]:
        return [shown_picker(image, grid, prefix_names, query, values, scale, most, colour, width)]

    def largest() -> float:
        return limit or float(np.abs(np.asarray(values)).max())

    tokens = len(prefix_names) + grid[0] * grid[1]
    of_scale: dict[str, Any] = {} if values is None else {"largest": largest, "on_scale": on_scale}
    drawn.note(
        drawn.base_name(key),
        title or load_texts("token_picker")["saved" if values is None else "saved_values"],
        partial(on_scale, limit),
        numbers=None
        if values is None
        else lambda: OverImage(image, grid, tuple(prefix_names), values, query, colour),
        links={"token": query},
        prefix=len(prefix_names),
        **of_scale,
    )
    with st.container(gap=None):
        _mount(
            key=key,
            data=make() if cache is None else remember(("token_picker", key, cache), make),
            on_choice_change=repaints(choose),
        )
        send_choice(key, {"query": query})


def shown_picker(
    image: np.ndarray,
    grid: tuple[int, int],
    prefix_names: Sequence[str],
    query: int,
    values: np.ndarray | None,
    scale: str,
    limit: float | None,
    colour: str,
    width: int,
) -> Panel:
    """Return what the browser draws of it, as data."""
    before, mark = len(prefix_names), MARKS[colour].light
    pixels = as_image(image)
    if values is None:
        swatches = [
            Swatch(name, mark, is_marked=token == query) for token, name in enumerate(prefix_names)
        ]
        return Panel(
            pixels,
            grid=grid,
            marks=panels.marked(query - before, mark),
            swatches=swatches,
            width=width,
        )
    signed = scale == "diverging"
    most = limit or float(np.abs(values).max()) or 1.0
    solid = panels.colours(np.asarray(values, np.float32), most, signed=signed)
    return Panel(
        pixels,
        over=panels.veil(
            np.asarray(values, np.float32)[before:].reshape(grid), most, signed=signed
        ),
        grid=grid,
        marks=panels.marked(query - before, mark),
        swatches=[
            Swatch(name, panels.hex_of(solid[token]), written(float(values[token])), token == query)
            for token, name in enumerate(prefix_names)
        ],
        scale=(panels.stops_of(signed), written(-most) if signed else "0", written(most)),
        width=width,
    )
