"""What the web server does with strangers' requests before Streamlit sees them.

Files that are uploaded arrive in memory alone: Streamlit's server would write all beyond the first
megabyte of each to a temporary file. So their memory is bounded here: a few at a time, and what no
page reads goes again. And a path that no file system can hold is not found, instead of an error of
the server.
"""

import asyncio
import errno
import logging
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

import streamlit as st

from explainer.inputs.uploads import MEGABYTE, MOST_BYTES, SMALL
from explainer.inputs.uploads.memory import Room, Stored
from explainer.inputs.uploads.same_page import METHODS, with_token

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

ROUTE = "/_stcore/upload_file/"
COPIES = 2  # of a file while it arrives: what came, and the whole that is made of it
PATIENCE = 60.0  # seconds that a file waits for others
STALLED = 30.0  # seconds without a byte, after which a file is given up
LONGEST = 600.0  # seconds that a file may take to arrive
NO_FILE = (errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP)  # of paths that cannot be one's
BUSY = "Many files arrive at this moment. Try again in a minute."
SLOW = "This file came too slowly. Try again, or bring a smaller one."


@cache
def protect() -> None:
    """Set the bounds, in a server and once; called before anything else that a page does.

    They stand at the one place through which Streamlit's server passes every request.
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
        passed_on = PathSecurityMiddleware.__call__
    except (ImportError, AttributeError):
        logging.getLogger(__name__).warning(
            "This version of Streamlit has another web server than the app knows: files that "
            "visitors upload may lie in the folder for temporary files while they arrive, and "
            "their memory is not bounded."
        )
        return
    MultiPartParser.spool_max_size = sys.maxsize
    guard = Guard(
        st.runtime.get_instance().uploaded_file_mgr.remove_file,
        ClientDisconnect,
        generate_xsrf_token_string,
    )

    async def call(middleware: Any, scope: Message, receive: Receive, send: Send) -> None:
        async def app(*request: Any) -> None:
            await passed_on(middleware, *request)

        await guard(app, scope, receive, send)

    PathSecurityMiddleware.__call__ = call


class Guard:
    """Passes requests on to the server, of which it bounds the uploads and softens bad paths.

    Args:
        remove: forgets an uploaded file, given session and file.
        disconnected: what the server raises when a browser goes away.
        make_token: of a request whose browser kept its cookie back.
    """

    def __init__(
        self,
        remove: Callable[[str, str], None],
        disconnected: type[Exception] = ConnectionError,
        make_token: Callable[[], str] = lambda: "token",
    ) -> None:
        # one large file at a time beside some small ones
        self.large = Room(COPIES * MOST_BYTES)
        self.small = Room(4 * SMALL)
        self.stored = Stored(MOST_BYTES, 2 * MOST_BYTES, remove)
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
            if scope["type"] != "http" or error.errno not in NO_FILE:
                raise
            await answer(send, 404, "Not Found")

    async def upload(self, app: App, scope: Message, receive: Receive, send: Send) -> None:
        """Let a file in when there is room for it, and count it among those that are stored."""
        size, status = size_of(scope), 0

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        async def in_time() -> Message:
            async with asyncio.timeout(STALLED):
                return await receive()

        room = self.small if size <= SMALL else self.large
        refusal = 503, BUSY
        try:
            async with room.reserved(COPIES * size, PATIENCE):
                refusal = 408, SLOW
                async with asyncio.timeout(LONGEST):
                    await app(scope, in_time, noted)
        except TimeoutError:
            if not status:
                await answer(send, *refusal)
        except self.disconnected:  # half of a file is none
            return
        if 200 <= status < 300:
            self.stored.add(*scope["path"].rsplit("/", 2)[1:], size)


def is_of_upload(scope: Message) -> bool:
    return scope["type"] == "http" and scope["method"] in METHODS and ROUTE in scope["path"]


def size_of(scope: Message) -> int:
    """Return how many bytes a request says that it has; the most, if it does not say."""
    headers = dict(scope["headers"])
    try:
        return max(0, int(headers[b"content-length"]))
    except (KeyError, ValueError):
        return MOST_BYTES + MEGABYTE


async def answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
