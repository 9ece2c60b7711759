"""The explorers in Chromium: looking stays in the browser, choosing reaches the link."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit, pixels, wait_until
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

MODEL = "source=untrained"
Opener = Callable[..., Visit]


@pytest.fixture
def open_page(visit: Callable[..., Visit]) -> Opener:
    """Return an opener: a page's address → a visit with its explorer in place."""

    def open_page(address: str, **options: object) -> Visit:
        one = visit(**options)
        one.open(address)
        one.page.locator(".cell").first.wait_for()
        # the film of the page follows the same token
        chosen = one.page.locator(":is(.cell, .chip)[aria-pressed=true]:not(.film *)")
        expect(chosen).to_have_count(1)
        one.settle()
        return one

    return open_page


def cell(page: Page, row: int, column: int) -> Locator:
    return page.get_by_role("button", name=f"patch {row}, {column}", exact=True)


def test_pointing_repaints_without_the_server(open_page: Opener) -> None:
    one = open_page(f"multi-head?{MODEL}")
    page, asked = one.page, len(one.sent)
    before = pixels(page.locator(".main .overlay"))
    heads_before = pixels(page.locator(".card:nth-child(3) .overlay"))
    chosen = page.locator(".main h2").inner_text()
    cell(page, 4, 3).hover()
    expect(page.locator(".main h2")).to_have_text("Seen from patch 4, 3")
    assert pixels(page.locator(".main .overlay")) != before
    assert pixels(page.locator(".card:nth-child(3) .overlay")) != heads_before
    page.get_by_role("heading", name="Multi-head attention", exact=True).hover()
    expect(page.locator(".main h2")).to_have_text(chosen)
    assert pixels(page.locator(".main .overlay")) == before
    assert len(one.sent) == asked


def test_a_click_sticks_is_in_the_link_and_survives_reload(open_page: Opener) -> None:
    one = open_page(f"multi-head?{MODEL}")
    page = one.page
    cell(page, 2, 5).click()
    page.wait_for_url(re.compile(r"[?&]query=12(&|$)"))
    page.get_by_role("heading", name="Multi-head attention", exact=True).hover()
    expect(page.locator(".main h2")).to_have_text("Seen from patch 2, 5")
    head = page.get_by_role("switch", name="Head 3")
    expect(head).to_have_attribute("aria-checked", "true")
    head.click()
    page.wait_for_url(re.compile(r"[?&]off=0\.2(&|$)"))
    assert re.search(r"[?&]head=2(&|$)", page.url)
    page.get_by_text("Off: head 3 of block 1.").wait_for()
    one.settle()
    shown = pixels(page.locator(".main .overlay"))
    page.reload()
    expect(cell(page, 2, 5)).to_have_attribute("aria-pressed", "true")
    expect(head).to_have_attribute("aria-checked", "false")
    expect(head).to_have_class(re.compile(r"\bchosen\b"))
    one.settle()
    wait_until(page, lambda: pixels(page.locator(".main .overlay")) == shown)
    head.press("Enter")
    page.get_by_text("All heads are on").wait_for()
    expect(head).to_have_attribute("aria-checked", "true")
    page.wait_for_url(lambda url: "off=" not in url)


def test_the_patterns_travel_once(open_page: Opener) -> None:
    one = open_page(f"multi-head?{MODEL}&patches=14")
    page = one.page
    assert max(one.received) > 4 * 4 * 197 * 196
    one.received.clear()
    cell(page, 3, 3).click()
    page.get_by_text("Each head gives patch 3, 3 a row").wait_for()
    page.locator("[data-testid=stMain]").get_by_role("radio", name="3").first.click()
    page.wait_for_url(re.compile(r"[?&]block=2(&|$)"))
    page.get_by_text("in every head of block 3").wait_for()
    # what else the page shows of another token and block comes anew, the patterns do not
    assert 0 < sum(one.received) < 4 * 4 * 197 * 196
    assert max(one.received) < 150_000, "a quarter of the patterns"


