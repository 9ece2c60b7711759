"""The same numbers, as a convolution."""

import streamlit as st

from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.wording import facts


def show_convolution(choice: Choice, seen: Observation, place: Place) -> None:
    texts, values = (
        texts_of("patch_embedding", seen)["parts"]["convolution"],
        facts(choice, seen, place),
    )
    config = seen.config
    difference = measures.convolution_difference(choice, seen)
    numbers = {"side": config.patch_hw[0], "numbers": f"{seen.tensors['patch_embed'].size:,}"}
    if difference:
        st.markdown(texts["measured"].format(difference=f"{difference:.1e}", **numbers))
        st.markdown(texts["rounding"])
    else:
        st.markdown(texts["measured_zero"].format(**numbers))
    room = "room_more" if config.embed_dim >= config.patch_dim else "room_less"
    st.markdown(texts["why"].format(room=texts[room].format(**values), **values))
