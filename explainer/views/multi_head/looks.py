"""Where each head looks, from the chosen token."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.components.token_explorer import token_explorer
from explainer.content import load_texts
from explainer.content.numbers import percent
from explainer.content.token_names import prefix_names, token_names
from explainer.observation.attention_row import AttentionRow, attention_row
from explainer.observation.observe import Observation
from explainer.shell import controls
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.wording import TEXTS
from vit_core import ViTConfig

SHOWN_KEYS = 6
MOST_WEIGHTS = 1_000_000  # a byte each, sent at once


def show_looks(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["looks"], seen.config
    if config.pool != "cls":
        st.markdown(texts["no_class_token"])
    with st.container(horizontal=True, gap="medium"):
        controls.pick_block(place)
        controls.pick_head(place)
    block, head = place.block, place.head
    sent = blocks_to_send(config, block)
    token_explorer(
        key=place.key("token-explorer"),
        image=seen.pixels,
        grid=config.grid_size,
        patterns=np.stack([seen.tensors[f"blocks.{i}.attn.pattern"] for i in sent]),
        prefix_names=prefix_names(config),
        texts=load_texts("token_explorer"),
        block=sent.index(block),
        head=head,
        query=place.token(seen.telling_patch),
        on_choose=choose,
    )
    row = attention_row(seen.tensors, block=block, head=head, query=place.token(seen.telling_patch))
    show_row(row, seen, place, block=block, head=head)


def blocks_to_send(config: ViTConfig, block: int) -> list[int]:
    """Send all blocks at once, so that changing the block costs no more; very large ones singly."""
    size = config.depth * config.num_heads * config.num_tokens**2
    return list(range(config.depth)) if size <= MOST_WEIGHTS else [block]


def choose(clicked: dict[str, int]) -> None:
    """Keep what was clicked in the explorer."""
    if "query" in clicked:
        session.set_query(clicked["query"])
    if "head" in clicked:
        session.set_head(clicked["head"])


def show_row(row: AttentionRow, seen: Observation, place: Place, *, block: int, head: int) -> None:
    """The chosen row in exact numbers."""
    texts, config, names = TEXTS["parts"]["looks"], seen.config, token_names(seen.config)
    st.markdown(f"**{texts['row_title'].format(query=names[row.query], head=head + 1)}**")
    table, numbers = st.columns((3, 2), gap="medium")
    shown = row.strongest[:SHOWN_KEYS]
    table.table(
        {
            texts["table_token"]: [names[key] for key in shown],
            texts["table_score"]: [f"{row.scores[key]:.4f}" for key in shown],
            texts["table_weight"]: [f"{100 * row.weights[key]:.4f} %" for key in shown],
        },
        border="horizontal",
        hide_index=True,
    )
    with numbers:
        with st.container(horizontal=True):
            show_shares(row, config)
        pattern = seen.tensors[f"blocks.{block}.attn.pattern"][head]
        download_csv(
            texts["download"],
            partial(matrix_csv, pattern, names, names, "query"),
            f"attention-block{block + 1}-head{head + 1}.csv",
            place.key("pattern-csv"),
        )
        places = {"block": block + 1, "head": head + 1, "block_index": block, "head_index": head}
        note(texts["download_note"].format(size=len(names), **places))


def show_shares(row: AttentionRow, config: ViTConfig) -> None:
    """What the row gives to [CLS], to itself and to registers, and how widely it spreads."""
    texts = TEXTS["parts"]["looks"]
    is_class = config.pool == "cls" and row.query == 0
    if config.pool == "cls" and not is_class:
        st.metric(texts["to_class"], percent(float(row.weights[0])))
    st.metric(texts["to_class_own" if is_class else "to_itself"], percent(row.to_itself))
    if config.num_registers:
        first = config.num_prefix_tokens - config.num_registers
        registers = row.weights[first : config.num_prefix_tokens]
        st.metric(texts["to_registers"], percent(float(registers.sum())))
    value = texts["half_value"].format(count=row.half, tokens=config.num_tokens)
    st.metric(texts["half"], value, help=texts["half_help"])
