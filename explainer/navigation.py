"""The app's pages, and what each run does before one of them is drawn."""

import importlib
from functools import partial

import streamlit as st

from explainer import links, services, sidebar, startup, state
from explainer.components.theme_follower import follow_theme
from explainer.content import load_texts

PIPELINE = {  # view → title, in the order of the walk
    "patches": "Patches",
    "patch_embedding": "Embedding",
    "class_token": "Class token",
    "position": "Position",
    "self_attention": "Self-attention",
    "multi_head": "Multi-head",
    "encoder_block": "Encoder block",
    "classification_head": "Classification head",
}
TITLES = {"home": "Home", "train": "Train", **PIPELINE}  # of all pages, as the top shows them
WALK = ("home", *PIPELINE)


def pages() -> dict[str, st.Page]:
    """Return the page of each view, in their order; the first is at the root.

    New ones for each run: Streamlit notes on a page whether it may run now.
    """
    return {
        view: st.Page(
            partial(show, view), title=title, url_path=address(view), default=view == "home"
        )
        for view, title in TITLES.items()
    }


def address(view: str) -> str:
    """Return what stands for a view in the address bar."""
    return view.replace("_", "-")


def previous(view: str) -> str | None:
    """Return the view before this one on the walk; None at the first."""
    place = WALK.index(view)
    return WALK[place - 1] if place else None


def following(view: str) -> str | None:
    """Return the view after this one on the walk; None at the last."""
    place = WALK.index(view) + 1
    return WALK[place] if place < len(WALK) else None


def show(view: str) -> None:
    """Draw one page."""
    if view == "train":
        show_training()
    else:
        show_model(view)


def show_training() -> None:
    """Draw the page that trains: it shows runs, so nobody chooses a model and an image first."""
    # they link back to these pages
    frame = importlib.import_module("explainer.frame")
    page = importlib.import_module("explainer.views.train")
    state.save(state.load())
    state.enter("train")
    frame.style()
    above = st.container(key="above")
    page.render()
    with above:
        links.show_refusals()
    follow_theme(st.context.theme.type or "light")


def show_model(view: str) -> None:
    """Let the visitor choose, observe, and draw one view; views are imported when first needed."""
    # the frame links back to these pages
    frame = importlib.import_module("explainer.frame")
    asked, opening = state.load(), state.is_opening()
    state.enter(view)
    choice = sidebar.choose()
    if opening:
        links.settle(asked, choice)
    frame.style()
    above = st.container(key="above")
    seen = services.observe(choice)
    page = importlib.import_module(f"explainer.views.{module_of(view, seen)}")
    if hasattr(page, "PARTS"):
        frame.draw(view, page, choice, seen)
        show_neighbours(view)
    else:
        page.render(choice, seen)
    if opening and view != "home":
        links.settle_cell()
    with above:
        links.show_refusals()
    follow_theme(st.context.theme.type or "light")


def module_of(view: str, seen: services.Observation) -> str:
    """Return the module that draws a view; a model without a head has features in its place."""
    if view == "classification_head" and not seen.has_head:
        return "classification_head.features"
    return view


def show_neighbours(view: str) -> None:
    """Link to the pages before and after."""
    texts = load_texts("frame")
    with st.container(
        key="neighbours", horizontal=True, horizontal_alignment="distribute", gap="medium"
    ):
        for name, neighbour in (
            ("previous_link", previous(view)),
            ("next_link", following(view) or "home"),
        ):
            if neighbour:
                link(neighbour, texts[name].format(title=TITLES[neighbour]))


def link(view: str, label: str) -> None:
    """Draw a link to the page of ``view`` that keeps model, image and place."""
    st.page_link(pages()[view], label=label, query_params=state.link())


def go(view: str) -> None:
    """Leave for the page of ``view`` at once."""
    st.switch_page(pages()[view], query_params=state.link())


def run() -> None:
    st.navigation(list(pages().values()), position="top").run()
    startup.settle(tuple(f"explainer.views.{view}" for view in TITLES))
