"""What the web server takes of visitors' files, with a server that only counts."""

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explainer.inputs.uploads import MAX_BYTES, SMALL, requests, same_page
from explainer.inputs.uploads.memory import MAX_FILES, Room, Stored
from explainer.inputs.uploads.requests import COPIES, ROUTE, Guard
from explainer.inputs.uploads.same_page import is_refused, with_token

MEGABYTE = 1024**2


def test_files_wait_for_room_in_the_order_of_coming() -> None:
    async def run() -> list[str]:
        room, log = Room(10), []

        async def bring(name: str, size: int) -> None:
            async with room.reserve(size, 5):
                log.append(f"{name} in, {room.free} free")
                await asyncio.sleep(0)
            log.append(f"{name} out")

        await asyncio.gather(bring("a", 6), bring("b", 6), bring("c", 1), bring("d", 99))
        assert room.free == 10
        return log

    assert asyncio.run(run()) == [
        "a in, 4 free",
        "a out",
        "b in, 4 free",
        "c in, 3 free",
        "b out",
        "c out",
        "d in, 0 free",
        "d out",
    ]


def test_who_waits_too_long_is_told_and_takes_nothing() -> None:
    async def run() -> None:
        room = Room(10)
        async with room.reserve(10, 1):
            with pytest.raises(TimeoutError):
                async with room.reserve(1, 0.01):
                    pytest.fail("there is no room")
        async with room.reserve(10, 1):
            assert room.free == 0

    asyncio.run(run())


def test_what_no_page_reads_goes_the_oldest_first() -> None:
    gone: list[tuple[str, str]] = []
    stored = Stored(10, 20, lambda *key: gone.append(key))
    stored.add("a", "1", 6)
    stored.add("a", "2", 6)
    assert gone == [("a", "1")]  # its own
    stored.add("b", "1", 7)
    stored.add("c", "1", 8)
    assert gone[1:] == [("a", "2")]  # of all
    stored.add("c", "2", 99)  # a single one is let be, which is bounded while it arrives
    assert gone[2:] == [("c", "1"), ("b", "1")]


def test_empty_files_are_counted_too() -> None:
    gone: list[tuple[str, str]] = []
    stored = Stored(10, 20, lambda *key: gone.append(key))
    for number in range(MAX_FILES + 5):
        stored.add(f"{number}", "1", 0)
    assert gone == [(f"{number}", "1") for number in range(5)]


# requests


def put(size: int | None, session: str = "s", file: str = "f") -> dict[str, Any]:
    headers = [] if size is None else [(b"content-length", str(size).encode())]
    path = f"{ROUTE}{session}/{file}"
    return {"type": "http", "method": "PUT", "path": path, "headers": headers}


def ask(guard: Guard, app: Callable, *scopes: dict[str, Any]) -> list[list[int]]:
    """Send requests at once; return the statuses that each was answered."""

    async def one(scope: dict[str, Any]) -> list[int]:
        found = []

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                found.append(message["status"])

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        await guard(app, scope, receive, send)
        return found

    async def run() -> list[list[int]]:
        return await asyncio.gather(*map(one, scopes))

    return asyncio.run(run())


