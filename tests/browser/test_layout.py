"""Pages stand still while they open, and nothing is cut where a window is small or enlarged."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import Route, expect

from explainer.content import load_texts
from explainer.shell.routes import TITLES, UNLISTED, VIEWS, address

pytestmark = pytest.mark.browser

MOST_SHIFT = 0.1  # what counts as good, of the sum over all that moves without being touched
WATCH = """
  globalThis.shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
"""
# when the page is shown: whether letters are on their way, and for how long its title was there
OPENED = """
  let began;
  const look = () => {
    if (document.querySelector('[class*=st-key-page-] h1')) began ??= performance.now();
    if (!document.documentElement.classList.contains('is-open')) return requestAnimationFrame(look);
    globalThis.opened = { letters: document.fonts.status, waited: performance.now() - began };
  };
  requestAnimationFrame(look);
"""
# something in the place of the page's own style, which does not come
NO_STYLE = """
  const held = document.createElement('div');
  held.dataset.testid = 'stSkeleton';
  const hold = () => {
    const place = document.querySelector('[data-testid=stEvent]');
    if (!place) return requestAnimationFrame(hold);
    place.append(held);
  };
  requestAnimationFrame(hold);
"""
# buttons and links of the page whose text or box is cut off, or lies outside of the window
CUT = """() => [...document.querySelectorAll('[data-testid=stMain] :is(button, a)')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.textContent.trim())
  .filter((one) => {
    const { left, right, width } = one.getBoundingClientRect();
    // the sign that a button opens something reaches over its end by a few pixels
    return width && (left < -1 || right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 8);
  })
  .map((one) => one.textContent.trim())"""


def path_of(view: str) -> str:
    return "" if view == "home" else address(view)


def shifted(one: Visit) -> float:
    """Return by how much the parts of a page have moved until it was there, which it waits for."""
    one.page.wait_for_function("() => document.documentElement.classList.contains('is-open')")
    one.page.wait_for_load_state("networkidle")
    return one.page.evaluate("shifts")


# on a telephone's width test_accessibility.py looks at it
@pytest.mark.parametrize("view", VIEWS)
def test_a_page_stands_still_while_it_opens(visit: Callable[..., Visit], view: str) -> None:
    one = visit(1440)
    one.run_first(WATCH)
    one.open(path_of(view))
    assert shifted(one) <= MOST_SHIFT


def test_a_page_is_not_shown_before_its_letters(visit: Callable[..., Visit]) -> None:
    one = visit(390)
    one.run_first(OPENED)
    held: list[Route] = []
    one.page.route("**/*.woff2", lambda route: held.append(route))
    one.page.goto(f"{one.url}/story", wait_until="commit")
    one.page.locator("[class*=st-key-page-] h1").wait_for()
    one.page.wait_for_function("document.fonts.status === 'loading'")
    for letters in held:
        letters.continue_()
    one.settle()
    opened = one.page.wait_for_function("globalThis.opened").json_value()
    assert opened["letters"] == "loaded" or opened["waited"] > 1900


def test_a_page_is_not_shown_before_its_style(visit: Callable[..., Visit]) -> None:
    """React may show a page's title a moment before the style that came ahead of it."""
    one = visit(1440)
    one.run_first(NO_STYLE)
    one.run_first(OPENED)
    one.page.goto(f"{one.url}/story", wait_until="commit")
    opened = one.page.wait_for_function("globalThis.opened").json_value()
    assert opened["waited"] > 1900


def test_a_story_is_seen_no_sooner_than_its_first_screen(visit: Callable[..., Visit]) -> None:
    """Its rows have other heights before."""
    one = visit(390)
    one.open("story")
    story = one.page.locator(".story")
    expect(story).to_have_css("visibility", "visible")
    story.evaluate("(story) => delete story.dataset.screen")
    expect(story).to_have_css("visibility", "hidden")


def test_a_page_stands_still_where_the_code_of_its_links_comes_late(
    visit: Callable[..., Visit],
) -> None:
    one = visit(390)
    one.run_first(WATCH)
    held: list[Route] = []
    one.page.route(re.compile(r"/(PageLink|Checkbox)\..*js$"), lambda route: held.append(route))
    one.page.goto(f"{one.url}/patches", wait_until="commit")
    one.page.locator("html.is-open").wait_for(state="attached")
    for code in held:
        code.continue_()
    one.settle()
    expect(one.page.locator(".st-key-quiet-row").get_by_role("link")).to_have_count(2)
    assert one.page.evaluate("shifts") <= MOST_SHIFT / 5


@pytest.mark.parametrize("width", [1440, 390])
def test_what_follows_the_words_is_out_of_sight_until_they_are_there(
    visit: Callable[..., Visit], width: int
) -> None:
    one = visit(width)
    one.open(path_of("glossary"))
    one.page.locator(".words").evaluate("(words) => words.remove()")
    following = one.page.get_by_role("heading", name=load_texts("glossary")["symbols_title"])
    expect(following).not_to_be_in_viewport()


@pytest.mark.parametrize("width", [768, 1024, 1440])
def test_homes_ways_on_end_above_its_stages(visit: Callable[..., Visit], width: int) -> None:
    one = visit(width)
    one.open()
    ways = one.page.locator(".home .actions > *")
    expect(ways.last).to_be_visible()
    boxes = [box for way in ways.all() if (box := way.bounding_box())]
    lowest = max(box["y"] + box["height"] for box in boxes)
    assert lowest <= one.page.locator(".home .stages").bounding_box()["y"]


def test_the_bar_at_the_top_shows_all_its_pages_beside_the_sidebar(
    visit: Callable[..., Visit],
) -> None:
    one = visit(1440)
    one.open(path_of("position"))
    expect(one.page.get_by_test_id("stSidebar")).to_be_in_viewport()
    bar = one.page.get_by_test_id("stTopNavLinkContainer")
    for view in VIEWS:
        if view not in UNLISTED:
            expect(bar.get_by_role("link", name=TITLES[view], exact=True)).to_be_in_viewport()


def test_what_opens_the_sidebar_says_so(visit: Callable[..., Visit]) -> None:
    phone = visit(390)
    phone.open("position")
    label = load_texts("sidebar")["open"]
    opener = phone.page.get_by_test_id("stExpandSidebarButton")
    shown = opener.evaluate("(one) => getComputedStyle(one, '::after').content")
    assert shown == f'"{label}"'
    opener.click()
    expect(phone.page.get_by_test_id("stSidebar")).to_be_in_viewport()
    expect(phone.page.get_by_role("combobox", name="Model")).to_be_visible()


def test_a_map_of_signed_numbers_follows_the_theme(visit: Callable[..., Visit]) -> None:
    one = visit(scheme="dark")
    one.open("position")
    drawn = one.page.locator("img.signed").first
    expect(drawn).to_have_css("filter", "invert(1) hue-rotate(180deg)")
    one.change_scheme("light")
    expect(drawn).to_have_css("filter", "none")
