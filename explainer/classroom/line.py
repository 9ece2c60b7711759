"""The line of a room: a websocket between a page and the room, past Streamlit's scripts.

The browser's first message is its ticket. After it, each message asks for one thing and gets one
answer; and the room's news come as often as the room changes.
"""

import asyncio
import base64
import binascii
import json
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from weakref import WeakSet

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from explainer import classroom
from explainer.classroom.errors import ClassroomError, refusal
from explainer.classroom.signatures import Member
from explainer.classroom.snapshot import BEAT_SECONDS

MOST_BYTES = 8_192  # of a pupil's message; a teacher's question and link may take twice as many
MOST_A_SECOND = 10  # messages of one line
LINES_OF_ONE = 4  # of one member on one server
TICKET_SECONDS = 10.0  # until a line without a ticket is closed
SEND_SECONDS = 20.0  # until a line that does not read is closed
READ_SECONDS = 0.25  # between two questions to the database for news of others
OWN_SECONDS = 0.1  # the same, after a change that came over this server
CLEAN_SECONDS = 600.0
ENDED, REFUSED, FULL = 4404, 4403, 4429  # codes with which a line is closed


_served: WeakSet["Lines"] = WeakSet()


class Line:
    """One browser's line."""

    def __init__(self, socket: WebSocket, member: Member) -> None:
        self.socket = socket
        self.member = member
        self.sent = ""
        self._news = ""  # what is not sent yet: only the newest, however slowly the browser reads
        self._has_news = asyncio.Event()
        self._turn = asyncio.Lock()
        self._times: deque[float] = deque(maxlen=MOST_A_SECOND)

    def tell(self, text: str) -> None:
        """Have the newest state of the room sent."""
        if text != self.sent:
            self._news = text
            self._has_news.set()

    async def pass_news(self) -> None:
        """Send each newest state, until the line is closed."""
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            while True:
                await self._has_news.wait()
                self._has_news.clear()
                self.sent = self._news
                await self.send(self.sent)
        await self.close(FULL)

    async def send(self, text: str) -> None:
        async with self._turn:
            await asyncio.wait_for(self.socket.send_text(text), SEND_SECONDS)

    async def close(self, code: int, sentence: str = "") -> None:
        """Close the line, if it is open, and say why."""
        name = "ended" if code == ENDED else "refused"
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            if sentence:
                await self.send(json.dumps({name: sentence}))
            await asyncio.wait_for(self.socket.close(code), SEND_SECONDS)

    def is_flooding(self) -> bool:
        """Count a message, and return whether that were too many in the last second."""
        now = time.monotonic()
        is_full = len(self._times) == MOST_A_SECOND and now - self._times[0] < 1
        self._times.append(now)
        return is_full


