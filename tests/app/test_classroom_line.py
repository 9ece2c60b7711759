"""The line of a room: tickets, answers and news over websockets, and whatever a stranger sends."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from explainer import classroom
from explainer.classroom import Asked, line
from explainer.classroom.store import Classrooms

TEACHER, PUPIL = "t" * 32, "p" * 32
CORNER = Asked("corner", "Where?", ("the corner", "the middle"), right=0)
WRONG = {
    "no JSON": "{",
    "no object": "[1]",
    "deep": "[" * 8000,
    "a huge number": '{"ticket": ' + "9" * 7000 + "}",
    "no ticket": "{}",
    "a number": '{"ticket": 7}',
    "long": json.dumps({"ticket": "a" * 9000}),
}


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Classrooms]:
    monkeypatch.setenv(classroom.VARIABLE, f"sqlite:///{tmp_path / 'rooms.sqlite'}")
    found = classroom.the_classrooms()
    yield found
    found.close()


@pytest.fixture
def client(rooms: Classrooms) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=line.routes("/class/vit/"))) as client:
        yield client


def next_of(socket: WebSocketTestSession, name: str) -> Any:
    """Return what the next message with ``name`` says, past all others."""
    while name not in (message := socket.receive_json()):
        pass
    return message[name]


def enter(socket: WebSocketTestSession, rooms: Classrooms, code: str, visitor: str) -> Any:
    socket.send_json({"ticket": rooms.ticket(code, visitor)})
    return next_of(socket, "welcome")


def ask(socket: WebSocketTestSession, **fields: Any) -> dict[str, Any]:
    socket.send_json({"id": 7, **fields})
    while "id" not in (message := socket.receive_json()):
        pass
    return message


def test_a_pupil_answers_and_both_hear_of_it(client: TestClient, rooms: Classrooms) -> None:
    code = rooms.open(TEACHER)
    address = f"/class/vit/classroom/{code}"
    with client.websocket_connect(address) as teacher, client.websocket_connect(address) as pupil:
        assert enter(teacher, rooms, code, TEACHER) == {"is_teacher": True, "mine": {}}
        assert enter(pupil, rooms, code, PUPIL) == {"is_teacher": False, "mine": {}}
        assert ask(teacher, do="steer", screen=4, asked=CORNER.told()) == {"id": 7, "ok": True}
        while (seen := next_of(pupil, "seen"))["screen"] != 4:
            pass
        assert seen["asked"]["right"] is None
        assert ask(pupil, do="answer", question="corner", choice=1) == {"id": 7, "ok": True}
        while not (poll := next_of(teacher, "seen")["polls"].get("corner", {})).get("answered"):
            pass
        assert poll["counts"] == [0, 1]
        while not next_of(pupil, "seen")["polls"].get("corner", {}).get("answered"):
            pass
        assert "Only the teacher" in ask(pupil, do="steer", screen=5)["error"]
        assert "no such setting" in ask(teacher, do="steer", **{"self": 1})["error"]
        assert "did not understand" in ask(pupil, do="fly")["error"]
        assert "A drawing needs" in ask(pupil, do="draw", pixels="é", label=2)["error"]
        assert ask(teacher, do="pupils")["pupils"][0]["answered"] == 1
        assert ask(teacher, do="end") == {"id": 7, "ok": True}
        assert "has ended" in next_of(pupil, "ended")
        with pytest.raises(WebSocketDisconnect) as caught:
            pupil.receive_json()
        assert caught.value.code == line.ENDED


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_line_without_a_ticket_is_closed_with_a_sentence(
    text: str, client: TestClient, rooms: Classrooms
) -> None:
    code = rooms.open(TEACHER)
    with client.websocket_connect(f"/class/vit/classroom/{code}") as socket:
        socket.send_text(text)
        assert "Reload the page" in socket.receive_json()["refused"]
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


def test_a_ticket_of_another_room_and_bytes_are_refused(
    client: TestClient, rooms: Classrooms
) -> None:
    code, other = rooms.open(TEACHER), rooms.open(TEACHER)
    with client.websocket_connect(f"/class/vit/classroom/{code}") as socket:
        socket.send_json({"ticket": rooms.ticket(other, PUPIL)})
        assert "does not belong" in socket.receive_json()["refused"]
    with client.websocket_connect(f"/class/vit/classroom/{code}") as socket:
        enter(socket, rooms, code, PUPIL)
        socket.send_bytes(b"\x00\xff")
        assert "did not understand" in next_of(socket, "error")


def test_a_line_that_floods_is_closed(client: TestClient, rooms: Classrooms) -> None:
    code = rooms.open(TEACHER)
    with client.websocket_connect(f"/class/vit/classroom/{code}") as socket:
        enter(socket, rooms, code, PUPIL)
        for _ in range(40):
            socket.send_text("x")
        assert "faster" in next_of(socket, "refused")
