"""Remarks below a picture, in small type that still has the contrast of text."""

import streamlit as st


def note(text: str) -> None:
    """Draw Markdown in small type."""
    st.markdown(f":small[{' '.join(text.split())}]")
