"""The same numbers as a convolution, and what that says of CNNs."""

import streamlit as st

from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell import code_panel
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.wording import facts
from vit_core.interpret.filters import embed_by_convolution


def show_convolution(choice: Choice, seen: Observation, place: Place) -> None:
    texts, values = (
        texts_of("patch_embedding", seen)["convolution"],
        facts(choice, seen, place),
    )
    config = seen.config
    difference = measures.convolution_difference(choice, seen)
    st.markdown(texts["text"].format(**values))
    numbers = {"side": config.patch_hw[0], "numbers": f"{seen.tensors['patch_embed'].size:,}"}
    if difference:
        measured = texts["measured"].format(difference=f"{difference:.1e}", **numbers)
        st.markdown(f"{measured} {texts['rounding']}")
    else:
        st.markdown(texts["measured_zero"].format(**numbers))
    room = "room_more" if config.embed_dim >= config.patch_dim else "room_less"
    st.markdown(texts["why"].format(room=texts[room].format(**values), **values))
    st.markdown(texts["cnn"])
    code_panel.show([Snippet("multiply", embed_by_convolution, ("kernel =", "maps ="))], place)
