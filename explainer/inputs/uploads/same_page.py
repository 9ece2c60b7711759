"""Uploads from a frame of another site, as learning platforms have them.

Streamlit tells its own pages from those of other sites by a cookie, which browsers keep back in
such a frame: it refused every file. What browsers do send there, and no page of another site can
forge, is the origin of the page that sends the file. Where that is this server, the file is let in.
"""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from explainer.content import load_texts

COOKIE = "_streamlit_xsrf"
HEADER = "x-xsrftoken"
METHODS = ("PUT", "DELETE")


def is_own(origin: str, host: str) -> bool:
    """Whether a page of ``origin`` is one of the server that was asked as ``host``."""
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # no address at all
        return False


def with_token(
    scope: MutableMapping[str, Any], make_token: Callable[[], str]
) -> MutableMapping[str, Any]:
    """Return a request with the cookie that its browser kept back, if its page is our own."""
    headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
    cookies = headers.get("cookie", "")
    if COOKIE in cookies or not is_own(headers.get("origin", ""), headers.get("host", "")):
        return scope
    token = make_token()
    headers |= {HEADER: token, "cookie": "; ".join(filter(None, (cookies, f"{COOKIE}={token}")))}
    changed = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
    return {**scope, "headers": changed}


def is_refused(headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
    """Whether the server will refuse the files of a page, by what the page was asked for with.

    So it is in another site's frame behind a proxy that gives the server another name.
    """
    found = {name.lower(): text for name, text in headers.items()}
    host = found.get("host", "")
    return bool(host) and COOKIE not in cookies and not is_own(found.get("origin", ""), host)


def say_if_refused() -> None:
    """Say where files can be brought if they cannot be here."""
    if not st.get_option("server.enableXsrfProtection"):
        return
    if is_refused(st.context.headers, st.context.cookies):
        address = f"{st.context.url or ''}?{urlencode(st.query_params.to_dict())}"
        st.warning(load_texts("upload")["framed"].format(address=address))
