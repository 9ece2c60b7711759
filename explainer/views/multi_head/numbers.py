"""The chosen row of the chosen head in exact numbers."""

from functools import partial

import streamlit as st

from explainer.content.numbers import percent
from explainer.content.token_names import token_names
from explainer.observation.attention_row import AttentionRow, attention_row
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.notes import note
from explainer.shell.table import show_table
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.wording import TEXTS
from vit_core import ViTConfig

SHOWN_KEYS = 6


def show_numbers(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config, names = TEXTS["numbers"], seen.config, token_names(seen.config)
    block, head = place.block, place.head
    row = attention_row(seen.tensors, block=block, head=head, query=place.token(seen.telling_patch))
    st.markdown(f"**{texts['row_title'].format(query=names[row.query], head=head + 1)}**")
    shown = row.strongest[:SHOWN_KEYS]
    show_table(
        {
            texts["table_token"]: [names[key] for key in shown],
            texts["table_score"]: [f"{row.scores[key]:.4f}" for key in shown],
            texts["table_weight"]: [f"{100 * row.weights[key]:.4f} %" for key in shown],
        },
    )
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
    texts = TEXTS["numbers"]
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
