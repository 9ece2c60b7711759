"""Remarks below a picture, in small type that still has the contrast of text."""

import streamlit as st

from explainer.content import load_texts
from explainer.state.place import Place

LINE_BREAK = "  \n"  # of Markdown; a line break without the spaces before it only wraps the text


def note(text: str) -> None:
    """Draw Markdown in small type; its paragraphs and its line breaks stay apart."""
    paragraphs = (small(paragraph) for paragraph in text.strip().split("\n\n"))
    st.markdown("\n\n".join(paragraphs))


def note_scale(place: Place) -> None:
    """Say that both halves of a comparison have one scale; nothing where nothing is compared."""
    if place.other is not None:
        note(load_texts("halves")["one_scale"])


def small(paragraph: str) -> str:
    lines = (" ".join(line.split()) for line in paragraph.split(LINE_BREAK))
    return f":small[{LINE_BREAK.join(lines)}]"
