"""Drawing on the sidebar's pad: mouse, finger and keyboard; and finding it again by its link."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect

from explainer.inputs.pictures import link_code

pytestmark = pytest.mark.browser

# where the pen goes, in shares of the pad
SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.6, 0.45), (0.5, 0.65), (0.45, 0.85)]
ONE = [(0.55, 0.15), (0.5, 0.5), (0.45, 0.85)]


@pytest.fixture
def open_pad(visit: Callable[..., Visit]) -> Callable[..., Visit]:
    """Return an opener: link, width of the window → the visit with the pad open."""

    def open_pad(path: str = "", width: int = 1440, scheme: str = "light") -> Visit:
        one = visit(width, scheme)
        one.open(f"patches{path}")
        if width < 640:
            one.page.get_by_test_id("stExpandSidebarButton").click()
        one.page.get_by_role("radio", name="Draw", exact=True).click()
        canvas(one.page).wait_for()
        one.settle()
        return one

    return open_pad


def canvas(page: Page) -> Locator:
    return page.get_by_role("application", name="Drawing pad")


def said(page: Page) -> Locator:
    return page.get_by_test_id("stSidebar").locator(".picked [role=status]")


def points(page: Page, shares: list[tuple[float, float]]) -> list[tuple[float, float]]:
    canvas(page).scroll_into_view_if_needed()
    box = canvas(page).bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]


def stroke(page: Page, shares: list[tuple[float, float]]) -> None:
    start, *others = points(page, shares)
    page.mouse.move(*start)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def picture(page: Page) -> str:
    """Return the picture of the link, once there is one."""
    page.wait_for_function("location.search.includes('picture=')")
    return page.evaluate("new URLSearchParams(location.search).get('picture')")


def drawn(page: Page) -> list[int]:
    """Return what stands on the pad, one value of each pixel."""
    return canvas(page).evaluate(
        "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
        ".filter((_, at) => at % 4 === 0)"
    )


def preview(page: Page) -> str:
    return page.locator(".picked img").get_attribute("src")


def test_a_digit_drawn_with_the_mouse_walks_along_and_is_found_again_by_its_link(
    open_pad: Callable[..., Visit],
) -> None:
    visit = open_pad()
    page = visit.page
    stroke(page, SEVEN)
    expect(said(page)).to_contain_text("It says 7")
    link, before, ink = picture(page), preview(page), drawn(page)
    assert max(ink) == 255
    visit.settle()

    page.get_by_role("link", name="Position", exact=True).first.click()
    page.wait_for_function("location.pathname.endsWith('/position')")
    visit.settle()
    assert picture(page) == link
    assert drawn(page) == ink, "as the visitor drew it, not as the model sees it"

    page.reload()
    visit.settle()
    expect(said(page)).to_contain_text("It says 7")
    assert picture(page) == link
    assert preview(page) == before
    assert max(drawn(page)) > 200


def test_a_digit_drawn_with_a_finger_does_not_scroll_the_page(
    open_pad: Callable[..., Visit],
) -> None:
    page = open_pad(width=390, scheme="dark").page
    shares = points(page, SEVEN)
    client = page.context.new_cdp_session(page)

    def touch(kind: str, places: list[tuple[float, float]]) -> None:
        fingers = [{"x": x, "y": y} for x, y in places]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    sidebar = page.get_by_test_id("stSidebarContent")
    before = sidebar.evaluate("(e) => e.scrollTop")
    touch("touchStart", [shares[0]])
    for start, end in pairwise(shares):
        for step in range(1, 7):
            part = step / 6
            touch(
                "touchMove",
                [(start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))],
            )
    touch("touchEnd", [])
    expect(said(page)).to_contain_text("It says 7")
    assert sidebar.evaluate("(e) => e.scrollTop") == before
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def test_a_one_drawn_with_the_keyboard(open_pad: Callable[..., Visit]) -> None:
    page = open_pad().page
    canvas(page).focus()
    for _ in range(9):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(18):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_text("Drawing, row 24, column 15")).to_be_attached()
    page.keyboard.press("Space")
    expect(said(page)).to_contain_text("It says 1")


def test_undo_clear_eraser_and_a_thicker_pen(open_pad: Callable[..., Visit]) -> None:
    page = open_pad().page
    undo, clear = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Clear"))
    expect(undo).to_be_disabled()
    stroke(page, ONE)
    first = picture(page)
    one_stroke = drawn(page)
    stroke(page, [(0.2, 0.3), (0.8, 0.3)])
    page.wait_for_function(f"!location.search.includes('{first}')")
    undo.click()
    page.wait_for_function(f"location.search.includes('{first}')")
    assert drawn(page) == one_stroke

    page.get_by_role("button", name="Eraser", exact=True).click()
    stroke(page, [(0.3, 0.5), (0.7, 0.5)])
    page.wait_for_function(f"!location.search.includes('{first}')")
    assert sum(drawn(page)) < sum(one_stroke)

    clear.click()
    expect(said(page)).to_contain_text("Until then")
    assert not any(drawn(page))
    page.wait_for_function("!location.search.includes('picture=')")
    undo.click()
    expect(said(page)).to_contain_text("It says")

    clear.click()
    page.get_by_role("button", name="Pen", exact=True).click()
    stroke(page, ONE)
    medium = sum(drawn(page))
    undo.click()
    page.get_by_label("Thickness").select_option("thick")
    stroke(page, ONE)
    assert sum(drawn(page)) > 1.2 * medium


def test_a_link_with_a_picture_opens_with_it(visit: Callable[..., Visit]) -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 13:16] = 255
    one = visit()
    one.open(f"patches?picture={link_code.encode(pixels)}")
    expect(said(one.page)).to_contain_text("It says 1")
    ink = np.array(drawn(one.page)).reshape(280, 280)
    assert ink[140, 145] == 255
    assert not ink[140, :100].any()
