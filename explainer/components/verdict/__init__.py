"""Says whether an answer is right, where the keyboard's focus was when it was given."""

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.verdict",
    html='<p tabindex="-1"></p>',
    css=assets.stylesheet("verdict/verdict"),
    js=assets.javascript("verdict/verdict"),
)


def show_verdict(text: str, *, right: bool, fresh: bool, key: str) -> None:
    """Draw the verdict; a ``fresh`` one was caused by the last click and takes the focus."""
    _mount(key=key, data={"text": text, "kind": "right" if right else "wrong", "fresh": fresh})
