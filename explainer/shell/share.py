"""The link to what is looked at: to copy, and as one for a class, with a code to photograph."""

from html import escape

import segno
import streamlit as st

from explainer.components.copy_link import copy_link
from explainer.content import load_texts
from explainer.shell import routes
from explainer.shell.controls import sync_widget
from explainer.state import session
from explainer.state.link import link_of

HIDDEN_KEY = "shared-without"  # what links for a class leave out
HIDEABLE = ("controls", "code")  # parameters of a link


def show_link() -> None:
    """Draw the button that copies the link, and the one that makes a link for a class."""
    texts = load_texts("frame")
    copy_link(texts["copy_link"])
    st.fragment(share, key="share-with-a-class")()


def share() -> None:
    """Draw the button, and what opens with it."""
    texts = load_texts("frame")["share"]
    opened = st.popover(texts["title"], key="share", on_change="rerun")
    if not opened.open:
        return
    with opened:
        st.markdown(texts["lead"])
        hidden = st.session_state.setdefault(HIDDEN_KEY, {"controls"})
        for name in HIDEABLE:
            sync_widget(f"share-{name}", name in hidden)
            st.checkbox(
                texts[name],
                value=name in hidden,
                key=f"share-{name}",
                help=texts[f"{name}_help"],
                on_change=keep,
                args=(name,),
            )
        link = link_of(session.load(), st.context.url or "", hidden)
        st.code(link, language=None, wrap_lines=True)
        show_code(link)
        routes.link("worksheet", texts["worksheet"])
        routes.link("room", texts["room"])
        # beside this page, which the class sees
        st.link_button(texts["teacher"], routes.path("teacher"), type="tertiary")


def keep(name: str) -> None:
    """Keep whether links for a class leave something out."""
    hidden = st.session_state[HIDDEN_KEY]
    if st.session_state[f"share-{name}"]:
        hidden.add(name)
    else:
        hidden.discard(name)


def show_code(link: str) -> None:
    """Draw a link as a QR code, black on white in both themes, so that every camera reads it."""
    texts = load_texts("frame")["share"]
    try:
        drawing = qr_code(link)
    except segno.DataOverflowError:
        st.markdown(texts["too_long"])
        return
    label = escape(texts["code_label"])
    st.html(f'<img class="qr-code" src="{escape(drawing)}" alt="{label}">')
    st.markdown(texts["code_note"])


def qr_code(link: str) -> str:
    """Return a QR code as the address of an SVG, with the quiet border that cameras need.

    Raises:
        segno.DataOverflowError: the link is longer than any code can hold.
    """
    code = segno.make(link, error="l", boost_error=False, micro=False)
    return code.svg_data_uri(border=4, dark="#000000", light="#ffffff", omitsize=True)
