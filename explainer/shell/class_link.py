"""What of a teacher's link a class gets, and how it is taken over."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from explainer.shell.picker import KIND_KEY, PHOTO_KIND_KEY, SYMBOL_KIND_KEY
from explainer.state import session
from explainer.state.link import OF_CLASS, State, encode, read_link, read_pairs, write_pairs

LONGEST_LINK = 8_000  # characters


def link_of_class(now: State) -> str:
    """Return the parameters of the link to what a class can see of a state."""
    second = {name: value for name, value in second_of(now).items() if name != "photo"}
    shared = replace(now, b=write_pairs(second))
    return urlencode({name: text for name, text in encode(shared).items() if name in OF_CLASS})


def has_photo(now: State) -> bool:
    """Whether a picture is shown that only this server keeps."""
    return bool(now.photo or second_of(now).get("photo"))


def second_of(now: State) -> Mapping[str, Any]:
    return read_pairs(now.b) if now.b else {}


def take_link(sent: object) -> None:
    """Show what a class sees; whatever the link says falls back as any link.

    Args:
        sent: the parameters of the link, as a browser sent them.
    """
    if not isinstance(sent, str) or len(sent) > LONGEST_LINK:
        return
    asked, _ = read_link(dict(parse_qsl(sent)))
    values = {name: getattr(asked, name) for name in OF_CLASS}
    session.save(replace(session.load(), photo="", **values))
    for key in (KIND_KEY, SYMBOL_KIND_KEY, PHOTO_KIND_KEY):  # the picture says which is open
        st.session_state.pop(key, None)
