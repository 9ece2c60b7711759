"""A film of a test: patches go in the order of a map, and the bars of all maps fall.

All numbers are there from the start; the browser plays them and asks the server nothing.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.components.packing import as_image, pack, picture_header
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints

FILLS = ("drop", "mean", "black")

_mount = st.components.v2.component(
    "vit_explainer.deletion_film",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "film/film", "deletion_film/deletion_film"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/numbers", "film/player",
        "deletion_film/deletion_film",
    ),
)  # fmt: skip


def pack_film(
    *,
    channel: str,
    image: np.ndarray,
    grid: tuple[int, int],
    titles: Sequence[str],
    baselines: Sequence[bool],
    orders: np.ndarray,
    counts: np.ndarray,
    deletion: np.ndarray,
    insertion: np.ndarray,
    fill: str,
    mean: Sequence[int],
    is_share: bool,
    texts: Mapping[str, str],
    step: str = "",
) -> bytes:
    """Return what the browser needs of the film.

    Args:
        channel: on which the component hears which method is chosen.
        image: (height, width) or (height, width, 1 or 3) uint8.
        grid: rows and columns of patches.
        titles, baselines: what each method is called, and whether it asks no model.
        orders: (M, P), patches from the first to the last that goes.
        counts: (S + 1,), how many are gone at each step.
        deletion, insertion: (M, S + 1) heights of the bars.
        fill: what stands where a patch was, one of ``FILLS``.
        mean: red, green and blue of the mean pixel.
        is_share: whether a height is written in per cent.
        texts: of the component and its player.
        step: the channel of films that go in step; empty for a film alone.

    Raises:
        ValueError: the numbers do not fit each other.
    """
    pixels, count = as_image(image), len(titles)
    if orders.shape != (count, grid[0] * grid[1]) or fill not in FILLS:
        raise ValueError(f"orders of shape {orders.shape} or the filling {fill!r} do not fit")
    if not deletion.shape == insertion.shape == (count, len(counts)):
        raise ValueError(f"curves of shape {deletion.shape} do not fit {count} methods")
    header = {
        **picture_header(channel, pixels, grid),
        "titles": list(titles),
        "baselines": list(baselines),
        "counts": [int(one) for one in counts],
        "fill": fill,
        "mean": [int(one) for one in mean],
        "is_share": is_share,
        "step": step,
        "texts": dict(texts),
    }
    arrays = {"orders": orders, "deletion": deletion, "insertion": insertion}
    return pack(
        header,
        {"image": pixels} | {name: one.astype(np.float32) for name, one in arrays.items()},
    )


def deletion_film(
    make: Callable[[], bytes],
    *,
    key: str,
    methods: int,
    method: int,
    on_choose: Callable[[int], None],
    cache: Hashable,
) -> None:
    """Show the film.

    Args:
        make: of ``pack_film``; called only when needed.
        key: of the component, and its channel.
        methods: how many there are.
        method: index of the one whose order is shown.
        on_choose: called before the rerun with the method that was clicked.
        cache: everything that is drawn depends on, as ``explainer.caching.remember`` takes it.
    """

    def choose() -> None:
        clicked = valid_choice(state_of(key), {"method": methods})
        if clicked:
            on_choose(clicked["method"])

    with st.container(gap=None):
        _mount(
            key=key,
            data=remember(("deletion_film", key, cache), make),
            on_choice_change=repaints(choose),
        )
        send_choice(key, {"method": method})
