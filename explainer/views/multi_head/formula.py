"""Multi-head attention as the paper writes it."""

import streamlit as st

from explainer.observation.observe import Observation
from explainer.shell.badge import equals_pytorch
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.wording import TEXTS


def show_formula(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["parts"]["formula"]
    st.latex(texts["formula"])
    equals_pytorch("attention", choice, seen, place.block)
    st.markdown(texts["honest"])
