"""The banner for a model that was trained with mistakes: which, and what follows from them."""

from html import escape

import streamlit as st

from explainer.content import load_texts
from explainer.observation.flaws import flaws, mistakes
from explainer.state.choice import Choice


def show_banner(choice: Choice) -> None:
    """Name the mistakes that the model was trained with, and what they mean for this page."""
    names = mistakes(choice)
    if not names:
        return
    texts = load_texts("mistakes")["banner"]
    made = texts["made"].format(names=", ".join(texts["names"][name] for name in names))
    consequence = texts["flawed" if flaws(choice) else "sound"]
    st.html(
        f'<div class="mistake" role="note"><p><strong>{escape(made)}</strong> '
        f"{escape(consequence)}</p></div>"
    )
