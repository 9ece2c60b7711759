"""Equations 2 and 3 of the paper, with the parts that ran in this model."""

import streamlit as st

from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.shell.badge import equals_pytorch
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.encoder_block.wording import TEXTS
from vit_core import ViTConfig
from vit_core.mistakes import Flaws


def show_formula(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["deeper"], seen.config
    st.markdown(equations_text(choice, config))
    st.latex(equations(config, flaws(choice)))
    parts = [texts["paper"]]
    if config.num_registers:
        parts.append(texts["registers"].format(registers=config.num_registers))
    st.markdown("\n".join([*parts, texts["badge"]]))
    equals_pytorch("block", choice, seen, place.block)


def equations_text(choice: Choice, config: ViTConfig) -> str:
    """Say what the two equations of the block are, which are those of this model."""
    made = flaws(choice)
    if not (made.residual and made.layer_norm):
        return TEXTS["deeper"]["text_flawed"]
    return TEXTS["deeper"]["text_sound" if config.layer_scale is None else "text_layer_scale"]


def equations(config: ViTConfig, made: Flaws) -> str:
    """Return what one block computes, for KaTeX."""
    before, middle = "z_{l-1}", r"z^{\prime}_l"
    lines = (
        equation(r"\mathrm{MSA}", before, "1", config, made),
        equation(r"\mathrm{MLP}", middle, "2", config, made),
    )
    return TEXTS["deeper"]["formula"] % lines


def equation(part: str, stream: str, number: str, config: ViTConfig, made: Flaws) -> str:
    """Return the right side of one equation: what a part adds, and the stream."""
    read = rf"\mathrm{{LN}}({stream})" if made.layer_norm else stream
    added = f"{part}({read})"
    if config.layer_scale is not None:
        added = rf"\lambda_{number} \odot {added}"
    return f"{added} + {stream}" if made.residual else added
