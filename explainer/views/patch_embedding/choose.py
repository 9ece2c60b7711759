"""Patches in, rows out: one patch is chosen."""

from functools import partial

import streamlit as st

from explainer.components.token_picker import token_picker
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding.over_image import choose_patch
from explainer.views.patch_embedding.wording import TEXTS, facts, patch_of


def show_choose(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["choose"], seen.config
    picture, explanation = st.columns((2, 3), gap="large", vertical_alignment="center")
    with picture:
        token_picker(
            key=place.key("embedded"),
            group=place.prefix,
            image=seen.pixels,
            grid=config.grid_size,
            prefix_names=[],
            query=patch_of(choice, seen, place),
            on_choose=partial(choose_patch, choice),
            colour="patch",
            cache=choice,
        )
    with explanation:
        st.markdown(texts["shapes"])
        sizes = (config.num_patches, config.patch_dim, config.num_patches, config.embed_dim)
        st.latex(texts["shape_latex"] % sizes)
        st.markdown(texts["paper"].format(**facts(choice, seen, place)))
