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
from explainer.components.packing import as_image, pack, picture_header
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints

_mount = st.components.v2.component(
    "vit_explainer.film",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "film/film"),
    js=assets.javascript(
        "shared/data",
        "shared/grid",
        "shared/scale",
        "stage/look",
        "stage/arcs",
        "film/player",
        "film/attention",
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
        "texts": dict(texts),
        "step": step,
    }
    arrays = {"weights": weights, "scales": scales}
    return pack(
        header, {"image": pixels} | {name: one.astype(np.float32) for name, one in arrays.items()}
    )


def show_film(
    make: Callable[[], bytes],
    *,
    key: str,
    cache: Hashable,
    sizes: Mapping[str, int],
    chosen: Mapping[str, Any],
    on_choose: Callable[[dict[str, int]], None],
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
        if clicked := valid_choice(st.session_state[key], sizes):
            on_choose(clicked)

    with st.container(gap=None):
        _mount(
            key=key, data=remember(("film", key, cache), make), on_choice_change=repaints(choose)
        )
        send_choice(key, chosen)
