"""What a visitor did on the page, and what follows from it; a browser may send anything."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from explainer.components.home import MOVES
from explainer.shell import routes
from explainer.shell.picker.moves import move_on
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.edits import read_edits, write_edits
from explainer.state.link import encode
from explainer.state.second import compared_with


def hear(choice: Choice, heard: Mapping[str, Any]) -> None:
    """Take over the changes or another picture that a browser sent."""
    if (to := heard.get("move")) in MOVES:
        session.change(edits="")
        move_on(choice, to)
        return
    text = edits_in(choice, heard)
    if text is not None:
        session.change(edits=text)


def edits_in(choice: Choice, heard: Mapping[str, Any]) -> str | None:
    """Return the text of the changes that a browser sent, less what the model lacks."""
    text = heard.get("edits")
    if not isinstance(text, str):
        return None
    try:
        return write_edits(read_edits(text).fitting(choice.config))
    except ValueError:
        return None


def leave(choice: Choice, opened: Mapping[str, Any]) -> None:
    """Turn to a page that compares before and after."""
    view, text = opened.get("view"), edits_in(choice, opened)
    if view not in routes.TITLES or not text:
        return
    session.change(edits=text)  # Back leads to them
    now = session.load()
    compared = compared_with(replace(now, edits=""), replace(now, edits=text))
    session.change(b=compared.b)
    st.switch_page(routes.page_of(view), query_params=encode(replace(compared, edits="")))
