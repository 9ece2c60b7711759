"""Where each head looks from the chosen token, and what the model answers without some of them."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.components.token_explorer import token_explorer
from explainer.content import load_texts
from explainer.content.token_names import prefix_names
from explainer.observation.observe import Observation
from explainer.shell import controls
from explainer.shell.fold import fold
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.effects import show_effects
from explainer.views.multi_head.numbers import show_numbers
from explainer.views.multi_head.overview import show_overview
from explainer.views.multi_head.spread import show_spread
from explainer.views.multi_head.switched import show_offer, show_pills, show_switched
from explainer.views.multi_head.wording import TEXTS
from vit_core import ViTConfig
from vit_core.interpret.heads import Head

MOST_WEIGHTS = 1_000_000  # a byte each, sent at once
FOLDS = {
    "numbers": show_numbers,
    "overview": show_overview,
    "effects": show_effects,
    "spread": show_spread,
}


def show_heads(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["parts"]["heads"]
    if seen.config.pool != "cls":
        st.markdown(texts["no_class_token"])
    with st.container(horizontal=True, gap="medium"):
        controls.pick_block(place)
        controls.pick_head(place)
        show_pills(place)
    show_explorer(choice, seen, place)
    show_switched(choice, seen, place)
    show_offer(choice, seen, place)
    for name, draw in FOLDS.items():
        with fold(place, name, TEXTS[name]["title"].format(count=number_of_heads(seen))) as is_open:
            if is_open:
                draw(choice, seen, place)


def number_of_heads(seen: Observation) -> int:
    return seen.config.depth * seen.config.num_heads


def show_explorer(choice: Choice, seen: Observation, place: Place) -> None:
    config, block = seen.config, place.block
    sent = blocks_to_send(config, block)
    token_explorer(
        key=place.key("token-explorer"),
        image=seen.pixels,
        grid=config.grid_size,
        patterns=lambda: np.stack([seen.tensors[f"blocks.{i}.attn.pattern"] for i in sent]),
        heads=config.num_heads,
        prefix_names=prefix_names(config),
        texts=load_texts("token_explorer"),
        block=sent.index(block),
        head=place.head,
        query=place.token(seen.telling_patch),
        on_choose=partial(choose, block, place.off, choice.edits.heads_off),
        off=sorted(
            {one.head for one in (*place.off, *choice.edits.heads_off) if one.block == block}
        ),
        cache=(choice, tuple(sent)),
    )


def blocks_to_send(config: ViTConfig, block: int) -> list[int]:
    """Send all blocks at once, so that changing the block costs no more; very large ones singly."""
    size = config.depth * config.num_heads * config.num_tokens**2
    return list(range(config.depth)) if size <= MOST_WEIGHTS else [block]


def choose(
    block: int, off: tuple[Head, ...], edited: tuple[Head, ...], clicked: dict[str, int]
) -> None:
    """Keep what was clicked: a token, or a head of ``block`` that is switched off or on.

    Args:
        off, edited: heads that the page has switched off, and those that the choice's pass lacks.
    """
    if "query" in clicked:
        session.set_query(clicked["query"])
    if "switch" in clicked:
        head = Head(block, clicked["switch"])
        session.set_head(head.head)
        if head not in edited:
            session.set_off(set(off) ^ {head})
