"""All eight pages in a row, as a newcomer walks them: guided, with a digit of their own."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from explainer.content import load_texts
from explainer.shell.routes import PIPELINE, address

pytestmark = pytest.mark.browser

PAGES = list(PIPELINE)
PATIENCE = 60_000  # milliseconds, on a machine that is busy with other things
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
    """Draw a stroke from top to bottom on the pad."""
    page.get_by_role("radio", name="Draw", exact=True).click()
    pad = page.get_by_role("application", name="Drawing pad")
    pad.wait_for(timeout=PATIENCE)
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    across = box["x"] + box["width"] / 2
    page.mouse.move(across, box["y"] + 0.15 * box["height"])
    page.mouse.down()
    page.mouse.move(across, box["y"] + 0.85 * box["height"], steps=8)
    page.mouse.up()
    page.wait_for_url("**picture=*", timeout=PATIENCE)


def test_a_newcomer_walks_through_all_pages_with_an_own_digit(visit: Callable):
    walk = visit()
    walk.open()
    draw_a_one(walk.page)
    walk.settle()
    walk.page.get_by_role("button", name="Start the guided walk").click()
    onward = walk.page.locator(".st-key-guide-next button")
    for number, view in enumerate(PAGES, start=1):
        expect(walk.page.locator(".page-number")).to_have_text(
            f"Page {number} of {len(PAGES)}", timeout=PATIENCE
        )
        steps = len(load_texts(view)["guide"])
        for step in range(1, steps + 1):
            expect(walk.page.locator(".st-key-guide")).to_contain_text(
                f"Step {step} of {steps}", timeout=PATIENCE
            )
            walk.settle()
            assert "picture=" in walk.link() and "mode=guided" in walk.link()
            walk.check()
            onward.click()
    expect(walk.page.get_by_role("button", name="Start the guided walk")).to_be_visible(
        timeout=PATIENCE
    )
    walk.check()


@pytest.mark.parametrize("source", ["default", "best"])
@pytest.mark.parametrize("view", PAGES)
def test_a_page_is_the_same_when_it_is_opened_by_its_link(visit: Callable, view: str, source: str):
    first = visit()
    first.open(f"{address(view)}?source={source}&{PLACE}")
    first.settle()
    said, link = first.page.evaluate(WORDS), first.link()
    assert len(said) > 1000
    second = visit()
    second.open(link)
    second.page.wait_for_function(f"(said) => ({WORDS})() === said", arg=said, timeout=PATIENCE)
    assert second.link() == link
    first.check()
    second.check()
