"""The filter grid: the patch embedding's filters as little images, of which one can be chosen."""

from collections.abc import Callable, Hashable
from math import isqrt

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.colours import component_colours
from explainer.components.component_state import state_of
from explainer.components.packing import pack
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.content.numbers import written
from explainer.figures import drawn, panels, pixels, theme
from explainer.figures.panels import Panel

ZOOM = 4  # picture elements for each weight
MOST_ENLARGED = 60_000  # weights; of more, a picture of that size would be slow to paint

_mount = st.components.v2.component(
    "vit_explainer.filter_grid",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "filter_grid/filter_grid"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/numbers", "shared/marks",
        "shared/scale", "shared/view", "shared/choosing", "filter_grid/filter_grid",
    ),
)  # fmt: skip


def pack_filters(
    *, channel: str, filters: np.ndarray, responses: np.ndarray, group: str = ""
) -> bytes:
    """Return what the browser needs: the filters, and the number that each makes of a patch.

    Args:
        filters: (D, ph, pw), drawn in one diverging scale; or (D, ph, pw, 3), each drawn in its
            own scale as red, green and blue around mid-grey.
        responses: (D,).
        group: what is pointed at is marked in all components of the same group.

    Raises:
        ValueError: the filters are no images, or there is not one response for each.
    """
    is_colour = filters.ndim == 4 and filters.shape[3] == 3
    if (
        not (filters.ndim == 3 or is_colour)
        or responses.shape != filters.shape[:1]
        or not filters.size
    ):
        raise ValueError(
            f"filters of shape {filters.shape} and responses of shape {responses.shape} must be "
            f"(filters, height, width), with 3 colours or without, and (filters,)"
        )
    if not (np.isfinite(filters).all() and np.isfinite(responses).all()):
        raise ValueError("filters and responses must be finite numbers")
    count, height, width = filters.shape[:3]
    columns = columns_for(count)
    zoom = ZOOM if filters.size <= MOST_ENLARGED else 1
    cell_height, cell_width = (zoom * side + max(1, zoom * side // 4) for side in (height, width))
    header = {
        "channel": channel,
        "group": group,
        "rows": count // columns,
        "columns": columns,
        "prefix_names": [],
        # of the picture that the buttons lie on; a quarter of a patch stands between two filters
        "image_height": (count // columns) * cell_height,
        "image_width": columns * cell_width,
        "cell_height": cell_height,
        "cell_width": cell_width,
        "zoom": zoom,
        "channels": 3 if is_colour else 1,
        "filter_height": height,
        "filter_width": width,
        "texts": dict(load_texts("filter_grid")),
        "one_scale": load_texts("halves")["one_scale"],
        "colours": component_colours(),
    }
    arrays = {"filters": filters, "responses": responses}
    return pack(header, {name: array.astype(np.float32) for name, array in arrays.items()})


def columns_for(count: int) -> int:
    """Return a number of columns that ``count`` filters fill: as many as rows, or some more."""
    return next(n for n in range(isqrt(count - 1) + 1, count + 1) if count % n == 0)


def filter_grid(
    *,
    key: str,
    filters: np.ndarray,
    responses: np.ndarray,
    chosen: int,
    on_choose: Callable[[int], None],
    cache: Hashable,
    group: str = "",
) -> None:
    """Show the filters; arguments as for ``pack_filters``.

    Pointing at a filter marks its dimension in all matrices of the page, and the other way round.

    Args:
        key: of the component, and the channel on which it hears what is chosen.
        chosen: the chosen filter, from 0.
        on_choose: called before the rerun with the filter that was clicked.
        cache: everything that is drawn depends on, as ``explainer.caching.remember`` takes it.
    """

    def make() -> bytes:
        return pack_filters(channel=key, filters=filters, responses=responses, group=group)

    def choose() -> None:
        clicked = valid_choice(state_of(key), {"query": len(filters)})
        if clicked:
            on_choose(clicked["query"])

    drawn.note(
        drawn.base_name(key),
        "",
        lambda: shown_filters(filters, responses, chosen),
        largest=lambda: float(np.abs(filters).max()),
        on_scale=lambda most: shown_filters(filters, responses, chosen, most),
    )
    with st.container(gap=None):
        _mount(
            key=key,
            data=remember(("filter_grid", key, cache), make),
            on_choice_change=repaints(choose),
        )
        send_choice(key, {"query": chosen})


def shown_filters(
    filters: np.ndarray, responses: np.ndarray, chosen: int, limit: float | None = None
) -> list[Panel]:
    """Return what the browser draws of it, as data."""
    signed = filters.ndim == 3
    most = limit or float(np.abs(filters).max()) or 1.0
    side = 56 if len(filters) <= 128 else 28
    shown = []
    for index, values in enumerate(filters.astype(np.float32)):
        own = float(np.abs(values).max()) or 1.0
        shown.append(
            Panel(
                panels.colours(values, most, signed=True)
                if signed
                else pixels.around_grey(values, own),
                lines=[written(float(responses[index]))] if side > 28 else (),
                frame=theme.ACCENT.light if index == chosen else None,
                width=side,
                height=side * values.shape[0] / values.shape[1],
            )
        )
    return shown
