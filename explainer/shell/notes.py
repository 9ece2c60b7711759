"""Remarks below a picture, in small type that still has the contrast of text."""

import streamlit as st

LINE_BREAK = "  \n"  # of Markdown; a line break without the spaces before it only wraps the text


def note(text: str) -> None:
    """Draw Markdown in small type, as one paragraph that keeps its line breaks."""
    lines = (" ".join(line.split()) for line in text.strip().split(LINE_BREAK))
    st.markdown(f":small[{LINE_BREAK.join(lines)}]")
