"""The patch explorer: image, grid, patches pulled apart, one patch, and the row of its numbers."""

from collections.abc import Callable, Hashable, Mapping

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.components.packing import as_image, pack, picture_header
from explainer.components.selection import send_selection, valid_choice
from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.content.numbers import written
from explainer.figures import drawn, panels, theme
from explainer.figures.matrix import Matrix
from explainer.figures.panels import Panel

MOST_NUMBERS = 32  # in a row; more would be too small to read
MOST_CELLS = 64  # of a patch, likewise

_mount = st.components.v2.component(
    "vit_explainer.patch_explorer",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "patch_explorer/patch_explorer"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/marks", "shared/scale", "shared/view",
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

    drawn.note(
        drawn.base_name(key),
        texts["step_grid"],
        lambda: shown_patches(image, grid, vectors, texts, patch),
        largest=lambda: float(np.abs(vectors).max()),
        on_scale=lambda most: shown_patches(image, grid, vectors, texts, patch, most),
        numbers=lambda: [row_of(vectors[patch], texts)],
    )
    with st.container(gap=None):
        _mount(
            key=key,
            data=make() if cache is None else remember(("patch_explorer", key, cache), make),
            on_choice_change=repaints(
                lambda: on_choose(valid_choice(state_of(key), {"query": grid[0] * grid[1]}))
            ),
        )
        send_selection(key, query=patch)


def row_of(vector: np.ndarray, texts: Mapping[str, str]) -> Matrix:
    """Return a patch as the model received it, in numbers."""
    name = load_texts("arithmetic")["over"]["number"]
    numbers = [name.format(number=index + 1) for index in range(len(vector))]
    return Matrix("patch", vector[None], texts["normalised_title"], [""], numbers)


def shown_patches(
    image: np.ndarray,
    grid: tuple[int, int],
    vectors: np.ndarray,
    texts: Mapping[str, str],
    patch: int,
    limit: float | None = None,
) -> list[Panel]:
    """Return what the browser draws of it, as data."""
    pixels = as_image(image)
    (rows, columns), (height, width) = grid, pixels.shape[:2]
    row, column = divmod(patch, columns)
    down, across = height // rows, width // columns
    cut = pixels[row * down : (row + 1) * down, column * across : (column + 1) * across]
    mark = theme.PATCH.light
    name = texts["patch"].format(row=row + 1, column=column + 1)
    # of each colour in turn, the rows of the patch one after another
    raw = cut.transpose(2, 0, 1).reshape(1, -1)
    most = limit or float(np.abs(vectors).max()) or 1.0
    own = np.asarray(vectors[patch], np.float32)[None]
    few = raw.size <= MOST_NUMBERS
    return [
        Panel(pixels, texts["step_grid"], grid=grid, marks=[(patch, mark)], width=280),
        Panel(apart(pixels, grid), texts["step_pieces"], width=280),
        Panel(
            cut,
            texts["step_patch"].format(patch=name),
            numbers=cut[..., 0].astype(str).tolist() if cut.size <= MOST_CELLS else (),
            width=280,
        ),
        Panel(
            np.repeat(raw[..., None], 3, axis=2),
            texts["raw_title"],
            numbers=[[str(value) for value in raw[0]]] if few else (),
            width=880,
            height=30,
        ),
        Panel(
            panels.colours(own, most, signed=True),
            texts["normalised_title"],
            numbers=[[f"{value:.1f}".replace("-", "−") for value in own[0]]] if few else (),
            scale=(panels.stops_of(True), written(-most), written(most)),
            width=880,
            height=30,
        ),
    ]


def apart(pixels: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Return an image whose patches have clear gaps between them, (…, 4) uint8."""
    (rows, columns), (height, width) = grid, pixels.shape[:2]
    zoom = max(1, -(-336 // width))
    gap = max(2, round(0.16 * zoom * width / columns))
    down, across = zoom * height // rows, zoom * width // columns
    large = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    large = large.repeat(zoom, axis=0).repeat(zoom, axis=1)
    sheet = np.zeros((rows, down + gap, columns, across + gap, 4), np.uint8)
    sheet[:, :down, :, :across, :3] = large.reshape(rows, down, columns, across, 3)
    sheet[:, :down, :, :across, 3] = 255
    return sheet.reshape(rows * (down + gap), -1, 4)[:-gap, :-gap]
