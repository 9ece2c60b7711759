"""All heads of all blocks at a glance."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.content.numbers import percent
from explainer.content.token_names import prefix_names, token_names
from explainer.figures.looks import overview
from explainer.observation.limits import common_limits, key_of
from explainer.observation.observe import Observation
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_html
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.wording import TEXTS


def show_overview(choice: Choice, seen: Observation, place: Place) -> None:
    query, chosen = place.token(seen.telling_patch), (place.block, place.head)
    texts = TEXTS["overview"]
    st.markdown(texts["text"].format(query=token_names(seen.config)[query]))
    limits = common_limits("overview", choice, seen, place, overview_limits)
    make = partial(draw_overview, seen, query, chosen, limits)
    title = texts["caption"].format(query=token_names(seen.config)[query])
    drawn = remember(("overview", choice, query, chosen, key_of(limits)), make)
    show_html(drawn, "overview", title)
    note_scale(place)
    if prefix := prefix_names(seen.config):
        note(texts["prefix_note"].format(prefix=", ".join(prefix)))


def rows_of(seen: Observation, query: int) -> np.ndarray:
    """Return a query's weights in each head of each block, (depth, heads, N)."""
    depth = seen.config.depth
    return np.stack([seen.tensors[f"blocks.{i}.attn.pattern"][:, query] for i in range(depth)])


def overview_limits(choice: Choice, seen: Observation, place: Place) -> np.ndarray:
    """Return each head's largest weight on a patch."""
    rows = rows_of(seen, place.token(seen.telling_patch))
    return rows[..., seen.config.num_prefix_tokens :].max(axis=-1)


def draw_overview(
    seen: Observation, query: int, chosen: tuple[int, int], limits: np.ndarray | None = None
) -> str:
    texts, config, names = TEXTS["overview"], seen.config, token_names(seen.config)
    rows = rows_of(seen, query)
    return overview(
        seen.pixels,
        rows[..., config.num_prefix_tokens :],
        config.grid_size,
        chosen,
        {
            "caption": texts["caption"].format(query=names[query]),
            "block": texts["block_row"],
            "head": texts["head_column"],
            "alt": texts["alt"].replace("{query}", names[query]),
        },
        [
            [
                texts["strongest"].format(token=names[row.argmax()], weight=percent(row.max()))
                for row in block
            ]
            for block in rows
        ],
        limits,
    )
