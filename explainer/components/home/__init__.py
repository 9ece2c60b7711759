"""Home's picture: a pad, the model's answer, and all stages between them, drawn in the browser."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from explainer.components import assets, live, stage
from explainer.components.drawing_pad import SIDE, read_drawing
from explainer.components.packing import as_image, pack, picture_header
from explainer.components.selection import send_choice

MOST_CELLS = 64  # of a row, as in stage/rows.js
FULL_AT = 3  # times the root mean square, likewise
ROOM = 660  # CSS pixels of the picture's height in a window of 1440 × 900
MOVES = ("other", "hard")  # to another picture

_mount = st.components.v2.component(
    "vit_explainer.home",
    html='<div class="box"><div class="home"></div></div>',
    css=assets.stylesheet("shared/shared", "drawing_pad/drawing_pad", "stage/bars", "home/home"),
    js=live.javascript()
    + assets.javascript(
        "shared/data",
        "shared/kept",
        "shared/grid",
        "shared/numbers",
        "drawing_pad/pad",
        "drawing_pad/centred",
        *stage.FILES,
        "shared/save_picture",
        "home/trace",
        "home/layout",
        "home/scene",
        "home/film",
        "home/follow",
        "home/tools",
        "home/home",
    ),
)


def pack_trace(
    tensors: Mapping[str, np.ndarray], depth: int
) -> tuple[dict[str, dict[str, Any]], dict[str, np.ndarray]]:
    """Return what Home draws of a trace, in a fraction of its size.

    A matrix becomes levels of its full colour, of at most ``MOST_CELLS`` columns; attention becomes
    the mean of a block's heads, in 255ths of each row's largest weight. What is compared number by
    number, the pooled row and the logits, stays float32.

    Args:
        tensors: trace key → array without the batch axis.

    Returns:
        Name → shape and, of a matrix, the size that has the full colour; and the arrays.
    """
    table: dict[str, dict[str, Any]] = {}
    arrays: dict[str, np.ndarray] = {}
    blocks = [f"blocks.{block}" for block in range(depth)]
    for name in drawn_matrices(tensors, depth):
        full = full_at(tensors[name])
        cells = tensors[name][:, :: -(-tensors[name].shape[1] // MOST_CELLS)]
        levels = np.rint(127 + 127 * np.clip(cells / (full or 1), -1, 1)).astype(np.uint8)
        table[name], arrays[name] = {"shape": cells.shape, "full": full}, levels
    for block in blocks:
        name = f"{block}.attn.pattern"
        mean = tensors[name].mean(axis=0)
        scales = mean.max(axis=-1)
        arrays[name] = np.rint(255 * (mean / np.where(scales > 0, scales, 1)[:, None])).astype(
            np.uint8
        )
        arrays[f"{name}.scales"] = scales.astype(np.float32)
        table[name] = {"shape": (1, *mean.shape)}
    for name in ("pooled", "logits"):
        if name in tensors:
            arrays[name] = np.asarray(tensors[name], np.float32)
            table[name] = {"shape": arrays[name].shape}
    return table, arrays


def drawn_matrices(tensors: Iterable[str], depth: int) -> list[str]:
    """Return the names of the matrices that are drawn, of those that a trace has."""
    names = ["tokens", "pos_embed", "embed", *(f"blocks.{b}.resid_post" for b in range(depth))]
    known = set(tensors)
    return [name for name in names if name in known]


def drawn_names(tensors: Iterable[str], depth: int) -> list[str]:
    """Return the names of all tensors that Home needs of a trace."""
    patterns = [f"blocks.{block}.attn.pattern" for block in range(depth)]
    return [*drawn_matrices(tensors, depth), *patterns, "pooled", "logits"]


def full_at(matrix: np.ndarray) -> float:
    """Return the size from which a value has the full colour: the largest, or less if rare."""
    spread = FULL_AT * float(np.sqrt(np.square(matrix, dtype=np.float64).mean()))
    return min(float(np.abs(matrix).max()), spread)


def pack_home(
    *,
    channel: str,
    image: np.ndarray,
    grid: tuple[int, int],
    prefix_names: Sequence[str],
    tensors: Mapping[str, np.ndarray],
    depth: int,
    features: np.ndarray | None,
    header: Mapping[str, Any],
) -> bytes:
    """Return what the browser needs.

    Args:
        image: as ``as_image`` takes it.
        grid: rows and columns of patches.
        prefix_names: of the tokens before the first patch.
        tensors: trace key → array without the batch axis.
        features: (rows, columns, 3) uint8, the patches' colours where a model has no classes.
        header: the rest, as home.js names it.
    """
    pixels = as_image(image)
    table, arrays = pack_trace(tensors, depth)
    if features is not None:
        arrays["features"] = features
    rows, columns = grid
    facts = {
        "depth": depth,
        "tokens": len(prefix_names) + rows * columns,
        "positions": tensors["tokens"].shape[0],
        "width": tensors["tokens"].shape[1],
        "has_position": "pos_embed" in tensors,
        "has_head": "logits" in tensors,
        "side": SIDE,
        "tensors": table,
    }
    return pack(
        {**picture_header(channel, pixels, grid, prefix_names), **facts, **header},
        {"image": pixels, **arrays},
    )


def show_home(
    content: bytes,
    *,
    key: str,
    kept: int | None,
    tokens: int,
    on_draw: Callable[[np.ndarray, str], None],
    on_restore: Callable[[str], None],
    on_keep: Callable[[int | None], None],
    on_move: Callable[[str], None],
    on_leave: Callable[[str], None],
) -> None:
    """Show the picture.

    Args:
        content: of ``pack_home``.
        key: of the component, and the channel on which it hears which token is followed.
        kept: the followed token; None until somebody chooses.
        tokens: how many there are.
        on_draw: called before the rerun with a drawing (112, 112) uint8, when the pen rests, and
            its name.
        on_restore: called with the code of the picture that stood on the pad before anybody drew.
        on_keep: called with the token that is followed from now on.
        on_move: called with "other" or "hard", for another picture.
        on_leave: called with the view whose link is followed, after a drawing that is still new.
    """

    def on_asked() -> None:
        # who has left for another page at the same moment has no component there any more
        state = st.session_state.get(key)
        asked = state.get("asked") if state else None
        if not isinstance(asked, Mapping):
            return
        if drawn := read_drawing(asked.get("drawing")):
            on_draw(*drawn)
        elif isinstance(code := asked.get("restore"), str):
            on_restore(code)
        elif asked.get("other") in MOVES:
            on_move(asked["other"])
        elif "query" in asked and is_token(asked["query"], tokens):
            on_keep(asked["query"])
        if isinstance(view := asked.get("view"), str):
            on_leave(view)

    # the height holds until the picture is there; without it, all that follows would jump
    with st.container(key=f"{key}-box", height=ROOM, border=False, gap=None):
        send_choice(key, {"query": kept})
        _mount(key=key, data=content, on_asked_change=on_asked)


def is_token(asked: object, tokens: int) -> bool:
    return asked is None or (type(asked) is int and 0 <= asked < tokens)
