"""Multi-head attention as the paper writes it."""

import streamlit as st

from explainer.observation.observe import Observation
from explainer.shell.badge import equals_pytorch
from explainer.state import session
from explainer.state.choice import Choice
from explainer.views.multi_head.wording import TEXTS


def show_formula(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["formula"]
    st.latex(texts["formula"])
    equals_pytorch("attention", choice, seen, session.get_block(choice))
    st.markdown(texts["honest"])
