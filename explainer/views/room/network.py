"""The address of this computer in its network, for a teacher who is at localhost."""

import platform
import socket
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from explainer.shell.saved import LOCAL

ANYWHERE = ("192.0.2.1", 9)  # an address for documentation; nothing is sent to it
CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))


def is_local(address: str) -> bool:
    """Return whether an address leads nobody here who sits at another computer."""
    return urlsplit(address).hostname in (None, *LOCAL)


def address_in_network(here: str) -> str:
    """Return where other computers find the page whose address on this one is ``here``.

    Returns:
        The address; an empty text where this server cannot know it: behind a proxy, in a container
        or in Windows' Linux, which have networks of their own; without a network; or where the
        server answers this computer alone.
    """
    at = urlsplit(here)  # as a browser said, which may be a stranger's word
    if at.scheme not in ("http", "https") or not at.netloc.endswith(f":{server_port()}"):
        return ""
    if is_inside() or st.get_option("server.address") not in (None, "", "0.0.0.0"):
        return ""
    host = host_in_network()
    return f"{at.scheme}://{host}:{server_port()}{at.path}" if host else ""


def server_port() -> int:
    return int(st.get_option("server.port"))


def is_inside() -> bool:
    """Return whether the server runs in another computer's container or Linux."""
    return any(path.exists() for path in CONTAINER) or "microsoft" in platform.release().lower()


def host_in_network() -> str:
    """Return this computer's address in the network by which it reaches others; "" without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(ANYWHERE)
            host: str = asked.getsockname()[0]
        except OSError:
            return ""
    return "" if host.startswith("127.") or host == "0.0.0.0" else host
