"""The token explorer: point at a token and see, without the server, where every head looks."""

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.packing import as_image, pack, pack_patterns, picture_header
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints

_mount = st.components.v2.component(
    "vit_explainer.token_explorer",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "token_explorer/token_explorer"),
    js=assets.javascript(
        "shared/data", "shared/grid", "shared/marks", "shared/scale", "shared/view",
        "token_explorer/token_explorer",
    ),
)  # fmt: skip


def pack_explorer(
    *,
    channel: str,
    image: np.ndarray,
    grid: tuple[int, int],
    patterns: np.ndarray,
    prefix_names: Sequence[str],
    texts: Mapping[str, str],
) -> bytes:
    """Return what the browser needs: image, patterns of all heads of all blocks, and words.

    Args:
        image: (height, width) or (height, width, 1 or 3) uint8.
        grid: rows and columns of patches.
        patterns: (blocks, heads, N, N), rows are queries.
        prefix_names: of the tokens before the first patch.

    Raises:
        ValueError: the image is no image, or the patterns have not one token for each name and
            patch.
    """
    pixels = as_image(image)
    rows, columns = grid
    if patterns.shape[-1] != len(prefix_names) + rows * columns:
        raise ValueError(
            f"patterns of {patterns.shape[-1]} tokens do not fit {len(prefix_names)} tokens before "
            f"{rows} x {columns} patches"
        )
    header = {
        **picture_header(channel, pixels, grid, prefix_names),
        "depth": patterns.shape[0],
        "heads": patterns.shape[1],
        "texts": dict(texts),
    }
    packed = pack_patterns(patterns, len(prefix_names))
    return pack(header, {"image": pixels, **packed.arrays()})


def token_explorer(
    *,
    key: str,
    image: np.ndarray,
    grid: tuple[int, int],
    patterns: np.ndarray | Callable[[], np.ndarray],
    heads: int,
    prefix_names: Sequence[str],
    texts: Mapping[str, str],
    block: int,
    head: int,
    query: int,
    on_choose: Callable[[dict[str, int]], None],
    off: Sequence[int] = (),
    cache: Hashable | None = None,
) -> None:
    """Show the explorer; arguments as for ``pack_explorer``.

    Args:
        key: of the component, and the channel on which it hears what is chosen.
        patterns: or a function that makes them, called only when needed.
        heads: how many a block has.
        block, head, query: what is chosen now, from 0.
        on_choose: called before the rerun with ``{"query": token}`` or ``{"switch": head}``,
            whichever was clicked.
        off: heads of this block that are switched off.
        cache: everything that is drawn depends on, as ``explainer.caching.remember`` takes it; None
            packs it on every run.
    """

    def make() -> bytes:
        return pack_explorer(
            channel=key,
            image=image,
            grid=grid,
            patterns=patterns() if callable(patterns) else patterns,
            prefix_names=prefix_names,
            texts=texts,
        )

    sizes = {"query": len(prefix_names) + grid[0] * grid[1], "switch": heads}
    with st.container(gap=None):
        _mount(
            key=key,
            data=make() if cache is None else remember(("token_explorer", key, cache), make),
            on_choice_change=repaints(
                lambda: on_choose(valid_choice(st.session_state[key], sizes))
            ),
        )
        chosen = {"query": query, "block": block, "head": head, "off": list(off)}
        send_choice(key, chosen)
