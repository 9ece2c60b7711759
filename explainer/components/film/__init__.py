"""Films: what a model computes as a picture for each stop, with a player below.

A stop is an encoder block or a saved epoch. At a stop the picture shows exactly that stop's
numbers; the player blends between two only while it goes from one to the next.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.colours import component_colours
from explainer.components.component_state import state_of
from explainer.components.filter_grid import columns_for
from explainer.components.packing import as_image, pack, picture_header
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints
from explainer.figures.pixels import shades

_mount = st.components.v2.component(
    "vit_explainer.film",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "film/film"),
    js=assets.javascript(
        "shared/data",
        "shared/kept",
        "shared/grid",
        "shared/scale",
        "stage/look",
        "stage/arcs",
        "film/player",
        "film/attention",
        "film/epochs",
        "film/film",
    ),
)


def pack_attention(
    *,
    channel: str,
    image: np.ndarray,
    grid: tuple[int, int],
    prefix_names: Sequence[str],
    weights: np.ndarray,
    scales: np.ndarray,
    query: int,
    strongest: int,
    stops: Sequence[str],
    texts: Mapping[str, str],
    step: str = "",
    notes: Sequence[str] = (),
) -> bytes:
    """Return what the browser needs of a film of attention; its weights are exact.

    Args:
        channel: on which the component hears which head is chosen.
        image: (height, width) or (height, width, 1 or 3) uint8.
        grid: rows and columns of patches.
        prefix_names: of the tokens before the first patch.
        weights: (stops, heads, N) of the token ``query``; only its rows are sent, since those of
            all tokens of a large model would be some megabytes.
        scales: (heads + 1,), the weight of the widest arc of each head and of the heads' mean.
        strongest: number of arcs of one picture.
        stops: what each is called.
        step: the channel of films that go in step; empty for a film alone.
        notes: what else is said of each stop; may be none.

    Raises:
        ValueError: the numbers do not fit each other, or are no weights.
    """
    count, heads, tokens = weights.shape
    if tokens != len(prefix_names) + grid[0] * grid[1] or not 0 <= query < tokens:
        raise ValueError(f"rows of {tokens} weights from token {query} do not fit the picture")
    if len(stops) != count or scales.shape != (heads + 1,):
        raise ValueError(
            f"{len(stops)} names and scales of {scales.shape} do not fit {count} stops"
        )
    # NaN fails both comparisons
    if not (weights.min() >= 0 and weights.max() <= 1 + 1e-4):
        raise ValueError("a film of attention needs weights, each from 0 to 1")
    pixels = as_image(image)
    header = {
        **picture_header(channel, pixels, grid, prefix_names),
        "kind": "attention",
        "heads": heads,
        "query": query,
        "strongest": strongest,
        "stops": list(stops),
        "notes": list(notes),
        "texts": dict(texts),
        "step": step,
    }
    arrays = {"weights": weights, "scales": scales}
    return pack(
        header, {"image": pixels} | {name: one.astype(np.float32) for name, one in arrays.items()}
    )


def pack_filters(
    *,
    channel: str,
    filters: np.ndarray,
    limit: float,
    stops: Sequence[str],
    notes: Sequence[str],
    texts: Mapping[str, str],
) -> bytes:
    """Return what the browser needs of a film of filters: the 256 levels of their colours.

    Args:
        filters: (stops, D, ph, pw), drawn in one diverging scale; or (stops, D, ph, pw, 3), drawn
            as red, green and blue around mid-grey.
        limit: the weight that has the full colour in all frames.
        stops: what each is called.
        notes: what else is said of each.

    Raises:
        ValueError: the filters are no images, are not finite, or there is not a name for each stop.
    """
    is_colour = filters.ndim == 5 and filters.shape[-1] == 3
    if not (filters.ndim == 4 or is_colour) or {len(stops), len(notes)} != {len(filters)}:
        raise ValueError(f"filters of shape {filters.shape} do not fit {len(stops)} stops")
    count, height, width = filters.shape[1:4]
    header = {
        "channel": channel,
        "kind": "filters",
        "count": count,
        "columns": columns_for(count),
        "filter_height": height,
        "filter_width": width,
        "channels": 3 if is_colour else 1,
        "stops": list(stops),
        "notes": list(notes),
        "texts": dict(texts),
        "step": "",
        "colours": component_colours(),
    }
    return pack(header, {"levels": shades(filters, -limit, limit)})


def pack_map(
    *,
    channel: str,
    digits: np.ndarray,
    truths: Sequence[str],
    places: np.ndarray,
    predicted: Sequence[Sequence[str]],
    stops: Sequence[str],
    notes: Sequence[str],
    texts: Mapping[str, str],
) -> bytes:
    """Return what the browser needs of a film of a map.

    Args:
        digits: (n, height, width) uint8.
        truths: what each is.
        places: (stops, n, 2), right and up, from -1 to 1.
        predicted: what each is taken for at each stop.
        stops: what each is called.
        notes: what else is said of each.

    Raises:
        ValueError: the numbers do not fit each other.
    """
    count = len(digits)
    if (
        places.shape != (len(stops), count, 2)
        or [len(answers) for answers in predicted] != [count] * len(stops)
        or len(truths) != count
        or len(notes) != len(stops)
    ):
        raise ValueError(f"places of shape {places.shape} do not fit {count} digits")
    header = {
        "channel": channel,
        "kind": "map",
        "image_height": digits.shape[1],
        "image_width": digits.shape[2],
        "truths": list(truths),
        "predicted": [list(answers) for answers in predicted],
        "stops": list(stops),
        "notes": list(notes),
        "texts": dict(texts),
        "step": "",
        "colours": component_colours(),
    }
    return pack(header, {"digits": digits, "places": places.astype(np.float32)})


def show_film(
    make: Callable[[], bytes],
    *,
    key: str,
    cache: Hashable,
    sizes: Mapping[str, int] | None = None,
    chosen: Mapping[str, Any] | None = None,
    on_choose: Callable[[dict[str, int]], None] = lambda clicked: None,
) -> None:
    """Show a film.

    Args:
        make: of ``pack_attention`` and the like; called only when needed.
        key: of the component, and its channel.
        cache: everything that is drawn depends on, as ``explainer.caching.remember`` takes it.
        sizes: what may be chosen, and of how many: "query", and "head" with one for the mean.
        chosen: what is chosen now, which does not travel with the numbers.
        on_choose: called before the rerun with what was chosen, of ``sizes``.
    """

    def choose() -> None:
        if clicked := valid_choice(state_of(key), sizes or {}):
            on_choose(clicked)

    with st.container(gap=None):
        _mount(
            key=key, data=remember(("film", key, cache), make), on_choice_change=repaints(choose)
        )
        send_choice(key, chosen or {})
