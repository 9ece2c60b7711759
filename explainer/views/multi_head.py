"""The page on attention: where each token looks, in any head of any block."""

from functools import partial

import numpy as np
import streamlit as st

from explainer import state
from explainer.attention_row import AttentionRow, attention_row, pattern_csv
from explainer.components.token_explorer import token_explorer
from explainer.content import load_texts
from explainer.controls import pick_block, pick_head
from explainer.notation import latex_number, percent
from explainer.services import Observation
from explainer.state import Choice
from explainer.tokens import prefix_names, token_names
from vit_core import ViTConfig

SHOWN_KEYS = 6
MOST_WEIGHTS = 1_000_000  # a byte each, sent at once


@st.fragment
def render(choice: Choice, observation: Observation) -> None:
    texts, token_texts = load_texts("multi_head"), load_texts("token_explorer")
    config = observation.config
    st.title(texts["title"])
    st.markdown(texts["lead"])
    if config.pool != "cls":
        st.markdown(texts["no_class_token"])

    with st.container(horizontal=True, gap="medium"):
        pick_block(choice)
        pick_head(choice)
    block, head = state.get_block(choice), state.get_head(choice)
    query = state.get_query(choice, observation.telling_patch)
    st.markdown(texts["how_to"])
    sent = blocks_to_send(config, block)
    token_explorer(
        key="token-explorer",
        image=observation.pixels,
        grid=config.grid_size,
        patterns=np.stack([observation.tensors[f"blocks.{i}.attn.pattern"] for i in sent]),
        prefix_names=prefix_names(config, token_texts),
        texts=token_texts,
        block=sent.index(block),
        head=head,
        query=query,
        on_choose=choose,
    )

    row = attention_row(observation.tensors, block=block, head=head, query=query)
    names = token_names(config, token_texts)
    left, right = st.columns(2, gap="medium")
    with left:
        show_row(row, names, observation, block=block, head=head)
    with right:
        show_formula(row, names)
    st.subheader(texts["honest_title"])
    st.markdown(texts["honest"])


def blocks_to_send(config: ViTConfig, block: int) -> list[int]:
    """Send all blocks at once, so that changing the block costs no more; very large ones singly."""
    size = config.depth * config.num_heads * config.num_tokens**2
    return list(range(config.depth)) if size <= MOST_WEIGHTS else [block]


def choose(clicked: dict[str, int]) -> None:
    """Keep what was clicked in the explorer."""
    if "query" in clicked:
        state.set_query(clicked["query"])
    if "head" in clicked:
        state.set_head(clicked["head"])


def show_row(
    row: AttentionRow, names: list[str], observation: Observation, *, block: int, head: int
) -> None:
    """The chosen row in exact numbers."""
    texts, config = load_texts("multi_head"), observation.config
    st.subheader(texts["row_title"].format(query=names[row.query]))
    with st.container(horizontal=True):
        is_class = config.pool == "cls" and row.query == 0
        if config.pool == "cls" and not is_class:
            st.metric(texts["to_class"], percent(float(row.weights[0])))
        st.metric(texts["to_class_own" if is_class else "to_itself"], percent(row.to_itself))
        if config.num_registers:
            first = config.num_prefix_tokens - config.num_registers
            registers = row.weights[first : config.num_prefix_tokens]
            st.metric(texts["to_registers"], percent(float(registers.sum())))
        st.metric(
            texts["half"],
            texts["half_value"].format(count=row.half, tokens=len(names)),
            help=texts["half_help"],
        )
    shown = row.strongest[:SHOWN_KEYS]
    st.table(
        {
            texts["table_token"]: [names[key] for key in shown],
            texts["table_score"]: [f"{row.scores[key]:.4f}" for key in shown],
            texts["table_weight"]: [f"{100 * row.weights[key]:.4f} %" for key in shown],
        },
        border="horizontal",
        hide_index=True,
    )
    pattern = observation.tensors[f"blocks.{block}.attn.pattern"][head]
    st.download_button(
        texts["download"],
        partial(pattern_csv, pattern, names),
        file_name=f"attention-block{block + 1}-head{head + 1}.csv",
        mime="text/csv",
        on_click="ignore",
    )
    st.caption(
        texts["download_note"].format(
            size=len(names), block=block + 1, head=head + 1, block_index=block, head_index=head
        )
    )


def show_formula(row: AttentionRow, names: list[str]) -> None:
    """The formula in words, and with the numbers of the strongest key."""
    texts = load_texts("multi_head")
    key = int(row.strongest[0])
    score = float(row.scores[key])
    st.subheader(texts["formula_title"])
    st.markdown(texts["formula_words"].format(head_dim=row.head_dim, tokens=len(names)))
    st.latex(texts["formula"])
    st.markdown(texts["example"].format(query=names[row.query], key=names[key]))
    st.latex(
        texts["example_score"] % (latex_number(row.product(key)), row.head_dim, latex_number(score))
    )
    st.latex(
        texts["example_weight"]
        % (
            latex_number(np.exp(np.float64(score))),
            latex_number(row.exponential_sum),
            percent(float(row.weights[key])).replace("%", r"\%"),
        )
    )
