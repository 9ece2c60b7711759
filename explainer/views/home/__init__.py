"""Home: draw a digit, see what the model makes of it, and how."""

from functools import partial
from pathlib import Path

import streamlit as st

from explainer.components.home import drawn_names
from explainer.content import load_texts
from explainer.inputs.models.for_browser import fits_browser
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell import routes
from explainer.shell.compare.bar import end_comparison, link_untrained, offer_compare
from explainer.shell.fold import fold
from explainer.shell.mistake_banner import show_banner
from explainer.shell.pen_line import keep_pen_line
from explainer.shell.share import show_link
from explainer.state import session
from explainer.state.choice import Choice
from explainer.views.home.origin import show_origin
from explainer.views.home.parts import show_parts
from explainer.views.home.picture import PEN_KEY, leave, show_picture
from explainer.views.home.score import show_score

TEXTS = load_texts("home")
STYLE = f"<style>{Path(__file__).with_name('home.css').read_text(encoding='utf-8')}</style>"


def render(choice: Choice, observation: Observation) -> None:
    st.html(STYLE)
    texts = texts_of("home", observation)
    with st.container(key="home-head", gap="xsmall"):
        st.title(texts["title"], anchor=False)
        st.markdown(texts["lead" if choice.takes_drawings else "lead_no_pen"])
        show_compare(choice, observation)
    show_banner(choice)
    show_picture(choice, observation)
    if choice.takes_drawings and not fits_browser(choice.config):
        names = drawn_names(observation.tensors, choice.config.depth)
        keep_pen_line(choice, PEN_KEY, names, mean_heads=True)
    show_more(choice, observation)


def show_compare(choice: Choice, observation: Observation) -> None:
    """Offer to compare; the story shows both halves, and Home the first of them alone."""
    with st.container(key="home-compare", horizontal=True, vertical_alignment="center"):
        if session.load().b:
            routes.link("story", TEXTS["both_in_story"])
            end_comparison()
        else:
            offer_compare(choice, observation, then=partial(leave, "story"))


@st.fragment
def show_more(choice: Choice, observation: Observation) -> None:
    """What the model is made of, where it comes from, and the visitor's answers, each in a fold."""
    place, texts = session.place(choice), texts_of("home", observation)
    with st.container(key="home-more", gap="small"):
        with fold(place, "parts", TEXTS["parts_title"]) as is_open:
            if is_open:
                show_parts(choice, observation, place)
        if choice.trained:
            with fold(place, "origin", texts["origin_title"]) as is_open:
                if is_open:
                    show_origin(choice, observation)
        with fold(place, "score", TEXTS["score_title"]) as is_open:
            if is_open:
                show_score()
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            link_untrained(choice, observation)
            routes.link("glossary", routes.TITLES["glossary"])
            routes.link("room", TEXTS["class_link"])
            show_link()
