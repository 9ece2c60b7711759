"""The banner that says of a model from a run with a mistake what is true of it."""

from html import escape

import streamlit as st

from explainer.content import load_texts
from explainer.observation.flaws import flaws, mistakes
from explainer.state.choice import Choice


def show_banner(choice: Choice) -> None:
    """Say of a model from a run with a mistake what is true of it on this page."""
    names = mistakes(choice)
    if not names:
        return
    texts = load_texts("mistakes")["banner"]
    said = texts["made"].format(names=", ".join(texts["names"][name] for name in names))
    true = texts["flawed" if flaws(choice) else "sound"]
    st.html(
        f'<div class="mistake" role="note"><p><strong>{escape(said)}</strong> {escape(true)}</p>'
        f"</div>"
    )
