"""A page draws what is near the window; a choice draws it again, and the rest when one scrolls."""

from collections.abc import Iterator

import pytest
from browser_helpers import PATIENCE, Visit
from playwright.sync_api import Browser, Page, expect
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


def scroll_through(page: Page) -> None:
    page.mouse.move(700, 500)
    for _ in range(40):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(60)


def open_page(visit: Visit, address: str) -> None:
    visit.page.goto(f"{visit.url}/{address}")
    visit.page.wait_for_selector("[data-test-script-state='notRunning']")
    visit.page.wait_for_selector(".st-key-part-questions h2, .st-key-part-questions .room")


def test_parts_far_below_are_drawn_when_one_scrolls_to_them(visit: Visit) -> None:
    page = visit.page
    open_page(visit, "encoder-block")
    assert rooms(page) > 0
    titles = page.locator("[data-testid=stHeading] h2").all_inner_texts()
    scroll_through(page)
    expect(page.locator(".room")).to_have_count(0)
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
    scroll_through(page)
    expect(page.locator(".room")).to_have_count(0)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    page.locator(".cells button").nth(24).click()
    page.wait_for_url("**query=**")
    scroll_through(page)
    # 24 patches come before it: row 4, column 4
    expect(
        page.locator("[class*='st-key-part-']").filter(has_text="patch 4, 4").last
    ).to_be_visible()
