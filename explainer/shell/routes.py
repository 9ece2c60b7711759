"""The pages' order, titles and addresses, and links from one to another."""

from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from explainer.content import load_texts
from explainer.state import session

PIPELINE = (  # the pages that walk through the model, in their order
    "patches",
    "patch_embedding",
    "class_token",
    "position",
    "self_attention",
    "multi_head",
    "encoder_block",
    "classification_head",
    "learning",
    "look_inside",
)
# all pages, in the order of the bar at the top
VIEWS = ("home", "story", "fool", "train", *PIPELINE, "glossary", "worksheet", "teacher", "room")
# pages that the bar has no room for; other pages link to them
UNLISTED = ("glossary", "worksheet", "teacher", "room")
TITLES = {view: load_texts("pages")[view] for view in VIEWS}
WALK = ("home", *PIPELINE)


def page_of(view: str, draw: Callable[[], None] = lambda: None) -> st.Page:
    """Return the page of a view, as Streamlit knows it by its address.

    Args:
        draw: called to draw the page; a link only needs the address.
    """
    return st.Page(
        draw,
        title=title_of(view),
        url_path=address(view),
        default=view == "home",
        visibility="hidden" if view in UNLISTED else "visible",
    )


def title_of(view: str) -> str:
    """Return the title of a view's page for the model that is looked at."""
    if view == "classification_head" and session.is_headless():
        return load_texts("pages")["features"]
    return TITLES[view]


def address(view: str) -> str:
    """Return the path of a view's page in the address bar."""
    return view.replace("_", "-")


def path(view: str) -> str:
    """Return the path of a view's page with model, image and place, seen from any page."""
    query = urlencode({name: text for name, text in session.link().items() if name != "present"})
    return f"{'' if view == 'home' else address(view)}?{query}".rstrip("?")


def view_of(page: st.Page) -> str:
    """Return the view of a page."""
    return page.url_path.replace("-", "_") or "home"


def previous(view: str) -> str | None:
    """Return the view before this one on the walk; None at the first."""
    index = WALK.index(view)
    return WALK[index - 1] if index else None


def following(view: str) -> str | None:
    """Return the view after this one on the walk; None at the last."""
    index = WALK.index(view) + 1
    return WALK[index] if index < len(WALK) else None


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
                link(neighbour, texts[name].format(title=title_of(neighbour)))


def link(view: str, label: str, **params: str) -> None:
    """Draw a link to the page of ``view`` that keeps model, image and place.

    Args:
        params: of the link besides these.
    """
    st.page_link(page_of(view), label=label, query_params=session.link() | params)


def go(view: str) -> None:
    """Switch to the page of ``view`` at once."""
    st.switch_page(page_of(view), query_params=session.link())
