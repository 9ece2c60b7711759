"""The story in the room of a class: a teacher and two pupils, each in a browser of their own."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from browser_helpers import Visit, wait_until
from playwright.sync_api import Locator, Page, WebSocketRoute, expect
from story_helpers import at

from explainer.classroom import FILE
from explainer.classroom.store import Classrooms
from explainer.content import load_texts
from explainer.shell.story_screens import ORDER
from explainer.training.limits import load_limits
from explainer.training.visitor import COOKIE

pytestmark = pytest.mark.browser

TEXTS = load_texts("room_story")["frame"]
NO_ROOM = "AAAAAA"
TEACHER = "teacher-of-this-class-0123456789"  # a visitor's secret
# what a browser was told over the lines of rooms
NOTE_LINES = """
  globalThis.lines = [];
  const Socket = WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(address, protocols) {
      super(address, protocols);
      if (!String(address).includes("/classroom/")) return;
      this.addEventListener("message", ({ data }) => lines.push(data));
      (globalThis.sockets ??= []).push(this);
    }
  };
"""


@pytest.fixture
def classrooms(
    visit: Callable[..., Visit], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Classrooms]:
    """The rooms of the app's server, beside its runs."""
    visit().open(f"story?room={NO_ROOM}")  # whose first visitor has the server make its file
    (file,) = tmp_path_factory.getbasetemp().glob(f"elsewhere[0-9]*/runs/{FILE}")
    rooms = Classrooms(f"sqlite:///{file}", load_limits())
    yield rooms
    rooms.close()


@pytest.fixture
def room(classrooms: Classrooms) -> Iterator[str]:
    code = classrooms.open(TEACHER)
    yield code
    if classrooms.find(code, TEACHER):
        classrooms.end(code, TEACHER)


@pytest.fixture
def teach(visit: Callable[..., Visit], room: str) -> Callable[..., Page]:
    """Return an opener of the teacher's story."""

    def teach(link: str, **window) -> Page:
        visitor = known_as_teacher(visit(**window))
        visitor.open(f"story?{link}&room={room}")
        expect(bar(visitor.page)).to_be_visible()
        expect(button(visitor.page, "free")).to_be_enabled()
        return visitor.page

    return teach


@pytest.fixture
def learn(visit: Callable[..., Visit], room: str) -> Callable[..., Page]:
    """Return an opener of a pupil's story."""

    def learn(link: str = "", **window) -> Page:
        visitor = visit(**window)
        visitor.run_first(NOTE_LINES)
        visitor.open(f"story?{link}room={room}")
        expect(bar(visitor.page)).to_be_visible()
        return visitor.page

    return learn


def known_as_teacher(visitor: Visit) -> Visit:
    """Return a visitor whose browser has the secret of the teacher."""
    cookie = {"name": COOKIE, "value": TEACHER, "url": visitor.url}
    visitor.page.context.add_cookies([cookie])
    return visitor


def bar(page: Page) -> Locator:
    return page.locator(".story .room-bar")


def button(page: Page, name: str) -> Locator:
    return bar(page).get_by_role("button", name=TEXTS[name], exact=True)


def number(name: str) -> int:
    return ORDER.index(name) + 1


def told(page: Page) -> str:
    """Return all that a pupil's browser was told over the line."""
    return "\n".join(page.evaluate("lines"))


class HeldLine:
    """The line of a page to its room, which from the page's first change on holds all messages.

    Attributes:
        said, heard: the messages to and from the room that are held.
    """

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        self.heard: list[str] = []
        self._is_held = False
        page.route_web_socket(re.compile("/classroom/"), self._open)

    def _open(self, page: WebSocketRoute) -> None:
        self._page, self._room = page, page.connect_to_server()
        page.on_message(self._say)
        self._room.on_message(self._hear)

    def _say(self, text: str) -> None:
        self._is_held = self._is_held or json.loads(text).get("do") == "steer"
        if self._is_held:
            self.said.append(text)
        else:
            self._room.send(text)

    def _hear(self, text: str) -> None:
        if self._is_held:
            self.heard.append(text)
        else:
            self._page.send(text)

    def let_room_hear(self) -> None:
        for text in self.said:
            self._room.send(text)

    def release(self) -> None:
        self._is_held = False
        for text in self.heard:
            self._page.send(text)


