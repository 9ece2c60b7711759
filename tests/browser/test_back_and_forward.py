"""Back, Forward and reload lead where a visitor expects, and every page is opened at its title."""

from collections.abc import Callable

import pytest
from browser_helpers import Visit, is_end_of_run
from playwright.sync_api import Page, expect

from explainer.shell.routes import TITLES, address

pytestmark = pytest.mark.browser

TOP = "() => Math.round(document.querySelector('[data-testid=stMain]').scrollTop)"
# a page that still grows is not long enough at once
SCROLL = """(top) => {
  const main = document.querySelector('[data-testid=stMain]');
  main.scrollTop = top;
  return main.scrollTop === top;
}"""

# keeps what the story does 800 ms after a turn for ``late``, in place of the browser's clock
LATE = """
  globalThis.late = [];
  const usual = setTimeout;
  globalThis.setTimeout = (act, pause, ...values) =>
    pause === 800 ? -late.push(act) : usual(act, pause, ...values);
"""


def turn_by_bar(visit: Visit, view: str) -> None:
    """Go to a page by the bar at the top."""
    visit.page.get_by_test_id("stTopNavLinkContainer").get_by_text(TITLES[view], exact=True).click()
    arrive(visit, view)


def arrive(visit: Visit, view: str) -> None:
    """Wait for a page whose title has the keyboard's focus."""
    visit.page.wait_for_url(f"**/{address(view)}*")
    expect(visit.page.locator(f".st-key-page-{view} h1")).to_be_focused()
    visit.settle()


def choose_block(page: Page, number: int) -> None:
    blocks = page.locator(".st-key-block")
    blocks.get_by_role("radio", name=str(number), exact=True).click()
    page.wait_for_url(f"**block={number - 1}*")


def entries(page: Page) -> int:
    """Return how many entries of a tab's history are this visit's.

    ``history.length`` also counts those of the visits before in the same tab, and ends at 50.
    """
    return page.evaluate("navigation.entries().length")


def test_back_leads_to_the_page_before_and_forward_to_the_one_after(
    visit: Callable[..., Visit],
) -> None:
    walk = visit()
    page = walk.page
    walk.open("multi-head?digit=3")
    before = entries(page)
    choose_block(page, 2)
    choose_block(page, 3)
    assert entries(page) == before, "a choice is no step of the history"
    turn_by_bar(walk, "encoder_block")
    assert entries(page) == before + 1
    assert walk.link() == "encoder-block?digit=3&block=2"
    choose_block(page, 4)
    page.go_back()
    arrive(walk, "multi_head")
    assert walk.link() == "multi-head?digit=3&block=2"
    expect(page.locator(".st-key-block").get_by_role("radio", name="3")).to_be_checked()
    page.go_forward()
    arrive(walk, "encoder_block")
    assert walk.link() == "encoder-block?digit=3&block=3"
    expect(page.locator(".st-key-block").get_by_role("radio", name="4")).to_be_checked()
    page.reload()
    walk.settle()
    assert walk.link() == "encoder-block?digit=3&block=3"
    page.go_back()
    arrive(walk, "multi_head")
    assert walk.link() == "multi-head?digit=3&block=2"
    assert entries(page) == before + 1


def test_back_takes_the_model_and_the_picture_of_then(visit: Callable[..., Visit]) -> None:
    walk = visit()
    walk.open("patches?source=fast&digit=5")
    turn_by_bar(walk, "position")
    picker = walk.page.get_by_test_id("stSidebar").get_by_role("combobox", name="Model")
    expect(picker).to_have_value("Fast, trained")
    picker.click()
    walk.page.get_by_role("option", name="Default, trained").click()
    walk.page.wait_for_function("() => !location.search.includes('source')")
    walk.page.go_back()
    arrive(walk, "patches")
    assert walk.link() == "patches?source=fast&digit=5"
    expect(picker).to_have_value("Fast, trained")


def test_a_page_opens_at_its_title_and_is_found_again_as_it_was_left(
    visit: Callable[..., Visit],
) -> None:
    walk = visit()
    page = walk.page
    walk.open("position")
    page.wait_for_function(SCROLL, arg=900)
    turn_by_bar(walk, "multi_head")
    page.wait_for_function(f"() => ({TOP})() === 0")
    page.wait_for_function(SCROLL, arg=1200)
    turn_by_bar(walk, "position")
    page.wait_for_function(f"() => ({TOP})() === 900")
    page.go_back()
    arrive(walk, "multi_head")
    page.wait_for_function(f"() => ({TOP})() === 1200")
    turn_by_bar(walk, "encoder_block")
    page.wait_for_function(f"() => ({TOP})() === 0")


def test_what_the_story_says_after_it_was_left_breaks_no_page(visit: Callable[..., Visit]) -> None:
    walk = visit()
    walk.run_first(LATE)
    walk.open("story")
    expect(walk.page.locator(".story[data-screen]")).to_be_visible()
    walk.page.keyboard.press("PageDown")
    walk.page.wait_for_function("late.length > 0")
    turn_by_bar(walk, "patches")
    with walk.socket.expect_event("framereceived", is_end_of_run):
        assert walk.page.evaluate("late.splice(0).map((act) => act()).length")
    expect(walk.page.locator(".st-key-page-patches h1")).to_be_visible()


def test_back_to_the_story_before_the_next_page_has_come_is_heard(
    visit: Callable[..., Visit],
) -> None:
    """The story turns its screens without the server, and must not take this for a turn."""
    walk = visit()
    walk.open("story")
    # Streamlit's own listener hears it if this one, which comes after the story's, does
    walk.page.evaluate("""() => {
      addEventListener("popstate", () => (globalThis.isHeard = true), { once: true });
      history.pushState(null, "", "patches");
      history.back();
    }""")
    walk.page.wait_for_function("location.pathname.endsWith('/story')")
    assert walk.page.evaluate("globalThis.isHeard === true")
    walk.settle()
