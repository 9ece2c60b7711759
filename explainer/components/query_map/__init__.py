"""Queries and keys of one head as points of one plane, with what each query attends to."""

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.colours import component_colours
from explainer.components.component_state import state_of
from explainer.components.packing import pack
from explainer.components.selection import valid_choice
from explainer.components.sight import repaints
from explainer.figures import theme

_mount = st.components.v2.component(
    "vit_explainer.query_map",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "point_map/point_map", "query_map/query_map"),
    js=assets.javascript(
        "shared/data",
        "shared/kept",
        "shared/keys",
        "shared/grid",
        "point_map/cloud",
        "query_map/query_map",
    ),
)


def pack_queries(
    *,
    images: np.ndarray,
    pictures: Sequence[str],
    grid: tuple[int, int],
    queries: np.ndarray,
    keys: np.ndarray,
    strongest: np.ndarray,
    weights: np.ndarray,
    other: np.ndarray,
    has_prefix: bool,
    texts: Mapping[str, str],
) -> bytes:
    """Return what the browser needs of a head's map.

    Args:
        images: (B, height, width, 1 or 3) uint8.
        pictures: what each is called.
        grid: rows and columns of patches.
        queries, keys: (B, P, 2) from -1 to 1, right and up.
        strongest: (B, P, R) the patches that each query attends to most, in falling order.
        weights: (B, P, R) how much.
        other: (B, P) what goes to the tokens before the patches.
        has_prefix: whether there are such tokens.

    Raises:
        ValueError: the numbers do not fit each other.
    """
    sizes = (len(images), grid[0] * grid[1])
    if (
        {queries.shape, keys.shape} != {(*sizes, 2)}
        or strongest.shape != weights.shape
        or strongest.shape[:2] != sizes
        or other.shape != sizes
        or len(pictures) != sizes[0]
    ):
        raise ValueError(f"queries of shape {queries.shape} do not fit {sizes[0]} pictures")
    header = {
        "image_height": images.shape[1],
        "image_width": images.shape[2],
        "channels": images.shape[3],
        "rows": grid[0],
        "columns": grid[1],
        "pictures": list(map(str, pictures)),
        "has_prefix": has_prefix,
        "marks": {"query": list(theme.QUERY), "key": list(theme.KEY)},
        "texts": dict(texts),
        "colours": component_colours(),
    }
    arrays = {
        "points": np.concatenate((queries, keys)),
        "strongest": strongest,
        "weights": weights,
        "other": other,
    }
    return pack(
        header, {"images": images} | {name: one.astype(np.float32) for name, one in arrays.items()}
    )


def query_map(
    make: Callable[[], bytes],
    *,
    key: str,
    cache: Hashable,
    sizes: tuple[int, int],
    on_choose: Callable[[int, int], None],
) -> None:
    """Show a head's map.

    Args:
        make: of ``pack_queries``; called only when needed.
        key: of the component.
        cache: everything that is drawn depends on, as ``explainer.caching.remember`` takes it.
        sizes: how many pictures there are, and patches in each.
        on_choose: called before the rerun with a picture and a patch that shall be looked at on
            all pages.
    """

    def choose() -> None:
        clicked = valid_choice(state_of(key), {"picture": sizes[0], "patch": sizes[1]})
        if len(clicked) == 2:
            on_choose(clicked["picture"], clicked["patch"])

    with st.container(gap=None):
        _mount(
            key=key,
            data=remember(("query map", key, cache), make),
            on_choice_change=repaints(choose),
        )
