"""All pages in a row, with a digit of one's own; and each page is what its link says."""

import re
from collections.abc import Callable, Sequence
from time import monotonic

import pytest
from browser_helpers import PATIENCE, Visit
from playwright.sync_api import Page, expect

from explainer.shell.routes import PIPELINE, TITLES, WALK, address

pytestmark = pytest.mark.browser

UNTRAINED = "source=untrained&patches=4&width=32&heads=2&depth=3&position=sincos&seed=5"
PLACE = "digit=3&index=5&query=12&block=1&head=1"
# all that a page says, also inside of its components; charts come when they are ready
WORDS = """() => {
  const APART = 'style, script, .stPlotlyChart';
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent.trim();
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(APART)) return '';
    const inside = node.shadowRoot ? [...node.shadowRoot.childNodes] : [...node.childNodes];
    return inside.map(read).filter(Boolean).join(' ');
  };
  return read(document.querySelector('[data-testid=stMain]'));
}"""


def draw_a_one(page: Page) -> None:
    """Draw a stroke from top to bottom on Home's pad."""
    pad = page.get_by_role("application", name="Drawing pad")
    pad.wait_for()
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    across = box["x"] + box["width"] / 2
    page.mouse.move(across, box["y"] + 0.15 * box["height"])
    page.mouse.down()
    page.mouse.move(across, box["y"] + 0.85 * box["height"], steps=8)
    page.mouse.up()
    page.wait_for_url("**picture=*")


def test_a_newcomer_walks_through_all_pages_with_an_own_digit(
    visit: Callable[..., Visit],
) -> None:
    walk = visit()
    walk.open()
    draw_a_one(walk.page)
    walk.settle()
    top_bar(walk.page, PIPELINE[0])
    for number in range(1, len(PIPELINE) + 1):
        expect(walk.page.locator(".st-key-page-number")).to_have_text(
            f"Page {number} of {len(PIPELINE)}"
        )
        walk.settle()
        assert "picture=" in walk.link()
        walk.check()
        walk.page.locator(".st-key-neighbours a").last.press("Enter")
    expect(walk.page.locator(".st-key-page-number")).to_have_count(0)
    expect(walk.page).to_have_url(re.compile("picture="))


def top_bar(page: Page, view: str) -> None:
    """Go to a page by the bar at the top."""
    link = page.get_by_test_id("stTopNavLinkContainer").get_by_text(TITLES[view], exact=True)
    link.click()


def stage(page: Page, view: str) -> None:
    """Go to a page by its stage on Home, with the keyboard; what is none has the bar."""
    if view in ("learning", "look_inside"):
        top_bar(page, view)
        return
    if page.locator(".st-key-page-number").count():
        top_bar(page, "home")
    page.locator(f".home .labels a[href^='./{address(view)}?']").press("Enter")


def check_the_sidebar(page: Page) -> None:
    """Fail unless the sidebar shows the model of ``UNTRAINED`` and the digit of ``PLACE``."""
    sidebar = page.get_by_test_id("stSidebar")
    for label, value in (
        ("Patches per side", "4"),
        ("Embedding width", "32"),
        ("Attention heads", "2"),
        ("Encoder blocks", "3"),
    ):
        expect(sidebar.get_by_role("slider", name=label)).to_have_attribute("aria-valuetext", value)
    for label in ("Seed", re.compile("Test image of a 3")):
        expect(sidebar.get_by_role("spinbutton", name=label)).to_have_value("5")


def assert_same_words(one: Page, other: Page) -> None:
    """Fail unless two pages say the same once their components are drawn."""
    end = monotonic() + PATIENCE / 1000
    said = one.evaluate(WORDS), other.evaluate(WORDS)
    while said[0] != said[1] and monotonic() < end:
        one.wait_for_timeout(50)
        said = one.evaluate(WORDS), other.evaluate(WORDS)
    assert len(said[0]) > 500
    assert said[0].split() == said[1].split()


@pytest.mark.parametrize(
    ("source", "go", "views"),
    [
        ("source=default", top_bar, PIPELINE[::2]),
        ("source=best", top_bar, PIPELINE[1::2]),
        (UNTRAINED, stage, WALK),
    ],
    ids=["default", "best", "untrained"],
)
def test_a_page_that_was_walked_to_is_the_same_when_it_is_opened_by_its_link(
    visit: Callable[..., Visit],
    subtests: pytest.Subtests,
    source: str,
    go: Callable[[Page, str], None],
    views: Sequence[str],
) -> None:
    walker, friend = visit(), visit()
    walker.open(f"?{source}&{PLACE}")
    kept = [part for part in f"{source}&{PLACE}".split("&") if part != "source=default"]
    for view in views:
        with subtests.test(view):
            if view != "home":
                go(walker.page, view)
                walker.page.wait_for_url(f"**/{address(view)}?*")
                expect(walker.page.locator(".st-key-page-number")).to_have_text(
                    f"Page {WALK.index(view)} of {len(PIPELINE)}"
                )
            walker.settle()
            link = walker.link()
            assert [part for part in kept if part not in link] == []
            friend.open(link)
            assert_same_words(walker.page, friend.page)
            assert friend.link() == link
            if source == UNTRAINED:
                check_the_sidebar(friend.page)
    top_bar(walker.page, "train")
    walker.page.wait_for_url("**/train?*")
    walker.settle()
    top_bar(walker.page, "home")
    walker.page.wait_for_url(f"{walker.url}/?*")
    walker.settle()
    assert [part for part in kept if part not in walker.link()] == []
