"""The explorers in Chromium: looking stays in the browser, choosing reaches the link."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocket, expect

pytestmark = pytest.mark.browser

MODEL = "source=untrained"
PATIENCE = 60_000  # milliseconds, on a machine that is busy with other things
expect.set_options(timeout=PATIENCE)
Opener = Callable[..., Page]


@pytest.fixture
def open_page(app: str, browser: Browser) -> Iterator[Opener]:
    """Return an opener: a page's address → the page with its explorer in place.

    ``page.sent`` and ``page.received`` are the sizes of the messages to and from the server.
    Afterwards no page may have logged an error.
    """
    contexts, errors = [], []

    def note(message: ConsoleMessage) -> None:
        # on a deep link Streamlit itself first asks for its health below that path
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            errors.append(f"{message.text} ({message.location.get('url')})")

    def open_page(address: str, width: int = 1440, height: int = 900, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.sent, page.received = [], []
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))

        def listen(socket: WebSocket) -> None:
            socket.on("framesent", lambda frame: page.sent.append(len(frame)))
            socket.on("framereceived", lambda frame: page.received.append(len(frame)))

        page.on("websocket", listen)
        page.goto(f"{app}/{address}")
        page.locator(".cell").first.wait_for(timeout=PATIENCE)
        expect(page.locator(".cell[aria-pressed=true], .chip[aria-pressed=true]")).to_have_count(1)
        settle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, f"the browser's console has errors: {errors}"


def settle(page: Page) -> None:
    page.wait_for_selector("[data-test-script-state='notRunning']", timeout=PATIENCE)


def pixels(page: Page, selector: str) -> list[int]:
    """Return what a canvas shows, as bytes."""
    return page.locator(selector).first.evaluate(
        "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    )


def cell(page: Page, row: int, column: int):
    return page.get_by_role("button", name=f"patch {row}, {column}", exact=True)


def test_pointing_repaints_without_the_server(open_page: Opener) -> None:
    page = open_page(f"multi-head?{MODEL}")
    before = pixels(page, ".main .overlay")
    heads_before = pixels(page, ".card:nth-child(3) .overlay")
    asked = len(page.sent)
    cell(page, 4, 3).hover()
    expect(page.locator(".main h2")).to_have_text("Seen from patch 4, 3")
    assert pixels(page, ".main .overlay") != before
    assert pixels(page, ".card:nth-child(3) .overlay") != heads_before
    page.get_by_role("heading", name="Multi-head attention", exact=True).hover()
    expect(page.locator(".main h2")).to_have_text("Seen from [CLS]")
    assert pixels(page, ".main .overlay") == before
    assert len(page.sent) == asked


def test_a_click_sticks_is_in_the_link_and_survives_reload(open_page: Opener) -> None:
    page = open_page(f"multi-head?{MODEL}")
    cell(page, 2, 5).click()
    page.wait_for_url(re.compile(r"[?&]query=12(&|$)"))
    page.get_by_text("Where patch 2, 5 looks in head 1, in numbers").wait_for()
    page.get_by_role("heading", name="Multi-head attention", exact=True).hover()
    expect(page.locator(".main h2")).to_have_text("Seen from patch 2, 5")
    page.locator(".card").nth(2).click()
    page.wait_for_url(re.compile(r"[?&]head=2(&|$)"))
    shown = pixels(page, ".main .overlay")
    page.reload()
    expect(cell(page, 2, 5)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".card").nth(2)).to_have_attribute("aria-pressed", "true")
    settle(page)
    assert pixels(page, ".main .overlay") == shown


def test_the_patterns_travel_once(open_page: Opener) -> None:
    page = open_page(f"multi-head?{MODEL}&patches=14")
    assert max(page.received) > 4 * 4 * 197 * 196
    page.received.clear()
    cell(page, 3, 3).click()
    page.get_by_text("Where patch 3, 3 looks in head 1, in numbers").wait_for()
    page.locator("[data-testid=stMain]").get_by_role("radio", name="3").first.click()
    page.wait_for_url(re.compile(r"[?&]block=2(&|$)"))
    page.get_by_text("blocks.2.attn.pattern").wait_for()
    # what else the page shows of another token and block comes anew, the patterns do not
    assert 0 < sum(page.received) < 4 * 4 * 197 * 196
    assert max(page.received) < 150_000, "a quarter of the patterns"


def test_arrow_keys_look_and_enter_chooses(open_page: Opener) -> None:
    page = open_page(f"multi-head?{MODEL}&query=25")
    assert page.locator(".tokens [tabindex='0']").count() == 1
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
    expect(page.locator(".tokens [tabindex='0']")).to_have_count(1)


def test_a_cell_of_the_pattern_says_its_weight_and_chooses_its_row(open_page: Opener) -> None:
    page = open_page(f"multi-head?{MODEL}&patches=2")
    square = page.locator(".square")
    size = square.bounding_box()["width"]
    position = {"x": 0.7 * size, "y": 0.5 * size}  # column 4 and row 3 of 5
    square.hover(position=position)
    expect(page.locator(".cell-value")).to_have_text(
        re.compile(r"^patch 1, 2 looks at patch 2, 1: [\d.]+.%$")
    )
    square.click(position=position)
    page.wait_for_url(re.compile(r"[?&]query=2(&|$)"))


def test_the_mark_of_the_pattern_is_on_the_row_of_the_token(open_page: Opener) -> None:
    page = open_page(f"multi-head?{MODEL}&query=30")
    square, mark = (page.locator(name).bounding_box() for name in (".square", ".row-mark"))
    middle = (mark["y"] + mark["height"] / 2 - square["y"]) / square["height"]
    assert middle == pytest.approx(30.5 / 50, abs=0.006)


def test_a_patch_is_followed_to_its_numbers(open_page: Opener) -> None:
    page = open_page(f"patches?{MODEL}")
    asked = len(page.sent)
    cell(page, 3, 4).hover()
    expect(page.get_by_role("heading", name="One of them: patch 3, 4")).to_be_visible()
    raw = page.locator(".strip").nth(0).locator(".line").get_attribute("aria-label")
    values = page.locator(".strip").nth(1).locator(".line").get_attribute("aria-label")
    numbers = [float(value) for value in values.replace("\u2212", "-").split(", ")]
    expected = [(int(pixel) / 255 - 0.1307) / 0.3081 for pixel in raw.split(", ")]
    assert len(numbers) == 16
    assert numbers == pytest.approx(expected, abs=0.006)
    assert len(page.sent) == asked


@pytest.mark.parametrize("width", [390, 1440])
def test_every_number_of_a_patch_has_room_in_its_cell(open_page: Opener, width: int) -> None:
    page = open_page("patches?source=untrained&patches=4&image=3")
    page.set_viewport_size({"width": width, "height": 900})
    numbers = page.locator(".part .numbers span")
    expect(numbers).to_have_count(2 * 49)
    cut_off = "cells => cells.filter((one) => one.scrollWidth > one.clientWidth).length"
    assert numbers.evaluate_all(cut_off) == 0


def test_the_chosen_patch_goes_along_to_the_next_page(open_page: Opener) -> None:
    page = open_page(f"patches?{MODEL}")
    cell(page, 3, 4).click()
    page.wait_for_url(re.compile(r"[?&]query=18(&|$)"))
    settle(page)
    page.get_by_role("link", name="Multi-head", exact=True).first.click()
    expect(page.locator(".main h2")).to_have_text("Seen from patch 3, 4")
    expect(page).to_have_url(re.compile(r"/multi-head\?.*query=18"))


@pytest.mark.parametrize("address", ["patches", "multi-head"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(
    address: str, scheme: str, open_page: Opener
) -> None:
    page = open_page(
        f"{address}?{MODEL}&heads=8", width=390, height=844, color_scheme=scheme, has_touch=True
    )
    widths = page.locator("[data-testid=stMain]").evaluate("(e) => [e.scrollWidth, e.clientWidth]")
    assert widths[0] <= widths[1] == 390
    cell(page, 6, 2).tap()
    page.wait_for_url(re.compile(r"[?&]query=37(&|$)"))
    expect(cell(page, 6, 2)).to_have_attribute("aria-pressed", "true")
