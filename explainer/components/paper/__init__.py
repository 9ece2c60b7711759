"""A file for printing, shown as paper in both themes, with a button that prints it alone."""

from html import escape

import streamlit as st

from explainer.components import assets
from explainer.content import load_texts

# the button has its name before its script has run
PRINT = escape(load_texts("worksheet")["print_label"])
# nothing in the file can run, and the page may measure and print it
RIGHTS = "allow-same-origin allow-modals"
_mount = st.components.v2.component(
    "vit_explainer.paper",
    html=(
        f'<div class="room"><button type="button">{PRINT}</button>'
        f'<div class="desk"><iframe sandbox="{RIGHTS}"></iframe></div></div>'
    ),
    css=assets.stylesheet("paper/paper"),
    js=assets.javascript("paper/paper"),
)


def show_paper(html: str, title: str, width: int, key: str) -> None:
    """Draw the file and the button.

    Args:
        title: of the preview, for a screen reader.
        width: of the paper, in millimetres.
    """
    _mount(key=key, data={"html": html, "title": title, "width": width}, width="stretch")
