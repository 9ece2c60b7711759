"""The shape of the list of patches."""

import streamlit as st

from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patches.wording import TEXTS, facts


def show_shape(choice: Choice, seen: Observation, place: Place) -> None:
    """The shape of the list of patches, on these pages and in the paper's letters."""
    texts, config, values = TEXTS["shape"], seen.config, facts(choice, seen, place)
    (height, width), (patch_height, patch_width) = config.image_hw, config.patch_hw
    count = config.num_patches
    st.markdown(texts["text"].format(**values))
    st.latex(texts["formula_sides"])
    sizes = (height, width, config.in_channels)
    st.latex(texts["formula_live"] % (*sizes, count, *sizes, count, count, config.patch_dim))
    st.markdown(texts["letters"].format(**values))
    if patch_height == patch_width:  # as all of the paper's are
        st.markdown(texts["paper"].format(**values))
        st.latex(texts["paper_latex"] % (height, width, patch_height, count, config.patch_dim))