async def accept(scope: dict[str, Any], receive: Callable, send: Callable) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize("size", [SMALL // 2, SMALL + 1, MAX_BYTES, None, 10 * MAX_BYTES])
def test_files_that_arrive_at_once_keep_to_the_room(size: int | None) -> None:
    guard, now, most = Guard(lambda *_: None), 0, 0

    async def app(*request: Any) -> None:
        nonlocal now, most
        now += COPIES * min(MAX_BYTES, size or MAX_BYTES)
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= COPIES * min(MAX_BYTES, size or MAX_BYTES)
        await accept(*request)

    found = ask(guard, app, *(put(size, f"{n}") for n in range(20)))
    assert found == [[204]] * 20
    assert 0 < most <= COPIES * MAX_BYTES
    assert guard.large.free == guard.large.capacity and guard.small.free == guard.small.capacity


def test_a_visitor_who_puts_files_without_a_widget_keeps_the_last(monkeypatch) -> None:
    gone: list[tuple[str, str]] = []
    guard = Guard(lambda *key: gone.append(key))
    for number in range(5):
        ask(guard, accept, put(MAX_BYTES - 1, "s", f"{number}"))
    assert gone == [("s", f"{number}") for number in range(4)]


def test_what_was_refused_is_not_counted() -> None:
    gone: list[tuple[str, str]] = []
    guard = Guard(lambda *key: gone.append(key))

    async def refuse(scope: dict[str, Any], receive: Callable, send: Callable) -> None:
        await send({"type": "http.response.start", "status": 403})
        await send({"type": "http.response.body"})

    for number in range(5):
        assert ask(guard, refuse, put(MAX_BYTES, "s", f"{number}")) == [[403]]
    assert gone == []


def test_a_file_that_stalls_gives_its_room_back(monkeypatch) -> None:
    monkeypatch.setattr(requests, "MAX_STALL", 0.01)

    async def app(scope: dict[str, Any], receive: Callable, send: Callable) -> None:
        await receive()

    async def run() -> list[int]:
        found: list[int] = []

        async def send(message: dict[str, Any]) -> None:
            found.append(message.get("status", 0))

        guard = Guard(lambda *_: None)
        await guard(app, put(MEGABYTE), asyncio.Event().wait, send)
        assert guard.small.free == guard.small.capacity
        return found

    assert asyncio.run(run()) == [408, 0]


def test_files_that_find_no_room_in_time_are_told_so(monkeypatch) -> None:
    monkeypatch.setattr(requests, "MAX_WAIT", 0.01)

    async def app(*request: Any) -> None:
        await asyncio.sleep(0.05)
        await accept(*request)

    sizes = [put(MAX_BYTES, "a"), put(MAX_BYTES, "b"), put(1, "c")]
    assert ask(Guard(lambda *_: None), app, *sizes) == [[204], [503], [204]]


def test_a_browser_that_goes_away_is_no_error() -> None:
    async def app(*_: Any) -> None:
        raise ConnectionError

    assert ask(Guard(lambda *_: None), app, put(1)) == [[]]


# frames of other sites, where the browser keeps the cookie back

OWN = {"host": "vit.example:8501", "origin": "https://vit.example:8501"}


def asked(method: str = "PUT", **headers: str) -> dict[str, Any]:
    listed = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return {"type": "http", "method": method, "path": f"{ROUTE}s/f", "headers": listed}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_upload_of_our_own_page_gets_the_cookie_that_its_browser_kept_back(method: str) -> None:
    seen = []

    async def app(scope: dict[str, Any], *_: Any) -> None:
        seen.append(dict(scope["headers"]))

    ask(Guard(lambda *_: None), app, asked(method, **OWN, cookie="a=b", x_xsrftoken="old"))
    (headers,) = seen
    assert headers[b"x-xsrftoken"] == b"token"
    assert headers[b"cookie"] == b"a=b; _streamlit_xsrf=token"


@pytest.mark.parametrize(
    "headers",
    [
        OWN | {"origin": "https://evil.example"},
        OWN | {"origin": "https://vit.example"},
        OWN | {"origin": "https://vit.example:8501.evil.example"},
        OWN | {"origin": "null"},
        OWN | {"origin": ""},
        OWN | {"origin": "http://["},
        OWN | {"origin": "https://[vit.example"},
        {"host": "vit.example:8501"},
        {"host": "", "origin": ""},
        {"origin": "https://vit.example:8501"},
        OWN | {"cookie": "_streamlit_xsrf=theirs"},
    ],
)
def test_an_upload_of_another_sites_page_gets_none(headers: dict[str, str]) -> None:
    scope = asked(**headers)
    assert with_token(scope, lambda: pytest.fail("no token for this one")) is scope


def test_only_uploads_get_one() -> None:
    seen = []

    async def app(scope: dict[str, Any], *_: Any) -> None:
        seen.append(dict(scope["headers"]))

    ask(Guard(lambda *_: None), app, asked(**OWN) | {"path": "/_stcore/other"})
    ask(Guard(lambda *_: None), app, asked("GET", **OWN))
    assert all(b"cookie" not in headers for headers in seen)


@pytest.mark.parametrize(
    ("headers", "cookies", "refused"),
    [
        ({"Host": "vit.example", "Origin": "https://vit.example"}, {}, False),
        ({"Host": "inner:80", "Origin": "https://vit.example"}, {}, True),
        ({"Host": "inner:80", "Origin": "https://vit.example"}, {"_streamlit_xsrf": "x"}, False),
        ({"Host": "vit.example"}, {}, True),
        ({}, {}, False),  # no server, but a test
    ],
)
def test_who_cannot_bring_files_is_told(
    headers: dict[str, str], cookies: dict[str, str], refused: bool
) -> None:
    assert is_refused(headers, cookies) == refused


def test_the_page_says_where_files_can_be_brought(
    monkeypatch: pytest.MonkeyPatch, shipped: Path, open_page: Callable
) -> None:
    monkeypatch.setattr(same_page, "is_refused", lambda *_: True)
    app = open_page("home", source="cifar10", sample=3)
    (warning,) = app.sidebar.warning
    assert "[Open it in a tab of its own](" in warning.value and "sample=3" in warning.value
    app = app.sidebar.pills(key="photo-picker").set_value("upload").run()
    assert len(app.sidebar.warning) == 2 and not app.exception


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP])
def test_a_path_that_is_none_is_not_found(number: int) -> None:
    async def app(*_: Any) -> None:
        raise OSError(number, "of a path")

    scope = {"type": "http", "method": "GET", "path": "/app/static/" + "x" * 5000}
    assert ask(Guard(lambda *_: None), app, scope) == [[404]]


def test_other_errors_are_not_hidden() -> None:
    async def app(*_: Any) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    with pytest.raises(OSError, match="broken"):
        ask(Guard(lambda *_: None), app, {"type": "http", "method": "GET", "path": "/"})
