"""Remarks below a picture, in small type that still has the contrast of text."""

import streamlit as st

LINE_BREAK = "  \n"  # of Markdown; a line break without the spaces before it only wraps the text


def note(text: str) -> None:
    """Draw Markdown in small type; its paragraphs and its line breaks stay apart."""
    paragraphs = (small(paragraph) for paragraph in text.strip().split("\n\n"))
    st.markdown("\n\n".join(paragraphs))


def small(paragraph: str) -> str:
    lines = (" ".join(line.split()) for line in paragraph.split(LINE_BREAK))
    return f":small[{LINE_BREAK.join(lines)}]"
