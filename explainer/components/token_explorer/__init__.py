"""The token explorer: point at a token and see, without the server, where every head looks."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.components.packing import (
    CLIPPED_SHARE,
    as_image,
    pack,
    pack_patterns,
    picture_header,
)
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints
from explainer.content.numbers import percent
from explainer.figures import drawn, panels, theme
from explainer.figures.matrix import Matrix
from explainer.figures.panels import Panel, Swatch

GROUP = "token-explorer"  # apart from the page's other components, as token_explorer.js has it

_mount = st.components.v2.component(
    "vit_explainer.token_explorer",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "token_explorer/token_explorer"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/marks", "shared/scale", "shared/view",
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
    of_block = partial(weights_of, patterns, block)
    drawn.note(
        drawn.base_name(key),
        texts["heads_title"].partition(":")[0],
        lambda: shown_heads(image, grid, of_block()[:, query], prefix_names, texts, query, head),
        group=GROUP,
        numbers=lambda: [weights_of_heads(of_block()[:, query], grid, prefix_names, texts, query)],
        largest=lambda: of_block()[:, query, len(prefix_names) :].max(axis=-1),
        on_scale=lambda most: shown_heads(
            image, grid, of_block()[:, query], prefix_names, texts, query, head, most
        ),
    )

    def pattern() -> list[Matrix]:
        return [whole_pattern(of_block()[head], grid, prefix_names, texts)]

    drawn.note(
        f"{drawn.base_name(key)}-pattern",
        texts["pattern_title"],
        pattern,
        numbers=pattern,
        group=GROUP,
        links={"query": query},
        prefix=len(prefix_names),
    )
    with st.container(gap=None):
        _mount(
            key=key,
            data=make() if cache is None else remember(("token_explorer", key, cache), make),
            on_choice_change=repaints(lambda: on_choose(valid_choice(state_of(key), sizes))),
        )
        chosen = {"query": query, "block": block, "head": head, "off": list(off)}
        send_choice(key, chosen)


def weights_of(patterns: np.ndarray | Callable[[], np.ndarray], block: int) -> np.ndarray:
    """Return the weights of a block, (heads, N, N)."""
    return (patterns() if callable(patterns) else patterns)[block]


def shown_heads(
    image: np.ndarray,
    grid: tuple[int, int],
    weights: np.ndarray,
    prefix_names: Sequence[str],
    texts: Mapping[str, str],
    query: int,
    chosen: int,
    limits: np.ndarray | None = None,
) -> list[Panel]:
    """Return where each head looks, as the browser draws it, as data.

    Args:
        weights: (heads, N) of the chosen token.
        limits: (heads,), the weights in the brightest colour; each head's largest one if None.
    """
    before, pixels = len(prefix_names), as_image(image)
    shown = []
    for head, row in enumerate(weights):
        own = float(row[before:].max())
        most = (own if limits is None else float(limits[head])) or 1.0
        solid = panels.colours(np.minimum(row, most), most, signed=False)
        shown.append(
            Panel(
                pixels,
                texts["head"].format(head=head + 1),
                [percent(own)],
                over=panels.veil(row[before:].reshape(grid), most),
                grid=grid,
                marks=panels.marked(query - before, theme.QUERY.light),
                swatches=[
                    Swatch(
                        name,
                        panels.hex_of(solid[token]),
                        percent(float(row[token])),
                        token == query,
                    )
                    for token, name in enumerate(prefix_names)
                ],
                frame=theme.QUERY.light if head == chosen else None,
                width=190,
            )
        )
    return shown


def weights_of_heads(
    weights: np.ndarray,
    grid: tuple[int, int],
    prefix_names: Sequence[str],
    texts: Mapping[str, str],
    query: int,
) -> Matrix:
    """Return where each head looks from one token, (heads, N), in numbers."""
    names = names_of(grid, prefix_names, texts)
    return Matrix(
        "heads",
        weights,
        texts["from"].format(query=names[query]),
        [texts["head"].format(head=head + 1) for head in range(len(weights))],
        names,
        row_axis="head",
        column_axis="key",
        scale="sequential",
    )


def names_of(
    grid: tuple[int, int], prefix_names: Sequence[str], texts: Mapping[str, str]
) -> list[str]:
    """Name all tokens."""
    rows, columns = grid
    patches = [
        texts["patch"].format(row=row + 1, column=column + 1)
        for row in range(rows)
        for column in range(columns)
    ]
    return [*prefix_names, *patches]


def whole_pattern(
    weights: np.ndarray,
    grid: tuple[int, int],
    prefix_names: Sequence[str],
    texts: Mapping[str, str],
) -> Matrix:
    """Return the whole pattern of a head, (N, N), a few large weights of it clipped."""
    names = names_of(grid, prefix_names, texts)
    return Matrix(
        "pattern",
        weights,
        texts["pattern_title"],
        names,
        names,
        row_axis="query",
        column_axis="key",
        scale="sequential",
        limit=float(np.quantile(weights, 1 - CLIPPED_SHARE, method="lower")) or None,
    )
