"""What happens to requests before Streamlit sees them.

Uploaded files are kept in memory, where Streamlit's server would write all but their first megabyte
to a temporary file. So their memory is bounded here: only a few arrive at a time, and files that no
page reads are removed. A path that no file system can hold is answered with "Not Found" instead of
an error of the server.
"""

import asyncio
import errno
import logging
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

import streamlit as st

from explainer.content import load_texts
from explainer.inputs.uploads import MAX_BYTES, MAX_SET, MEGABYTE, SMALL
from explainer.inputs.uploads.memory import Room, Stored
from explainer.inputs.uploads.same_page import METHODS, with_token
from explainer.measuring.refusals import Kind, refused

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

ROUTE = "/_stcore/upload_file/"
COPIES = 2  # of a file while it arrives: its chunks, and the whole that they are joined to
MAX_WAIT = 60.0  # seconds until a file that waits for others is refused
MAX_STALL = 30.0  # seconds without a byte, after which a file is refused
MAX_DURATION = 600.0  # seconds that a file may take to arrive
KINDS: dict[int, Kind] = {403: "not_allowed", 413: "too_large"}  # of the server's answers
BAD_PATH = (errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP)


@cache
def protect() -> None:
    """Put the guard in front of Streamlit's server, if there is one; called before pages are drawn.

    It replaces the middleware through which every request passes.
    """
    if not st.runtime.exists():
        return
    try:
        from starlette.formparsers import MultiPartParser
        from starlette.requests import ClientDisconnect
        from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
        from streamlit.web.server.starlette.starlette_path_security_middleware import (
            PathSecurityMiddleware,
        )

        _ = MultiPartParser.spool_max_size
        original_call = PathSecurityMiddleware.__call__
    except (ImportError, AttributeError):
        logging.getLogger(__name__).warning(load_texts("upload")["unknown_server"])
        return
    MultiPartParser.spool_max_size = sys.maxsize
    # Streamlit's interface leaves out what its only implementation has
    manager: Any = st.runtime.get_instance().uploaded_file_mgr
    guard = Guard(
        manager.remove_file,
        ClientDisconnect,
        generate_xsrf_token_string,
    )

    async def call(middleware: Any, scope: Message, receive: Receive, send: Send) -> None:
        async def app(*request: Any) -> None:
            await original_call(middleware, *request)

        await guard(app, scope, receive, send)

    middleware_class: Any = PathSecurityMiddleware
    middleware_class.__call__ = call


class Guard:
    """Passes requests on to the server; it bounds the uploads and answers bad paths.

    Args:
        remove: removes an uploaded file, given its session and id.
        disconnected: what the server raises when a browser goes away.
        make_token: returns a token for a request whose browser did not send its cookie.
    """

    def __init__(
        self,
        remove: Callable[[str, str], None],
        disconnected: type[Exception] = ConnectionError,
        make_token: Callable[[], str] = lambda: "token",
    ) -> None:
        # room for one large file at a time, and for some small ones beside it
        self.large = Room(COPIES * MAX_BYTES)
        self.small = Room(4 * SMALL)
        self.stored = Stored(MAX_SET, 2 * MAX_BYTES, remove)
        self.disconnected, self.make_token = disconnected, make_token

    async def __call__(self, app: App, scope: Message, receive: Receive, send: Send) -> None:
        if is_of_upload(scope):
            scope = with_token(scope, self.make_token)
        try:
            if is_of_upload(scope) and scope["method"] == "PUT":
                await self.upload(app, scope, receive, send)
            else:
                await app(scope, receive, send)
        except OSError as error:
            if scope["type"] != "http" or error.errno not in BAD_PATH:
                raise
            await answer(send, 404, "Not Found")

    async def upload(self, app: App, scope: Message, receive: Receive, send: Send) -> None:
        """Pass an upload on when there is room for it, and count the stored file."""
        size, status = size_of(scope), 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        async def receive_in_time() -> Message:
            async with asyncio.timeout(MAX_STALL):
                return await receive()

        room = self.small if size <= SMALL else self.large
        kind: Kind = "server_full"
        refusal = 503, "busy"
        try:
            async with room.reserve(COPIES * size, MAX_WAIT):
                kind, refusal = "too_slow", (408, "slow")
                async with asyncio.timeout(MAX_DURATION):
                    await app(scope, receive_in_time, send_and_note)
        except TimeoutError:
            if not status:
                code, reason = refusal
                refused(kind)
                await answer(send, code, load_texts("upload")[reason])
        except self.disconnected:  # the file is not complete
            return
        if 200 <= status < 300:
            _, session, file = scope["path"].rsplit("/", 2)
            self.stored.add(session, file, size)
        elif status >= 400:
            refused(KINDS.get(status, "unusable"))


def is_of_upload(scope: Message) -> bool:
    return scope["type"] == "http" and scope["method"] in METHODS and ROUTE in scope["path"]


def size_of(scope: Message) -> int:
    """Return the bytes of a request according to its header; without one, more than is allowed."""
    headers = dict(scope["headers"])
    try:
        return max(0, int(headers[b"content-length"]))
    except (KeyError, ValueError):
        return MAX_BYTES + MEGABYTE


async def answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
