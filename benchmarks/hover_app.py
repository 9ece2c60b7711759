"""The page that ``hover.py`` measures: a token explorer on random patterns of any size."""

import numpy as np
import streamlit as st

from explainer.components.token_explorer import token_explorer
from explainer.content import load_texts

side, heads, depth = (int(st.query_params.get(name, 4)) for name in ("side", "heads", "depth"))
st.set_page_config(layout="wide")
random = np.random.default_rng(0)
scores = 3 * random.standard_normal((depth, heads, side**2 + 1, side**2 + 1), dtype=np.float32)
patterns = np.exp(scores)
patterns /= patterns.sum(axis=-1, keepdims=True)
token_explorer(
    key="explorer",
    image=random.integers(0, 256, (16 * side, 16 * side, 3), dtype=np.uint8),
    grid=(side, side),
    patterns=patterns,
    prefix_names=["[CLS]"],
    texts=load_texts("token_explorer"),
    heads=patterns.shape[1],
    block=depth - 1,
    head=0,
    query=0,
    on_choose=lambda choice: None,
)
