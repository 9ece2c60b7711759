"""The app's pages, and what each run does before one of them is drawn."""

import importlib
import time
from functools import partial
from types import ModuleType

import streamlit as st

from explainer import measuring, startup
from explainer.components.navigation import follow_navigation
from explainer.components.terms import explain_terms
from explainer.components.theme_follower import follow_theme
from explainer.observation import observe
from explainer.observation.learning.lesson import can_learn
from explainer.shell import frame, quiz, refused_links, sidebar
from explainer.shell.compare.halves import Half
from explainer.shell.compare.second import second_choice
from explainer.shell.presenting import follow_present_key, keep_to_story
from explainer.shell.routes import TITLES, go, page_of, show_neighbours, view_of
from explainer.state import session
from explainer.state.choice import Choice

# pages about runs, about words, and of a class, which only its teacher sees with a model
WITHOUT_MODEL = ("train", "glossary", "room")


def pages() -> list[st.Page]:
    """Return all pages in their order; the first is at the root.

    New ones for each run: Streamlit notes on a page whether it may run now.
    """
    return [page_of(view, partial(show, view)) for view in TITLES]


def show(view: str) -> None:
    """Draw one page."""
    session.follow_history()
    keep_to_story(view)
    with st.container(key=f"page-{view}"):
        if view in WITHOUT_MODEL:
            show_alone(view)
        else:
            show_model(view)


def show_alone(view: str) -> None:
    """Draw a page on which nobody chooses a model and an image first."""
    page = importlib.import_module(f"explainer.views.{view}")
    session.save(session.load())
    session.enter(view)
    above = st.container(key="above")
    page.render()
    with above:
        refused_links.show_refusals()
    follow_theme(st.context.theme.type or "light")


def show_model(view: str) -> None:
    """Let the visitor choose, observe, and draw one view; views are imported when first needed."""
    asked, opening = session.load(), session.is_opening()
    if view == "home" and opening and asked.room:  # the short link of a class
        go("room")
    session.enter(view)
    # the story has its own pad and pictures, and needs the whole window; a teacher follows it
    choice = sidebar.choose(is_drawn=view not in ("story", "teacher"))
    if opening:
        refused_links.settle(asked, choice)
    above = st.container(key="above")
    seen = observe.observe(choice)
    if session.note_headless(not seen.has_head):
        st.rerun()  # the bar at the top calls the last page by another name then
    page = importlib.import_module(f"explainer.views.{module_of(view, seen)}")
    if hasattr(page, "PARTS"):
        frame.draw(view, page, choice, seen, second_half(view, page, choice))
        show_neighbours(view)
        if opening:
            place = session.place(choice)
            refused_links.settle_cell(place, frame.has_cell(page, choice, seen, place))
    else:
        page.render(choice, seen)
    with above:
        refused_links.show_refusals()
        frame.offer_story(view)
    follow_theme(st.context.theme.type or "light")


def second_half(view: str, page: ModuleType, choice: Choice) -> Half | None:
    """Return what stands beside a page; None where nothing is compared, or not on this page."""
    other = second_choice(choice)
    if other is None:
        return None
    seen = observe.observe(other)
    return Half(importlib.import_module(f"explainer.views.{module_of(view, seen)}"), other, seen)


def module_of(view: str, seen: observe.Observation) -> str:
    """Return the module that draws a view; a model without a head has features in its place.

    A model that has no loss, or too large gradients, has another page on learning.
    """
    if view == "classification_head" and not seen.has_head:
        return "classification_head.features"
    if view == "learning" and not can_learn(seen.config):
        return "learning.without"
    return view


def run() -> None:
    page = st.navigation(pages(), position="top")
    # before the page, so that the browser keeps it when another page comes
    with st.container(key="around-navigation"):
        frame.style()
        follow_navigation(view_of(page))
        follow_present_key(view_of(page))
        explain_terms()
        quiz.sync()
    began = time.perf_counter()
    try:
        page.run()
    finally:  # where a page asks for another run, too
        measuring.count("page", view_of(page), time.perf_counter() - began)
    startup.start_background_work(tuple(f"explainer.views.{view}" for view in TITLES))
