"""Who is looking: a secret that a browser keeps for the runs that it started."""

import re
import secrets
from ipaddress import IPv6Address, ip_address, ip_network

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explainer import training
from explainer.components import assets
from explainer.training.note import hashed

COOKIE = "vit-explainer-visitor"
SECRET = re.compile(r"[A-Za-z0-9_-]{32}")
OWN = ("127.0.0.1", "::1")  # of the server's computer
KEY = "visitor"
KEPT_KEY = "visitor-kept"  # of the component that looks for a secret beside the cookies
LOST_KEY = "visitor-lost"
_mount = st.components.v2.component(
    "vit_explainer.visitor", html="<span hidden></span>", js=assets.javascript("visitor/visitor")
)


def current() -> str:
    """Return the visitor's secret: the browser's cookie, or a new one for this session."""
    if KEY not in st.session_state:
        found = str(st.context.cookies.get(COOKIE, ""))
        st.session_state[KEY] = found if SECRET.fullmatch(found) else secrets.token_urlsafe(24)
    secret = st.session_state[KEY]
    if context := get_script_run_ctx():
        training.presence.come(hashed(secret), context.session_id)
    return secret


def address() -> str | None:
    """Return where the visitor's connection comes from; None on the server's own computer.

    It is the address of the connection itself. What a proxy adds in its headers could be made up by
    anybody, so behind a proxy all visitors have the proxy's address. Of IPv6 it is the network,
    since one computer has as many addresses there as it likes.
    """
    try:
        found = ip_address(st.context.ip_address or "")
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        # a server that listens to both kinds sees an address of IPv4 so
        found = found.ipv4_mapped or found
    if str(found) in OWN:
        return None
    return str(found if found.version == 4 else ip_network((found, 64), strict=False))


def remember() -> None:
    """Have the browser keep the secret, so that it finds its runs after a reload.

    Called where somebody starts a run; who only looks gets no cookie.
    """
    if st.context.cookies.get(COOKIE) != current():
        _mount(
            key="visitor-cookie",
            data={"name": COOKIE, "value": current()},
            height=1,
            on_lost_change=note_lost,
        )


def note_lost() -> None:
    st.session_state[LOST_KEY] = True


def is_lost() -> bool:
    """Whether the browser keeps nothing, so that after a reload nobody knows the visitor."""
    return LOST_KEY in st.session_state


def recover() -> None:
    """Ask a browser that sent no cookie whether it keeps a secret beside its cookies.

    In a page of another site, as in the frame of a learning platform, many browsers send none.
    """
    if not st.context.cookies.get(COOKIE):
        _mount(
            key=KEPT_KEY,
            data={"name": COOKIE, "known": current()},
            height=1,
            on_secret_change=adopt,
        )


def adopt() -> None:
    """Take the secret that the browser kept, unless this session has begun a run of its own."""
    found = st.session_state[KEPT_KEY].get("secret")
    is_new = not training.the_manager().runs_of(current())
    if isinstance(found, str) and SECRET.fullmatch(found) and is_new:
        st.session_state[KEY] = found
