"""Multi-head attention as the paper writes it."""

import streamlit as st

from explainer import state
from explainer.badge import equals_pytorch
from explainer.services import Observation
from explainer.state import Choice
from explainer.views.multi_head.wording import TEXTS


def show_formula(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["formula"]
    st.latex(texts["formula"])
    equals_pytorch("attention", choice, seen, state.get_block(choice))
    st.markdown(texts["honest"])
