"""The app's pages, and what each run does before one of them is drawn."""

import importlib
from functools import partial

import streamlit as st

from explainer import frame, services, sidebar, state
from explainer.components.theme_follower import follow_theme

TITLES = {  # view → title, in the order of the pipeline
    "home": "Home",
    "patches": "Patches",
    "patch_embedding": "Embedding",
    "class_token": "Class token",
    "position": "Position",
    "self_attention": "Self-attention",
    "multi_head": "Multi-head",
    "encoder_block": "Encoder block",
    "classification_head": "Head",
}


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


def show(view: str) -> None:
    """Let the visitor choose, observe, and draw one view; views are imported when first needed."""
    choice = sidebar.choose()
    page, seen = importlib.import_module(f"explainer.views.{view}"), services.observe(choice)
    if hasattr(page, "PARTS"):
        frame.draw(view, page, choice, seen)
    else:
        page.render(choice, seen)
    follow_theme(st.context.theme.type or "light")


def link(view: str, label: str) -> None:
    """Draw a link to the page of ``view`` that keeps model, image and place."""
    st.page_link(pages()[view], label=label, query_params=state.link())


def go(view: str) -> None:
    """Leave for the page of ``view`` at once."""
    st.switch_page(pages()[view], query_params=state.link())


def run() -> None:
    st.navigation(list(pages().values()), position="top").run()
