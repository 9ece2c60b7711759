"""Who is looking: a secret that a browser keeps for the runs that it started."""

import re
import secrets

import streamlit as st

from explainer.components import assets

COOKIE = "vit-explainer-visitor"
SECRET = re.compile(r"[A-Za-z0-9_-]{32}")
KEY = "visitor"
_mount = st.components.v2.component(
    "vit_explainer.visitor", html="<span hidden></span>", js=assets.javascript("visitor/visitor")
)


def current() -> str:
    """Return the visitor's secret: the browser's cookie, or a new one for this session."""
    if KEY not in st.session_state:
        found = str(st.context.cookies.get(COOKIE, ""))
        st.session_state[KEY] = found if SECRET.fullmatch(found) else secrets.token_urlsafe(24)
    return st.session_state[KEY]


def remember() -> None:
    """Have the browser keep the secret, so that it finds its runs after a reload.

    Called where somebody starts a run; who only looks gets no cookie.
    """
    if st.context.cookies.get(COOKIE) != current():
        _mount(key="visitor-cookie", data={"name": COOKIE, "value": current()}, height=1)
