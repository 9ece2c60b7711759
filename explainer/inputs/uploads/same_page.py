"""Uploads from a page that another site, such as a learning platform, shows in a frame.

Streamlit recognises its own pages by a cookie. Browsers do not send it from such a frame, so that
every upload would be refused. But they do send the origin of the page, which a page of another site
cannot forge. If the origin is this server, the upload is accepted.
"""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from explainer.content import load_texts

COOKIE = "_streamlit_xsrf"
HEADER = "x-xsrftoken"
METHODS = ("PUT", "DELETE")


def is_same_server(origin: str, host: str) -> bool:
    """Return whether a page of ``origin`` belongs to the server with the address ``host``."""
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # the origin is not an address
        return False


def with_token(
    scope: MutableMapping[str, Any], make_token: Callable[[], str]
) -> MutableMapping[str, Any]:
    """Return a request with the cookie that its browser did not send, if its page is ours."""
    headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
    cookies = headers.get("cookie", "")
    if COOKIE in cookies or not is_same_server(headers.get("origin", ""), headers.get("host", "")):
        return scope
    token = make_token()
    headers |= {HEADER: token, "cookie": "; ".join(filter(None, (cookies, f"{COOKIE}={token}")))}
    changed = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
    return {**scope, "headers": changed}


def is_refused(headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
    """Return whether the server will refuse uploads from a page with these headers and cookies.

    This happens in another site's frame, behind a proxy that gives the server another name.
    """
    lower = {name.lower(): text for name, text in headers.items()}
    host = lower.get("host", "")
    return (
        bool(host) and COOKIE not in cookies and not is_same_server(lower.get("origin", ""), host)
    )


def warn_if_refused() -> None:
    """Show a link to the page without the frame, if this page cannot upload files."""
    if not st.get_option("server.enableXsrfProtection"):
        return
    if is_refused(st.context.headers, st.context.cookies):
        address = f"{st.context.url or ''}?{urlencode(st.query_params.to_dict())}"
        st.warning(load_texts("upload")["framed"].format(address=address))