def test_a_class_follows_answers_and_sees_what_all_have_said(teach, learn):
    teacher = teach(f"digit=3&screen={number('extra_row')}")
    one, other = learn(), learn()
    for pupil in (one, other):
        at(pupil, "extra_row")
        pupil.wait_for_url(re.compile("digit=3"))
        expect(bar(pupil)).to_contain_text(TEXTS["led"])
        expect(pupil.locator(".option").first).to_be_enabled()
        expect(pupil.locator(".story .next")).to_be_disabled()
    one.locator(".option").first.click()
    expect(one.locator(".waiting")).to_contain_text("1 of 2")
    other.locator(".option").nth(1).click()
    expect(bar(teacher)).to_contain_text("2 of 2 have answered")
    expect(one.locator(".waiting")).to_contain_text("2 of 2")
    # nothing is said yet: neither on the page nor over the line
    assert one.locator(".verdict").count() == 0
    for line in told(one).splitlines():
        seen = json.loads(line).get("seen") or {}
        assert (seen.get("asked") or {}).get("right") is None
        assert not any(poll["counts"] for poll in seen.get("polls", {}).values())
    button(teacher, "reveal").click()
    for page in (teacher, one, other):
        expect(page.locator(".poll-bars li")).to_have_count(2)
        expect(page.locator(".verdict")).to_be_visible()
        expect(page.locator(".proof")).to_have_class(re.compile("shown"))
    said = one.locator(".poll-bars .spoken")
    expect(said.first).to_have_text(re.compile("^1 of 2 said: .*, your answer$"))
    expect(said.nth(1)).to_have_text(re.compile("^1 of 2 said: .*, right$"))
    button(teacher, "hide").click()
    expect(one.locator(".poll-bars")).to_have_count(0)
    # a place of the picture, while the teacher presents
    teacher.keyboard.press("p")
    teacher.keyboard.press("PageDown")
    at(one, "position")
    teacher.keyboard.press("PageDown")
    at(one, "attention")
    at(other, "attention")
    expect(bar(teacher)).to_contain_text("0 of 2 have answered")
    one.locator("button.patch").nth(9).click()
    expect(bar(teacher)).to_contain_text("1 of 2 have answered")
    teacher.keyboard.press("r")
    for page in (teacher, one, other):  # who has not answered sees it, too
        expect(page.locator(".poll .clicks .patch")).to_have_count(49)
        expect(page.locator(".verdict")).to_be_visible()
    expect(one.locator(".poll-words li").first).to_have_text(
        re.compile("^1 of 1 said: row 2, column 3")
    )
    # everybody may turn, until all are brought back
    one.keyboard.press("PageDown")
    at(one, "attention")
    teacher.keyboard.press("g")
    expect(bar(one)).to_contain_text(TEXTS["free_here"])
    one.keyboard.press("PageDown")
    at(one, "heads")
    teacher.keyboard.press("g")
    at(one, "attention")
    # after a reload, and late, the class is where the teacher is
    one.reload()
    at(one, "attention")
    expect(one.locator(".poll .clicks .patch")).to_have_count(49)
    late = learn(f"screen={number('loss')}&")
    at(late, "attention")
    late.wait_for_url(re.compile("digit=3"))


def test_what_was_answered_alone_is_not_the_rooms_answer(visit, teach, learn, classrooms, room):
    link = f"digit=3&screen={number('loss')}"
    visitor = visit()
    page = visitor.page
    visitor.open(f"story?{link}")
    page.locator(".option").first.click()
    expect(page.locator(".verdict")).to_be_visible()
    teacher = teach(link)
    visitor.open(f"story?{link}&room={room}")
    expect(page.locator(".option").nth(1)).to_be_enabled()
    assert page.locator(".verdict").count() == 0
    page.locator(".option").nth(1).click()
    expect(bar(teacher)).to_contain_text("1 of 1 have answered")
    # the room ends: one sentence, and both answers are kept
    classrooms.end(room, TEACHER)
    expect(page.locator(".room-note")).to_be_visible()
    expect(bar(page)).to_have_count(0)
    page.wait_for_url(lambda url: "room=" not in url)
    expect(page.locator(".verdict")).to_be_visible()
    page.keyboard.press("PageDown")
    at(page, "step")


def test_a_line_that_breaks_comes_back_and_leaves_nothing_behind(teach, learn):
    teacher = teach(f"digit=3&screen={number('loss')}")
    pupil = learn()
    at(pupil, "loss")
    expect(pupil.locator(".option").first).to_be_enabled()
    pupil.evaluate("sockets.at(-1).close()")
    pupil.locator(".option").first.click()
    expect(bar(teacher)).to_contain_text("1 of 1 have answered")
    expect(bar(pupil).locator(".connection")).to_have_text("")
    pupil.get_by_test_id("stTopNavLinkContainer").get_by_text("Patches", exact=True).click()
    pupil.wait_for_url("**/patches*")
    pupil.wait_for_function("sockets.every((one) => one.readyState === WebSocket.CLOSED)")
    assert "room=" in pupil.url
    teacher.keyboard.press("PageDown")
    at(teacher, "step")


def test_a_story_that_speaks_late_does_not_turn_the_class_back(
    visit: Callable[..., Visit], classrooms: Classrooms, room: str
) -> None:
    """The teacher opens the story, and turns on the page of the class before the story's line."""
    classrooms.steer(room, TEACHER, screen=number("extra_row"))
    visitor = known_as_teacher(visit())
    visitor.open(f"room?room={room}")
    console = visitor.page.locator(".console")
    expect(console.locator("select")).to_have_value(str(number("extra_row")))
    story = visitor.page.context.new_page()
    line = HeldLine(story)
    story.goto(f"{visitor.url}/story?room={room}&screen={number('extra_row')}")
    wait_until(story, lambda: line.said)
    console.locator("select").select_option(str(number("loss")))
    wait_until(story, lambda: classrooms.seen(room).screen == number("loss"))
    line.let_room_hear()
    wait_until(story, lambda: any(json.loads(text).get("ok") for text in line.heard))
    assert classrooms.seen(room).screen == number("loss")
    line.release()
    at(story, "loss")
    expect(console.locator("select")).to_have_value(str(number("loss")))