def test_the_row_of_the_token_is_marked_arrow_keys_look_and_enter_chooses(
    open_page: Opener,
) -> None:
    page = open_page(f"multi-head?{MODEL}&query=25").page
    square, mark = (page.locator(name).bounding_box() for name in (".square", ".row-mark"))
    middle = (mark["y"] + mark["height"] / 2 - square["y"]) / square["height"]
    assert middle == pytest.approx(25.5 / 50, abs=0.006)
    assert page.locator(".main .tokens [tabindex='0']").count() == 1
    cell(page, 4, 4).focus()
    for key, expected in (
        ("ArrowRight", "patch 4, 5"),
        ("ArrowDown", "patch 5, 5"),
        ("Home", "patch 5, 1"),
        ("End", "patch 5, 7"),
        ("ArrowRight", "patch 6, 1"),
        ("ArrowUp", "patch 5, 1"),
    ):
        page.keyboard.press(key)
        expect(page.locator(".main h2")).to_have_text(f"Seen from {expected}")
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    expect(page.locator(".main h2")).to_have_text("Seen from [CLS]")
    expect(page.locator(".main .announcement")).to_contain_text("[CLS] looks most at")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"[?&]query=1(&|$)"))
    expect(page.locator(".main .tokens [tabindex='0']")).to_have_count(1)


def test_a_cell_of_the_pattern_says_its_weight_and_chooses_its_row(open_page: Opener) -> None:
    page = open_page(f"multi-head?{MODEL}&patches=2").page
    square = page.locator(".square")
    size = square.bounding_box()["width"]
    position = {"x": 0.7 * size, "y": 0.5 * size}  # column 4 and row 3 of 5
    square.hover(position=position)
    expect(page.locator(".cell-value")).to_have_text(
        re.compile(r"^patch 1, 2 looks at patch 2, 1: [\d.]+.%$")
    )
    square.click(position=position)
    page.wait_for_url(re.compile(r"[?&]query=2(&|$)"))


def test_a_patch_is_followed_to_its_numbers_and_to_the_next_page(open_page: Opener) -> None:
    one = open_page(f"patches?{MODEL}")
    page, asked = one.page, len(one.sent)
    cell(page, 3, 4).hover()
    expect(page.get_by_role("heading", name="One of them: patch 3, 4")).to_be_visible()
    raw = page.locator(".strip").nth(0).locator(".line").get_attribute("aria-label")
    values = page.locator(".strip").nth(1).locator(".line").get_attribute("aria-label")
    numbers = [float(value) for value in values.replace("\u2212", "-").split(", ")]
    expected = [(int(pixel) / 255 - 0.1307) / 0.3081 for pixel in raw.split(", ")]
    assert len(numbers) == 16
    assert numbers == pytest.approx(expected, abs=0.006)
    assert len(one.sent) == asked

    cell(page, 3, 4).click()
    page.wait_for_url(re.compile(r"[?&]query=18(&|$)"))
    one.settle()
    page.get_by_role("link", name="Multi-head", exact=True).first.click()
    expect(page.locator(".main h2")).to_have_text("Seen from patch 3, 4")
    expect(page).to_have_url(re.compile(r"/multi-head\?.*query=18"))


def test_every_number_of_a_patch_has_room_in_its_cell(open_page: Opener) -> None:
    one = open_page("patches?source=untrained&patches=4&image=3", width=390)
    numbers = one.page.locator(".part .numbers span")
    cut_off = "cells => cells.filter((one) => one.scrollWidth > one.clientWidth).length"
    for width in (390, 1440):
        one.resize(width)
        expect(numbers).to_have_count(2 * 49)
        assert numbers.evaluate_all(cut_off) == 0, width


@pytest.mark.parametrize("address", ["patches", "multi-head"])
def test_a_phone_shows_it_without_scrolling_sideways(address: str, open_page: Opener) -> None:
    one = open_page(f"{address}?{MODEL}&heads=8", width=390, height=844, has_touch=True)
    page = one.page
    assert one.sideways() == [0, 0]
    cell(page, 6, 2).tap()
    page.wait_for_url(re.compile(r"[?&]query=37(&|$)"))
    expect(cell(page, 6, 2)).to_have_attribute("aria-pressed", "true")
