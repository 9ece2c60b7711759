"""The rooms of classes, over SQLite and a real PostgreSQL."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import postgresql
import pytest
from sqlalchemy import create_engine, text, update

from explainer.classroom import Asked, ClassroomError
from explainer.classroom.codes import LETTERS, clean_code
from explainer.classroom.store import Classrooms
from explainer.classroom.tables import ALL, rooms
from explainer.classroom.tries import Tries
from explainer.training.limits import load_limits

TEACHER, PUPIL, OTHER = ("t" * 32, "p" * 32, "o" * 32)
CORNER = Asked("corner", "Where does it look?", ("the corner", "=1+1"), right=0)
PATCHES = Asked("patches", "Click where.", rows=7, columns=7)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    if not postgresql.programs():
        assert not os.environ.get("CI"), "the CI must install PostgreSQL"
        pytest.skip("PostgreSQL is not installed")
    with postgresql.postgresql(*postgresql.FAST) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rooms.sqlite'}"
    found = request.getfixturevalue("server")
    engine = create_engine(found)
    with engine.begin() as connection:
        for table in ALL:
            connection.execute(text(f"drop table if exists {table.name}"))
    engine.dispose()
    return found


@pytest.fixture
def opened(url: str) -> Iterator[Callable[..., Classrooms]]:
    """Opens the rooms as one more server does."""
    all_rooms = []

    def open_rooms(**limits: int) -> Classrooms:
        all_rooms.append(Classrooms(url, replace(load_limits(), **limits)))
        return all_rooms[-1]

    yield open_rooms
    for one in all_rooms:
        one.close()


@pytest.fixture
def classrooms(opened: Callable[..., Classrooms]) -> Classrooms:
    return opened()


def test_two_servers_start_at_once_on_an_empty_database(opened: Callable[..., Classrooms]) -> None:
    servers = [opened() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda server: server.open(TEACHER[:31] + str(id(server))), servers))
    assert len(set(codes)) == 4
    assert all(server.find(code, PUPIL) for server in servers for code in codes)
    assert all(clean_code(code.lower()) == code and set(code) <= set(LETTERS) for code in codes)


def test_who_has_joined_is_found_again(opened: Callable[..., Classrooms]) -> None:
    here, there = opened(), opened()
    code = here.open(TEACHER)
    assert here.has_joined(code, TEACHER)
    assert not here.has_joined(code, PUPIL)
    here.join(code, PUPIL)
    assert there.has_joined(code, PUPIL)
    assert not there.has_joined(code, OTHER)


def test_the_first_answer_counts_and_a_repeat_is_harmless(
    opened: Callable[..., Classrooms],
) -> None:
    here, there = opened(), opened()
    code = here.open(TEACHER)
    here.steer(code, TEACHER, asked=CORNER, screen=3)
    here.answer(code, PUPIL, "corner", 1)
    version = here.seen(code).version
    there.answer(code, PUPIL, "corner", 0)
    assert there.seen(code).version == version, "a repeat changes nothing"
    there.answer(code, OTHER, "corner", 0)
    seen = here.seen(code)
    assert (seen.screen, seen.joined, seen.asked) == (3, 2, CORNER)
    assert seen.polls["corner"].counts == (1, 1)
    assert here.answers_of(code, PUPIL) == {"corner": 1}


def test_many_answers_at_once_are_all_kept(opened: Callable[..., Classrooms]) -> None:
    servers = [opened(), opened(), opened()]
    code = servers[0].open(TEACHER)
    servers[0].steer(code, TEACHER, asked=PATCHES)
    with ThreadPoolExecutor(12) as pool:
        done = [
            pool.submit(servers[n % 3].answer, code, f"{n:032}", "patches", n % 49)
            for n in range(40)
        ]
        assert [one.result() for one in done] == [None] * 40
    poll = servers[1].seen(code).polls["patches"]
    assert (poll.answered, sum(poll.counts)) == (40, 40)


def test_pupils_see_what_is_revealed_alone(classrooms: Classrooms) -> None:
    code = classrooms.open(TEACHER)
    classrooms.steer(code, TEACHER, asked=CORNER)
    classrooms.answer(code, PUPIL, "corner", 0)
    told = classrooms.seen(code).told(is_teacher=False)
    assert told["asked"]["right"] is None
    assert told["polls"]["corner"]["counts"] is None
    assert told["polls"]["corner"]["answered"] == 1
    assert classrooms.seen(code).told(is_teacher=True)["polls"]["corner"]["counts"] == [1, 0]
    classrooms.steer(code, TEACHER, reveal="corner")
    told = classrooms.seen(code).told(is_teacher=False)
    assert (told["asked"]["right"], told["polls"]["corner"]["counts"]) == (0, [1, 0])
    classrooms.steer(code, TEACHER, hide="corner")
    assert classrooms.seen(code).told(is_teacher=False)["revealed"] == []


def test_a_question_in_another_shape_loses_its_answers(classrooms: Classrooms) -> None:
    code = classrooms.open(TEACHER)
    classrooms.steer(code, TEACHER, asked=replace(CORNER, right=None))
    classrooms.answer(code, PUPIL, "corner", 1)
    classrooms.steer(code, TEACHER, asked=CORNER)
    assert classrooms.seen(code).polls["corner"].answered == 1
    classrooms.steer(code, TEACHER, asked=replace(CORNER, options=("a", "b", "c")))
    assert classrooms.seen(code).polls["corner"].counts == (0, 0, 0)


def test_a_story_that_comes_late_turns_nothing_back(classrooms: Classrooms) -> None:
    code = classrooms.open(TEACHER)
    classrooms.steer(code, TEACHER, screen=1, was=0)
    classrooms.steer(code, TEACHER, screen=11, asked=CORNER)
    classrooms.steer(code, TEACHER, screen=1, asked=None, link="digit=3", was=1)
    seen = classrooms.seen(code)
    assert (seen.screen, seen.asked, seen.link) == (11, CORNER, "digit=3")
    classrooms.steer(code, TEACHER, screen=12, was=11)
    assert classrooms.seen(code).screen == 12


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda rooms, code: rooms.steer(code, PUPIL, screen=2), "Only the teacher"),
        (lambda rooms, code: rooms.end(code, PUPIL), "Only the teacher"),
        (lambda rooms, code: rooms.csv(code, PUPIL), "Only the teacher"),
        (lambda rooms, code: rooms.pupils(code, PUPIL), "Only the teacher"),
        (lambda rooms, code: rooms.answer(code, TEACHER, "corner", 0), "You lead"),
        (lambda rooms, code: rooms.answer(code, PUPIL, "corner", 2), "no such answer"),
        (lambda rooms, code: rooms.answer(code, PUPIL, "corner", True), "no such answer"),
        (lambda rooms, code: rooms.answer(code, PUPIL, "corner", 10**400), "no such answer"),
        (lambda rooms, code: rooms.answer(code, PUPIL, "a\0\ud800", 0), "has not asked"),
        (lambda rooms, code: rooms.answer(code, PUPIL, ["corner"], 0), "has not asked"),
        (lambda rooms, code: rooms.steer(code, TEACHER, reveal="else"), "has not asked"),
        (lambda rooms, code: rooms.steer(code, TEACHER, screen=-1), "no such setting"),
        (lambda rooms, code: rooms.steer(code, TEACHER, link="javascript:<b>"), "no such setting"),
        (lambda rooms, code: rooms.steer(code, TEACHER, owner="me"), "no such setting"),
        (lambda rooms, code: rooms.steer(code, TEACHER, screen=1, was="x"), "no such setting"),
        (lambda rooms, code: rooms.steer(code, TEACHER, asked={"name": "a"}), "A question needs"),
        (lambda rooms, code: rooms.steer(code, TEACHER, asked=[[]]), "A question needs"),
        (lambda rooms, code: rooms.draw(code, PUPIL, bytes(784), 3), "no drawings now"),
        (lambda rooms, code: rooms.draw(code, PUPIL, bytes(783), 3), "A drawing needs"),
        (lambda rooms, code: rooms.join(code, PUPIL, 7), "A nickname"),
        (lambda rooms, code: rooms.admit(code, "no ticket"), "does not belong"),
        (lambda rooms, code: rooms.seen("AAA' or"), "has ended"),
    ],
)
def test_a_room_refuses_in_a_sentence(
    act: Callable[[Classrooms, str], object], sentence: str, classrooms: Classrooms
) -> None:
    code = classrooms.open(TEACHER)
    classrooms.steer(code, TEACHER, asked=CORNER)
    before = classrooms.seen(code)
    with pytest.raises(ClassroomError, match=sentence):
        act(classrooms, code)
    assert classrooms.seen(code) == before


def test_a_ticket_is_for_one_member_of_one_room(opened: Callable[..., Classrooms]) -> None:
    here, there = opened(), opened()
    code, other = here.open(TEACHER), here.open(TEACHER)
    ticket = here.ticket(code, PUPIL)
    assert PUPIL not in ticket
    assert there.admit(code, ticket) == there.member(code, PUPIL)
    assert there.admit(code, there.ticket(code, TEACHER)).is_teacher
    for forged in (
        ticket.replace(".pupil.", ".teacher."),
        ticket.replace(code, other),
        here.ticket(other, PUPIL),
    ):
        with pytest.raises(ClassroomError, match="does not belong"):
            there.admit(forged[:6], forged) if forged[:6] == code else there.admit(code, forged)


def test_wrong_codes_are_limited_and_then_right_ones_tell_nothing(classrooms: Classrooms) -> None:
    code = classrooms.open(TEACHER)
    assert not any(classrooms.find("AAAAAA", PUPIL, "1.2.3.4") for _ in range(10))
    with pytest.raises(ClassroomError, match="Wait a minute"):
        classrooms.find(code, PUPIL, "1.2.3.4")
    assert classrooms.find(f"{code[:3]} {code[3:].lower()}", OTHER, "1.2.3.4")
    for n in range(290):
        classrooms.find("AAAAAA", f"visitor {n}", "1.2.3.4")
    with pytest.raises(ClassroomError, match="Wait a minute"):
        classrooms.find(code, OTHER, "1.2.3.4")
    assert classrooms.find(code, OTHER, "5.6.7.8")


def test_a_server_has_so_many_rooms_pupils_answers_and_drawings(
    opened: Callable[..., Classrooms],
) -> None:
    classrooms = opened(classrooms=2, pupils=1, answers_a_minute=4, class_drawings=1)
    code = classrooms.open(TEACHER)
    classrooms.open(TEACHER)
    with pytest.raises(ClassroomError, match="has 2 open classes"):
        classrooms.open(OTHER)
    classrooms.steer(code, TEACHER, asked=CORNER, digits_open=True)
    classrooms.join(code, PUPIL, "Zoë\n")
    with pytest.raises(ClassroomError, match="is full: at most 1"):
        classrooms.join(code, OTHER)
    with pytest.raises(ClassroomError, match="is full: at most 1"):
        classrooms.answer(code, OTHER, "corner", 0)
    for _ in range(2):
        classrooms.draw(code, PUPIL, bytes([9]) * 784, 3)
    with pytest.raises(ClassroomError, match="has 1 drawings"):
        classrooms.draw(code, PUPIL, bytes([8]) * 784, 3)
    classrooms.answer(code, PUPIL, "corner", 0)
    with pytest.raises(ClassroomError, match="faster"):
        classrooms.answer(code, PUPIL, "corner", 0)
    (drawing,) = classrooms.drawings(code)
    assert (drawing.pixels, drawing.label, drawing.number) == (bytes([9]) * 784, 3, 0)


def test_who_is_there_and_what_was_answered_is_for_the_teacher(classrooms: Classrooms) -> None:
    code = classrooms.open(TEACHER)
    classrooms.steer(code, TEACHER, asked=PATCHES)
    classrooms.steer(code, TEACHER, asked=CORNER)
    classrooms.join(code, PUPIL, "=cmd")
    classrooms.join(code, OTHER)
    classrooms.beat({code: [classrooms.member(code, PUPIL).pupil]})
    classrooms.answer(code, PUPIL, "patches", 8)
    classrooms.answer(code, OTHER, "corner", 1)
    assert classrooms.seen(code).present == 1
    first, second = classrooms.pupils(code, TEACHER)
    assert (first.nickname, first.answered, first.is_present) == ("=cmd", 1, True)
    assert (second.nickname, second.is_present) == ("", False)
    classrooms.leave(code, PUPIL)
    assert classrooms.seen(code).present == 0
    lines = classrooms.csv(code, TEACHER).split("\r\n")
    assert lines[0] == "pupil,nickname,question,answer,right"
    assert lines[1] == '1,\'=cmd,Click where.,"row 2, column 2",'
    assert lines[2] == "2,,Where does it look?,'=1+1,no"


def test_a_room_ends_after_a_day_with_all_that_is_in_it(classrooms: Classrooms, url: str) -> None:
    code = classrooms.open(TEACHER)
    classrooms.steer(code, TEACHER, asked=CORNER)
    classrooms.answer(code, PUPIL, "corner", 0)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(update(rooms).values(created=rooms.c.created - 86_401))
    assert not classrooms.find(code, PUPIL)
    with pytest.raises(ClassroomError, match="has ended") as caught:
        classrooms.answer(code, OTHER, "corner", 0)
    assert caught.value.has_ended
    classrooms.clean()
    with engine.connect() as connection:
        left = [connection.execute(text(f"select count(*) from {t.name}")).scalar() for t in ALL]
    engine.dispose()
    assert left == [0] * len(ALL)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "not set up"),
        ("redis://here", "not set up"),
        ("sqlite:////no/such/folder/x.sqlite", "cannot be reached"),
        ("postgresql+psycopg://a:secret@127.0.0.1:1/x", "cannot be reached"),
    ],
)
def test_a_wrong_or_dead_database_is_a_sentence(
    url: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ClassroomError, match=sentence):
        Classrooms(url, load_limits()).open(TEACHER)
    assert "secret" not in capsys.readouterr().err


def test_tries_are_forgotten_with_time() -> None:
    now = [0.0]
    tries = Tries(2, seconds=10, clock=lambda: now[0])
    tries.add("a")
    now[0] = 5
    tries.add("a")
    assert tries.are_used_up("a")
    assert not tries.are_used_up("b")
    now[0] = 10
    assert not tries.are_used_up("a")
