"""The patch explorer: image, grid, patches pulled apart, one patch, and the row of its numbers."""

from collections.abc import Callable, Hashable, Mapping

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.packing import as_image, pack, picture_header
from explainer.components.selection import send_selection, valid_choice
from explainer.components.sight import repaints

_mount = st.components.v2.component(
    "vit_explainer.patch_explorer",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "patch_explorer/patch_explorer"),
    js=assets.javascript(
        "shared/data", "shared/grid", "shared/marks", "shared/scale", "shared/view",
        "patch_explorer/patch_explorer",
    ),
)  # fmt: skip


def pack_patches(
    *,
    channel: str,
    image: np.ndarray,
    grid: tuple[int, int],
    vectors: np.ndarray,
    texts: Mapping[str, str],
) -> bytes:
    """Return what the browser needs: image, flattened patches and words.

    Args:
        image: (height, width) or (height, width, 1 or 3) uint8, of whole patches.
        grid: rows and columns of patches.
        vectors: (patches, values of a patch) float32, as the model received them.

    Raises:
        ValueError: the image is no image, or the vectors have another shape than the grid asks for.
    """
    pixels = as_image(image)
    height, width, channels = pixels.shape
    rows, columns = grid
    expected = (rows * columns, height // rows * (width // columns) * channels)
    if height % rows or width % columns or vectors.shape != expected:
        raise ValueError(
            f"vectors of shape {vectors.shape} are not the {expected} of {rows} x {columns} "
            f"patches of an image of {height} x {width} pixels"
        )
    header = {
        **picture_header(channel, pixels, grid),
        "texts": dict(texts),
    }
    return pack(header, {"image": pixels, "vectors": vectors.astype(np.float32, copy=False)})


def patch_explorer(
    *,
    key: str,
    image: np.ndarray,
    grid: tuple[int, int],
    vectors: np.ndarray,
    texts: Mapping[str, str],
    patch: int,
    on_choose: Callable[[dict[str, int]], None],
    cache: Hashable | None = None,
) -> None:
    """Show the explorer; arguments as for ``pack_patches``.

    Args:
        key: of the component, and the channel on which it hears what is chosen.
        patch: the chosen one, from 0.
        on_choose: called before the rerun with ``{"query": patch}`` when a patch was clicked.
        cache: everything that is drawn depends on, as ``explainer.caching.remember`` takes it; None
            packs it on every run.
    """

    def make() -> bytes:
        return pack_patches(channel=key, image=image, grid=grid, vectors=vectors, texts=texts)

    with st.container(gap=None):
        _mount(
            key=key,
            data=make() if cache is None else remember(("patch_explorer", key, cache), make),
            on_choice_change=repaints(
                lambda: on_choose(valid_choice(st.session_state[key], {"query": grid[0] * grid[1]}))
            ),
        )
        send_selection(key, query=patch)