class Lines:
    """All lines of this server, and the one reader of their rooms."""

    def __init__(self) -> None:
        self._of_rooms: dict[str, list[Line]] = {}
        _served.add(self)
        self._reader: asyncio.Task | None = None
        self._changed = asyncio.Event()
        self._versions: dict[str, int] = {}
        # the database's answers are waited for in threads of their own
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="classroom")

    async def do(self, function: Callable[..., Any], *values: Any, **named: Any) -> Any:
        """Call what waits for the database in another thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: function(*values, **named))

    async def serve(self, socket: WebSocket) -> None:
        """Take a browser's line until it is closed."""
        await socket.accept()
        line = Line(socket, Member("", "", False))
        try:
            line.member = await self.admit(socket)
            await self.enter(line)
        except ClassroomError as error:
            await line.close(ENDED if error.has_ended else REFUSED, str(error))
            return
        except (WebSocketDisconnect, TimeoutError, RuntimeError):
            await line.close(REFUSED)
            return
        sender = asyncio.create_task(line.pass_news())
        try:
            await self.hear(line)
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            pass  # the browser has gone
        finally:
            sender.cancel()
            await self.leave(line)

    async def admit(self, socket: WebSocket) -> Member:
        """Return whose ticket comes as the first message."""
        told = await asyncio.wait_for(socket.receive(), TICKET_SECONDS)
        message = read_message(told, MOST_BYTES)
        code = str(socket.path_params.get("code", ""))
        return await self.do(self.rooms.admit, code, message.get("ticket"))

    @property
    def rooms(self) -> Any:
        return classroom.the_classrooms()

    async def enter(self, line: Line) -> None:
        """Put a line among those that hear news, and send it the first."""
        code, member = line.member.code, line.member
        await self.do(self.rooms.join, code, member)
        await self.do(self.rooms.beat, {code: [member.pupil]})
        mine = await self.do(self.rooms.answers_of, code, member)
        welcome = {"is_teacher": member.is_teacher, "mine": mine}
        await line.send(json.dumps({"welcome": welcome}))
        lines = self._of_rooms.setdefault(code, [])
        lines.append(line)
        own = [one for one in lines if one.member == member]
        for oldest in own[:-LINES_OF_ONE]:
            lines.remove(oldest)
            await oldest.close(FULL, str(refusal("too_many_lines")))
        await self.tell(code, [line])
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self.read())
        self._changed.set()

    async def leave(self, line: Line) -> None:
        code, member = line.member.code, line.member
        lines = self._of_rooms.get(code, [])
        if line in lines:
            lines.remove(line)
        if not lines:
            self._of_rooms.pop(code, None)
            self._versions.pop(code, None)
        if not any(one.member == member for one in lines):
            with suppress(ClassroomError):
                await self.do(self.rooms.leave, code, member)
            self._changed.set()

    async def hear(self, line: Line) -> None:
        """Do what a browser asks for, one thing after the other."""
        most = MOST_BYTES * 2 if line.member.is_teacher else MOST_BYTES
        while True:
            told = await line.socket.receive()
            if told["type"] == "websocket.disconnect":
                return
            number = None
            try:
                if line.is_flooding():
                    await line.close(FULL, str(refusal("too_fast")))
                    return
                message = read_message(told, most)
                if type(message.get("id")) is int and 0 <= message["id"] < 2**53:
                    number = message["id"]
                answer = await self.obey(line.member, message)
            except ClassroomError as error:
                if error.has_ended:
                    await line.close(ENDED, str(error))
                    return
                answer = {"error": str(error)}
            else:
                self._changed.set()
            await line.send(json.dumps({"id": number, **answer}))

    async def obey(self, member: Member, message: dict[str, Any]) -> dict[str, Any]:
        """Do one thing and return the answer."""
        rooms, code, what = self.rooms, member.code, message.get("do")
        fields = {name: value for name, value in message.items() if name not in ("id", "do")}
        if what == "answer":
            await self.do(rooms.answer, code, member, fields.get("question"), fields.get("choice"))
        elif what == "steer":
            await self.do(lambda: rooms.steer(code, member, **fields))
        elif what == "draw":
            pixels = read_pixels(fields.get("pixels"))
            await self.do(rooms.draw, code, member, pixels, fields.get("label"))
        elif what == "join":
            await self.do(rooms.join, code, member, fields.get("nickname", ""))
        elif what == "leave":
            await self.do(rooms.leave, code, member)
        elif what == "end":
            await self.do(rooms.end, code, member)
        elif what == "pupils":
            found = await self.do(rooms.pupils, code, member)
            return {"ok": True, "pupils": [asdict(one) for one in found]}
        else:
            raise refusal("wrong_message")
        return {"ok": True}

    # news

    async def read(self) -> None:
        """Ask the database for news of all rooms as long as anybody has a line."""
        beaten = cleaned = 0.0
        while self._of_rooms:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), READ_SECONDS)
                await asyncio.sleep(OWN_SECONDS)
            self._changed.clear()
            now = time.monotonic()
            try:
                is_late = now - beaten > BEAT_SECONDS
                if is_late:
                    beaten = now
                    await self.do(self.rooms.beat, self.present())
                if now - cleaned > CLEAN_SECONDS:
                    cleaned = now
                    await self.do(self.rooms.clean)
                found = await self.do(self.rooms.versions, list(self._of_rooms))
                for code in list(self._of_rooms):
                    # who is there changes without a version when another server dies
                    if is_late or found.get(code) != self._versions.get(code):
                        self._versions[code] = found.get(code, 0)
                        await self.tell(code, list(self._of_rooms.get(code, [])))
            except ClassroomError:
                await asyncio.sleep(1)  # the database is away; the lines stay, and wait for it

    def present(self) -> dict[str, set[str]]:
        return {
            code: {line.member.pupil for line in lines} for code, lines in self._of_rooms.items()
        }

    async def tell(self, code: str, lines: list[Line]) -> None:
        """Send what a room looks like to some of its lines."""
        try:
            seen = await self.do(self.rooms.seen, code)
        except ClassroomError as error:
            if not error.has_ended:
                raise
            await asyncio.gather(*(line.close(ENDED, str(error)) for line in lines))
            return
        texts = {is_teacher: told_to(seen, is_teacher) for is_teacher in (False, True)}
        for line in lines:
            line.tell(texts[line.member.is_teacher])


def connected_pupils() -> int:
    """Return how many pupils have a line to this server now; may be called from any thread."""
    of_rooms = [lines for one in list(_served) for lines in list(one._of_rooms.values())]
    return sum(
        len({line.member.pupil for line in list(lines) if not line.member.is_teacher})
        for lines in of_rooms
    )


def told_to(seen: classroom.Snapshot, is_teacher: bool) -> str:
    return json.dumps({"seen": seen.told(is_teacher)}, separators=(",", ":"))


def read_message(told: Any, most: int) -> dict[str, Any]:
    """Return the JSON object that a browser sent.

    Raises:
        ClassroomError: it is none, or too long.
        WebSocketDisconnect: the browser has gone.
    """
    if told["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(told.get("code", 1000))
    text = told.get("text")
    if not isinstance(text, str):
        raise refusal("wrong_message")
    if len(text) > most:
        raise refusal("too_long_message")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise refusal("wrong_message") from None
    if not isinstance(message, dict):
        raise refusal("wrong_message")
    return message


def read_pixels(text: object) -> bytes:
    """Return the bytes of a drawing, which come in base64."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (ValueError, binascii.Error):
        return b""


def routes(base: str) -> list[WebSocketRoute]:
    """Return the route of all lines.

    Args:
        base: the path under which the app is served.
    """
    lines: list[Lines] = []

    async def serve(socket: WebSocket) -> None:
        if not lines:  # its events belong to the loop that serves
            lines.append(Lines())
        await lines[0].serve(socket)

    classroom.note_lines()
    prefix = f"/{base.strip('/')}" if base.strip("/") else ""
    return [WebSocketRoute(f"{prefix}/classroom/{{code}}", serve)]
