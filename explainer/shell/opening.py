"""What a browser gets at once: the empty page, with the app's look and what it will soon ask for.

Streamlit's page knows nothing of the app that it will show. The look would come with the first run,
and the code of each kind of element when the first of its kind has come, so that a page would move
under its reader's eyes several times. Here the page brings the one and names the other.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from explainer.shell.look import RULES

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

STREAMLIT = Path(st.__file__).parent / "static"
SCRIPTS = (  # of Streamlit, for elements that nearly every page has
    "BidiComponent", "Button", "ButtonGroup", "Checkbox", "DownloadButton", "Html", "NumberInput",
    "PageLink", "Radio", "Selectbox", "Slider",
)  # fmt: skip
FONTS = "app/static/fonts/atkinson-hyperlegible-next-latin-wght-normal.woff2"
STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
# what must not be asked: whether a kept page has changed, which knows nothing of this, and to
# have the page packed, which could not be completed then
KEPT = (b"if-none-match", b"if-modified-since", b"accept-encoding")
STALE = (b"content-length", b"etag", b"last-modified")
served: list[bool] = []  # whether a page was sent that was completed


class Opening:
    """Middleware that completes each empty page."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not wants_page(scope):
            await self.app(scope, receive, send)
            return
        headers = [(name, text) for name, text in scope["headers"] if name not in KEPT]
        await self.app({**scope, "headers": headers}, receive, Completed(send))


class Completed:
    """Passes an answer on; that with an empty page is completed."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None  # of the answer with the page, which is held back
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and is_plain_page(message):
            self.start = message
        elif self.start is None or message["type"] != "http.response.body":
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self.send_page(self.start)

    async def send_page(self, start: Message) -> None:
        body = self.body.replace(b"</head>", head().encode() + b"</head>", 1)
        # after Streamlit's own styles, of which the last among equals counts
        body = body.replace(b"</body>", style().encode() + b"</body>", 1)
        headers = [pair for pair in start["headers"] if pair[0].lower() not in STALE]
        headers.append((b"content-length", str(len(body)).encode()))
        await self.send({**start, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
        served[:] = [True]


def wants_page(scope: Message) -> bool:
    return any(name == b"accept" and b"text/html" in text for name, text in scope["headers"])


def is_plain_page(start: Message) -> bool:
    """Return whether an answer is a page as it stands, neither packed nor an error."""
    headers = {name.lower(): text for name, text in start["headers"]}
    return (
        start["status"] == 200
        and headers.get(b"content-type", b"").startswith(b"text/html")
        and b"content-encoding" not in headers
    )


@cache
def head() -> str:
    """Return what is added to the head of an empty page."""
    scripts = "".join(
        f'<link rel="modulepreload" crossorigin href="./static/js/{path.name}">'
        for name in SCRIPTS
        for path in sorted((STREAMLIT / "static" / "js").glob(f"{name}.*.js"))
    )
    font = f'<link rel="preload" as="font" type="font/woff2" crossorigin href="./{FONTS}">'
    return font + scripts


@cache
def style() -> str:
    """Return what is added to the end of an empty page."""
    return f"<style>{RULES}\n{STYLE}</style>"
