"""The picture of an encoder block in Chromium: it fits every window, and moves only for a while."""

from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

BOXES = """(flow) => {
  const box = (one) => one.getBoundingClientRect();
  const whole = box(flow);
  const shown = [...flow.querySelectorAll('.box, .row b, .row .number')].map(box);
  const beside = (one, other) => one.right <= other.left || other.right <= one.left;
  const above = (one, other) => one.bottom <= other.top + 1 || other.bottom <= one.top + 1;
  return {
    outside: shown.filter((one) => one.right > whole.right + 1 || one.left < whole.left).length,
    touching: shown.flatMap((one, at) =>
      shown.slice(at + 1).filter((other) => !beside(one, other) && !above(one, other))).length,
    sideways: flow.scrollWidth - flow.clientWidth,
  };
}"""

MOVES = """(one) => {
  const { animationName, animationIterationCount } = getComputedStyle(one);
  return [animationName, animationIterationCount];
}"""


def test_the_block_fits_every_window(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.open("encoder-block")
    flow = one.page.locator(".block-flow")
    for width in (390, 768, 1024, 1200, 1440, 1920):
        one.page.set_viewport_size({"width": width, "height": 900})
        flow.scroll_into_view_if_needed()
        expect(flow.get_by_text("out", exact=True)).to_be_visible()
        found = flow.evaluate(BOXES)
        assert found == {"outside": 0, "touching": 0, "sideways": 0}, width


def test_the_stream_moves_a_while_and_not_for_who_wants_none(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.open("encoder-block")
    drops = one.page.locator(".block-flow .drops").first
    try:
        one.page.emulate_media(reduced_motion="no-preference")
        assert drops.evaluate(MOVES) == ["block-flow-down", "5"]
        one.page.emulate_media(reduced_motion="reduce")
        assert drops.evaluate(MOVES)[0] == "none"
    finally:
        one.page.emulate_media(reduced_motion="null")
