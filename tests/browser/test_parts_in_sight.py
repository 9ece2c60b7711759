"""A page draws what is near the window; a choice draws it again, and the rest when one scrolls."""

import re
from collections.abc import Iterator

import pytest
from browser_helpers import PATIENCE, Visit
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(browser: Browser, app: str) -> Iterator[Visit]:
    """A visitor whose window decides what is drawn, as that of all but the other tests does."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    one = Visit(context.new_page(), app)
    yield one
    one.check()
    context.close()


def rooms(page: Page) -> int:
    return page.locator(".room").count()


def scroll_to_what_is_not_drawn(page: Page) -> None:
    """Scroll on to the next part that is not drawn yet, until all are."""
    while left := rooms(page):
        page.evaluate("document.querySelector('.room')?.scrollIntoView()")
        page.wait_for_function("(n) => document.querySelectorAll('.room').length < n", arg=left)


def part_about(page: Page, text: str) -> Locator:
    return page.locator("[class*='st-key-part-']").filter(has_text=text)


def open_page(visit: Visit, address: str) -> None:
    visit.page.goto(f"{visit.url}/{address}")
    visit.page.wait_for_selector("[data-test-script-state='notRunning']")
    visit.page.wait_for_selector(".st-key-part-questions h2, .st-key-part-questions .room")


def test_parts_far_below_are_drawn_when_one_scrolls_to_them(visit: Visit) -> None:
    page = visit.page
    open_page(visit, "encoder-block")
    assert rooms(page) > 0
    titles = page.locator("[data-testid=stHeading] h2").all_inner_texts()
    scroll_to_what_is_not_drawn(page)
    assert page.locator("[data-testid=stHeading] h2").all_inner_texts() == titles


def test_a_choice_draws_what_is_in_sight_again_and_its_own_part_first(visit: Visit) -> None:
    page, paths = visit.page, []

    def note(frame: str | bytes) -> None:
        message = ForwardMsg.FromString(frame if isinstance(frame, bytes) else frame.encode())
        if message.WhichOneof("type") == "delta":
            paths.append(tuple(message.metadata.delta_path)[:3])  # of a container of the page

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    open_page(visit, "self-attention")
    page.wait_for_timeout(500)  # until what is near was asked for and has come
    paths.clear()
    before = rooms(page)
    page.locator(".cells button").nth(24).click()
    page.wait_for_url("**query=**")
    page.wait_for_timeout(1500)
    expect(page.locator("[data-test-script-state='notRunning']")).to_be_visible()
    seen = list(dict.fromkeys(paths))
    assert 2 <= len(seen) <= 8  # a few of the page's containers, not the sidebar or the far parts
    assert rooms(page) == before


def test_what_was_far_at_a_choice_shows_it_when_it_comes_near(visit: Visit) -> None:
    page = visit.page
    open_page(visit, "self-attention")
    scroll_to_what_is_not_drawn(page)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    page.locator(".cells button").nth(24).click()
    page.wait_for_url("**query=**")
    last = part_about(page, "patch ").last
    place = last.get_attribute("class")
    last.scroll_into_view_if_needed()
    # 24 patches come before it: row 4, column 4
    expect(part_about(page, "patch 4, 4").last).to_have_class(place)


class HeldLine:
    """The line between a page and the server, which keeps all back for a while."""

    def __init__(self, page: Page) -> None:
        self.holds = False
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        page.route_web_socket(re.compile("/_stcore/stream"), self.join)

    def join(self, line: WebSocketRoute) -> None:
        self.page, self.server = line, line.connect_to_server()
        self.page.on_message(
            lambda message: self.up.append(message) if self.holds else self.server.send(message)
        )
        self.server.on_message(
            lambda message: self.down.append(message) if self.holds else self.page.send(message)
        )

    def parts_asked(self) -> list[bool]:
        """Return of each request that is kept back whether it is for a part of the page."""
        asked = [BackMsg.FromString(message).rerun_script for message in self.up]
        return [bool(one.fragment_id) for one in asked]

    def release(self) -> None:
        """Let all that was kept back reach the server, and then what it answers the page."""
        for message in self.up:
            self.server.send(message)
        self.holds = False
        for message in self.down:
            self.page.send(message)


def test_a_part_that_is_asked_for_while_a_link_is_followed_does_not_empty_the_new_page(
    visit: Visit,
) -> None:
    page = visit.page
    line = HeldLine(page)
    open_page(visit, "self-attention?source=untrained")
    expect(page.locator(".room").last).to_be_attached()
    line.holds = True
    page.get_by_role("link", name="Multi-head", exact=True).first.click()
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 1e6)")
    while line.parts_asked() != [False, True]:
        page.wait_for_timeout(20)
    line.release()
    title = page.get_by_role("heading", name="Multi-head attention", exact=True)
    expect(title).to_be_visible()
    page.locator(".main .cell").nth(12).click()  # the page is there, and answers
    page.wait_for_url("**query=*")
    expect(title).to_be_visible()
