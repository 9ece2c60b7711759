"""Home: the whole pipeline at a glance."""

import streamlit as st

from explainer.services import Observation
from explainer.state import Choice


def render(choice: Choice, observation: Observation) -> None:
    st.title("A Vision Transformer, from the inside")
    st.write({k: v.shape for k, v in observation.tensors.items()})
