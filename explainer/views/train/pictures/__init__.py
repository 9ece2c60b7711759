"""Own pictures: a visitor brings some of each class, and a model learns to tell them apart."""

import streamlit as st

from explainer.training import Manager
from explainer.views.train.pictures.bring import collection, show_bring, show_brought
from explainer.views.train.pictures.learn import show_learn
from explainer.views.train.pictures.texts import TEXTS


def show_panel(manager: Manager) -> None:
    """Draw everything that stands before anything is learned from a visitor's pictures."""
    st.markdown(TEXTS["lead"], width=760)
    st.markdown(TEXTS["privacy"].format(hours=manager.limits.keep_hours), width=760)
    show_bring()
    show_brought()
    if collection().classes:
        show_learn(manager)
