"""A model of coloured pictures in Chromium: in colour, in place, and usable as one of digits."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit, pixels
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_patch_is_followed_in_colour(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.open("patches?source=cifar10&query=20")
    page = one.page
    expect(page.locator(".cell[aria-pressed=true]")).to_have_count(1)
    patch = pixels(page.locator(".patch canvas"))
    assert len(patch) == 16 and any(red != blue for red, _, blue, _ in patch)
    rows = page.locator(".strip").first.locator(".part")
    expect(rows).to_have_count(12)
    # all red values first, then all green, then all blue, each line in its own colour
    tops = [rows.nth(index).bounding_box()["y"] for index in (0, 3, 4, 8)]
    assert tops[0] == tops[1] < tops[2] < tops[3]
    for channel, part in enumerate((0, 4, 8)):
        shown = pixels(page.locator(f".strip:first-child .part:nth-child({part + 1}) canvas"))
        assert [colour[channel] for colour in shown] == [pixel[channel] for pixel in patch[:4]]
        others = [colour[other] for colour in shown for other in {0, 1, 2} - {channel}]
        assert not any(others)
    page.get_by_role("button", name="patch 1, 1", exact=True).click()
    expect(page).to_have_url(re.compile("query=1(&|$)"))


def test_filters_are_colours(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.open("patch-embedding?source=cifar10&unit=3")
    expect(one.page.locator(".filters .cell")).to_have_count(192)
    shown = pixels(one.page.locator(".filters .base"))
    assert any(opacity and len({red, green, blue}) == 3 for red, green, blue, opacity in shown)
    one.page.get_by_role("button", name="filter 9", exact=True).click()
    expect(one.page).to_have_url(re.compile("unit=8"))


def test_all_heads_lie_over_one_picture(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.open("multi-head?source=cifar10")
    one.page.get_by_text("All heads of all blocks at a glance").click()
    pictures = one.page.locator(".overview .over")
    expect(pictures).to_have_count(18)
    backgrounds = pictures.evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one).backgroundImage)"
    )
    assert len(set(backgrounds)) == 1 and backgrounds[0].startswith('url("data:image/png')
    box = pictures.first.bounding_box()
    assert box["width"] > 30 and abs(box["width"] - box["height"]) < 1
