"""Who asks: the chosen token, block and head."""

from collections.abc import Mapping

import streamlit as st

from explainer.figures import theme
from explainer.observation.observe import Observation
from explainer.shell import controls
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.self_attention.wording import TEXTS, show_image


def show_choose(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["choose"], seen.config
    if config.pool != "cls":
        st.markdown(texts["no_class_token"])
    picture, explanation = st.columns((2, 3), gap="large")
    with picture:
        show_image("asking", choice, seen, place)
    with explanation:
        with st.container(horizontal=True, gap="medium"):
            controls.pick_block(place)
            controls.pick_head(place)
        st.markdown(texts["legend"])
        st.html(legend(texts))
        st.markdown(texts["why"])


def legend(texts: Mapping[str, str]) -> str:
    """The three colours and what they mean."""
    entries = "".join(
        f'<li style="padding:0.125rem 0"><span style="display:inline-block;width:0.875em;'
        f"height:0.875em;margin-right:0.625em;border-radius:3px;vertical-align:-0.0625em;"
        f'background:{shade.css}"></span>{label}</li>'
        for shade, label in (
            (theme.QUERY, texts["legend_query"]),
            (theme.KEY, texts["legend_key"]),
            (theme.VALUE, texts["legend_value"]),
        )
    )
    return f'<ul style="margin:0;padding:0;list-style:none">{entries}</ul>'
