"""Keeps a visitor's answers in the browser, so that they survive a reload of the page."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from explainer.components import assets
from explainer.components.component_state import state_of

KEY = "answers-in-browser"
_mount = st.components.v2.component(
    "vit_explainer.answers",
    html="<i hidden></i>",
    js=assets.javascript("answers/store", "answers/answers"),
)


def keep_in_browser(
    session: str,
    forgotten: int,
    nickname: str | None,
    recent: Sequence[tuple[str, Mapping[str, str]]],
    on_stored: Callable[[object], None],
) -> None:
    """Let the browser keep the last answers, and hand over all that it has kept before.

    Args:
        session: names the session; a new one is handed what the browser has.
        forgotten: how often the visitor has asked this session to forget everything.
        nickname: None while the session knows nothing of one.
        recent: the last answers, each under its name.
        on_stored: called before a rerun with what the browser has, which may be anything.
    """

    def on_change() -> None:
        on_stored(state_of(KEY).get("stored"))

    data = {
        "session": session,
        "forgotten": forgotten,
        "nickname": nickname,
        "recent": [[name, dict(answer)] for name, answer in recent],
    }
    _mount(key=KEY, data=data, on_stored_change=on_change)
