"""The glossary's list of words, whose links lead to their pages without loading the app anew."""

import streamlit as st

from explainer.components import assets
from explainer.figures.word_list import STYLE

_mount = st.components.v2.component(
    "vit_explainer.word_list",
    html='<div class="list"></div>',
    css=assets.stylesheet("word_list/word_list") + STYLE,
    js=assets.javascript("word_list/word_list"),
)


def show_word_list(html: str, *, key: str) -> str | None:
    """Show the list; return the view whose link was just followed."""
    return _mount(key=key, data={"html": html}, on_view_change=lambda: None).view
