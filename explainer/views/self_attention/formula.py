"""Self-attention as the paper writes it."""

import streamlit as st

from explainer.observation.observe import Observation
from explainer.shell.badge import equals_pytorch
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.self_attention.wording import TEXTS, facts


def show_formula(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["parts"]["formula"]
    st.latex(texts["formula"])
    st.markdown(texts["paper"])
    st.latex(texts["paper_formula"])
    st.markdown(texts["badge"].format(**facts(choice, seen, place)))
    equals_pytorch("attention", choice, seen, place.block)
