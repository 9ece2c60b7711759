"""Who looks at a page: a secret by which a browser is recognised as the owner of its runs."""

import re
import secrets
from ipaddress import IPv6Address, ip_address, ip_network

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explainer import training
from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.training.note import hashed

COOKIE = "vit-explainer-visitor"
SECRET = re.compile(r"[A-Za-z0-9_-]{32}")
LOCAL_ADDRESSES = ("127.0.0.1", "::1")  # of the server's own computer
KEY = "visitor"
RECOVER_KEY = "visitor-kept"  # of the component that looks for a secret outside the cookies
ASKED_KEY = "visitor-asked"  # whether the browser has said what it stores outside the cookies
LOST_KEY = "visitor-lost"
_mount = st.components.v2.component(
    "vit_explainer.visitor", html="<span hidden></span>", js=assets.javascript("visitor/visitor")
)


def current() -> str:
    """Return the visitor's secret: the browser's cookie, or a new one for this session."""
    if KEY not in st.session_state:
        cookie = str(st.context.cookies.get(COOKIE, ""))
        st.session_state[KEY] = cookie if SECRET.fullmatch(cookie) else secrets.token_urlsafe(24)
    secret = st.session_state[KEY]
    if context := get_script_run_ctx():
        training.presence.register(hashed(secret), context.session_id)
    return secret


def address() -> str | None:
    """Return the network address of the visitor's connection.

    Headers that a proxy adds are not used, because anybody could send them; behind a proxy, all
    visitors have the proxy's address. For IPv6 it is the /64 network, because one computer can use
    all addresses of such a network.

    Returns:
        None on the server's own computer, and if the address is unknown.
    """
    try:
        client = ip_address(st.context.ip_address or "")
    except ValueError:
        return None
    if isinstance(client, IPv6Address):
        # a server that listens to both versions sees IPv4 addresses in this form
        client = client.ipv4_mapped or client
    if str(client) in LOCAL_ADDRESSES:
        return None
    return str(client if client.version == 4 else ip_network((client, 64), strict=False))


def remember() -> None:
    """Store the secret in the browser, so that it finds its runs after a reload.

    This is called only when somebody starts a run; a visitor who only looks gets no cookie.
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
    """Return whether the browser stores nothing, so that a reload makes it a new visitor."""
    return LOST_KEY in st.session_state


def is_known() -> bool:
    """Return whether it is clear what the browser stores: it sent a cookie, or was asked."""
    return has_cookie() or ASKED_KEY in st.session_state


def has_cookie() -> bool:
    return bool(SECRET.fullmatch(str(st.context.cookies.get(COOKIE, ""))))


def recover(answers: bool = False) -> None:
    """Ask a browser that sent no cookie whether it stores a secret in another way.

    Many browsers send no cookies from a page that another site shows in a frame.

    Args:
        answers: whether the page waits for the answer, also of a browser that stores none.
    """
    if not has_cookie():
        _mount(
            key=RECOVER_KEY,
            data={"name": COOKIE, "known": current(), "answers": answers},
            height=1,
            on_secret_change=adopt,
        )


def adopt() -> None:
    """Use the secret that the browser stored, unless this session has started a run already."""
    st.session_state[ASKED_KEY] = True
    secret = state_of(RECOVER_KEY).get("secret")
    is_new = not training.the_manager().runs_of(current())
    if isinstance(secret, str) and SECRET.fullmatch(secret) and is_new:
        st.session_state[KEY] = secret
