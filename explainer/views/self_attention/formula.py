"""Self-attention as the paper writes it."""

import streamlit as st

from explainer.observation.observe import Observation
from explainer.shell.badge import equals_pytorch
from explainer.state import session
from explainer.state.choice import Choice
from explainer.views.self_attention.wording import TEXTS, facts


def show_formula(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["formula"]
    st.latex(texts["formula"])
    st.markdown(texts["paper"])
    st.latex(texts["paper_formula"])
    st.markdown(texts["badge"].format(**facts(choice, seen)))
    equals_pytorch("attention", choice, seen, session.get_block(choice))
