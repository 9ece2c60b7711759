"""Streamlit's own floor: one widget that changes one text. The pages are measured against it."""

import streamlit as st

st.text(f"number {st.number_input('Number among the test images', 0, 999)}")
