"""Home: the whole pipeline at a glance, what it says, and what it is made of."""

import streamlit as st

from explainer.content import load_texts
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.mistake_banner import show_banner
from explainer.state.choice import Choice
from explainer.views.home.answer import show_answer, show_features
from explainer.views.home.origin import show_origin
from explainer.views.home.parts import show_parts
from explainer.views.home.pipeline import show_stages
from explainer.views.home.score import show_score
from explainer.views.home.ways import show_ways

TEXTS = load_texts("home")


def render(choice: Choice, observation: Observation) -> None:
    st.title(TEXTS["title"], anchor=False)
    lead = texts_of("home", observation)["lead"]
    st.markdown(lead.format(values=f"{observation.pixels.size:,}"), width=760)
    show_banner(choice)
    show_ways()
    show_stages(choice, observation)
    left, right = st.columns(2, gap="large")
    with left:
        (show_answer if observation.has_head else show_features)(choice, observation)
    with right:
        show_parts(choice, observation)
    if choice.trained:
        show_origin(choice, observation)
    show_score()
