"""The shape of the list of patches."""

import streamlit as st

from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patches.wording import TEXTS, facts


def show_shape(choice: Choice, seen: Observation, place: Place) -> None:
    """The shape of the list of patches, in two notations."""
    texts, config, values = TEXTS["parts"]["shape"], seen.config, facts(choice, seen, place)
    (height, width), rows = config.image_hw, config.grid_size[0]
    sides, paper = st.columns(2, gap="medium")
    sides.latex(texts["formula_sides"])
    sizes = (height, width, config.in_channels, rows)
    sides.latex(texts["formula_live"] % (*sizes, *sizes, config.num_patches, config.patch_dim))
    sides.markdown(texts["letters"].format(**values))
    paper.markdown(texts["paper"].format(**values))
    paper.latex(
        texts["paper_latex"]
        % (height, width, config.patch_hw[0], config.num_patches, config.patch_dim)
    )
