"""Home answers the pen, shows its film, and follows a patch; with mouse, finger and keyboard."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from browser_helpers import Visit, wait_until
from playwright.sync_api import Locator, Page, Route, expect

pytestmark = pytest.mark.browser

# where the pen goes, in shares of the pad
SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.6, 0.45), (0.5, 0.65), (0.45, 0.85)]
ONE = [(0.5, 0.15), (0.5, 0.5), (0.5, 0.85)]
# how far the folds stand below the title, in each frame since the page was opened
DISTANCES = """() => { window.distances = []; const look = () => {
  const [title, folds] = ['h1', '.st-key-home-more'].map((one) => document.querySelector(one));
  if (title && folds) {
    const [above, below] = [title, folds].map((one) => one.getBoundingClientRect().top);
    window.distances.push(below - above);
  }
  requestAnimationFrame(look);
}; requestAnimationFrame(look); }"""


@pytest.fixture
def open_home(visit: Callable[..., Visit]) -> Callable[..., Visit]:
    """Return an opener: link, and arguments of ``visit`` → Home, once server and browser agree."""

    def open_home(path: str = "", **window: object) -> Visit:
        one = visit(**window)
        one.open(path)
        agreed(one.page)
        return one

    return open_home


def home(page: Page) -> Locator:
    return page.locator(".home")


def answer(page: Page) -> Locator:
    return page.locator(".home .answer")


def agreed(page: Page) -> None:
    """Wait until the server's trace is shown and the browser has computed the same numbers."""
    expect(page.locator(".home .source")).to_contain_text("Server and browser agree")


def canvas(page: Page) -> Locator:
    return page.get_by_role("application", name="Drawing pad")


def points(page: Page, shares: list[tuple[float, float]]) -> list[tuple[float, float]]:
    box = canvas(page).bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]


def press_pen(page: Page, shares: list[tuple[float, float]]) -> None:
    start, *others = points(page, shares)
    page.mouse.move(*start)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point, steps=6)


def drawn(page: Page) -> list[int]:
    """Return what stands on the pad, one value of each pixel."""
    return canvas(page).evaluate(
        "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
        ".filter((_, at) => at % 4 === 0)"
    )


def picture(page: Page) -> str:
    """Return the picture of the link, once there is one."""
    page.wait_for_function("location.search.includes('picture=')")
    return page.evaluate("new URLSearchParams(location.search).get('picture')")


def painted(page: Page) -> str:
    """Return the picture as it is, in a form that can be compared."""
    return page.locator(".home > canvas").evaluate("(c) => c.toDataURL()")


# the pen


def test_bars_follow_the_pen_without_the_server_until_it_rests(
    open_home: Callable[..., Visit],
) -> None:
    one = open_home("?digit=2")
    page = one.page
    expect(answer(page)).to_have_text("2")
    before, sent = painted(page), len(one.sent)
    press_pen(page, ONE)
    expect(answer(page)).to_have_text("1")
    expect(page.locator(".home .source")).to_contain_text("in your browser")
    wait_until(page, lambda: painted(page) != before)  # the stages follow, too
    assert len(one.sent) == sent, "no message while the pen is down"
    assert "picture=" not in page.url
    page.mouse.up()
    assert picture(page)
    agreed(page)
    expect(answer(page)).to_have_text("1")
    expect(page.locator(".home .judged")).to_contain_text("is it right?")
    link = picture(page)

    page.reload()
    agreed(page)
    expect(answer(page)).to_have_text("1")
    assert picture(page) == link


def test_it_says_so_if_browser_and_server_compute_other_numbers(
    visit: Callable[..., Visit],
) -> None:
    one = visit()

    def tampered(route: Route) -> None:
        response = route.fetch()
        # the last number becomes 5, or 2.3 in half precision
        route.fulfill(response=response, body=response.body()[:-4] + b"\0\0\xa0\x40")

    one.page.route("**/media/**", tampered)
    one.open()
    expect(one.page.locator(".home .source")).to_contain_text("more than rounding")
    expect(answer(one.page)).to_have_text("7")  # the server's


def test_strokes_are_one_drawing_and_are_taken_back(open_home: Callable[..., Visit]) -> None:
    page = open_home("?digit=2").page
    undo, clear = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Clear"))
    ink = drawn(page)
    press_pen(page, ONE)
    page.mouse.up()
    first = picture(page)
    press_pen(page, [(0.2, 0.5), (0.8, 0.5)])
    page.mouse.up()
    page.wait_for_function("(first) => !location.search.includes(first)", arg=first)
    undo.click()
    page.wait_for_function("(first) => location.search.includes(first)", arg=first)
    undo.click()
    page.wait_for_function("!location.search.includes('picture=')")
    agreed(page)
    expect(answer(page)).to_have_text("2")
    wait_until(page, lambda: drawn(page) == ink)  # the digit that stood there is back
    clear.click()
    assert not any(drawn(page))
    assert picture(page), "an empty pad is a picture, too"


def test_a_digit_drawn_with_a_finger_does_not_scroll_the_page(
    open_home: Callable[..., Visit],
) -> None:
    page = open_home(width=390, height=844, has_touch=True).page
    shares, client = points(page, SEVEN), page.context.new_cdp_session(page)

    def touch(kind: str, places: list[tuple[float, float]]) -> None:
        fingers = [{"x": x, "y": y} for x, y in places]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    main = page.get_by_test_id("stMain")
    touch("touchStart", [shares[0]])
    for start, end in pairwise(shares):
        for step in range(1, 7):
            place = tuple(a + step / 6 * (b - a) for a, b in zip(start, end, strict=True))
            touch("touchMove", [place])
    expect(answer(page)).to_have_text("7")
    touch("touchEnd", [])
    assert picture(page)
    assert main.evaluate("(e) => e.scrollTop") == 0


def test_a_one_is_drawn_with_the_keyboard_and_the_way_goes_on_with_it(
    open_home: Callable[..., Visit],
) -> None:
    page = open_home("?digit=2").page
    canvas(page).focus()
    for _ in range(9):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(18):
        page.keyboard.press("ArrowDown")
    expect(answer(page)).to_have_text("1")
    page.keyboard.press("Space")
    assert picture(page)
    agreed(page)
    main = page.get_by_test_id("stMain")  # the bar at the top has such a link, too
    main.get_by_role("link", name="Attention", exact=True).press("Enter")
    page.wait_for_function("location.pathname.endsWith('/self-attention')")
    assert picture(page)


def test_a_link_takes_a_fresh_drawing_along(open_home: Callable[..., Visit]) -> None:
    page = open_home().page
    press_pen(page, ONE)
    page.mouse.up()
    page.get_by_role("link", name="Patches", exact=True).last.click()
    page.wait_for_function("location.pathname.endsWith('/patches')")
    assert picture(page)


def test_the_bar_at_the_top_leads_on_before_the_pen_has_rested(
    open_home: Callable[..., Visit],
) -> None:
    one = open_home()
    press_pen(one.page, ONE)
    one.page.mouse.up()
    one.page.get_by_role("link", name="Patches", exact=True).first.click()
    one.page.wait_for_function("location.pathname.endsWith('/patches')")
    one.settle()
    expect(one.page.locator("h1")).to_have_text("Patches")


def test_a_link_that_is_pressed_and_clicked_at_once_takes_the_drawing_along(
    open_home: Callable[..., Visit],
) -> None:
    one = open_home()
    press_pen(one.page, ONE)
    one.page.mouse.up()
    link = one.page.get_by_role("link", name="Patches", exact=True).first
    # in one task, as for a browser that was busy with the drawing
    link.evaluate(
        "(a) => { a.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true })); a.click(); }"
    )
    one.page.wait_for_function("location.pathname.endsWith('/patches')")
    assert picture(one.page)
    one.settle()
    expect(one.page.locator("h1")).to_have_text("Patches")


def test_a_link_that_is_followed_by_keyboard_takes_the_drawing_along(
    open_home: Callable[..., Visit],
) -> None:
    one = open_home()
    press_pen(one.page, ONE)
    one.page.mouse.up()
    one.page.get_by_role("link", name="Patches", exact=True).first.press("Enter")
    one.page.wait_for_function("location.pathname.endsWith('/patches')")
    assert picture(one.page)
    one.settle()
    expect(one.page.locator("h1")).to_have_text("Patches")


# the film


def test_the_film_plays_pauses_and_is_scrubbed(open_home: Callable[..., Visit]) -> None:
    page = open_home().page
    page.get_by_role("button", name="See how it knew").click()
    caption, slider = page.locator(".home .caption"), page.get_by_role("slider", name="film")
    expect(slider).not_to_have_js_property("value", "0")  # it plays
    page.get_by_role("button", name="Pause").click()
    held, shown = slider.input_value(), painted(page)
    page.wait_for_timeout(300)
    assert slider.input_value() == held and painted(page) == shown
    for time, words, says in (
        ("1", "The picture is cut into 49 patches.", "?"),
        ("4", "Each patch becomes a row of 64 numbers: a token.", "?"),
        ("18", "The longest is 7", "7"),
        ("12", "Block", "?"),
    ):
        slider.fill(time)
        expect(caption).to_contain_text(words)
        expect(answer(page)).to_have_text(says)
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(answer(page)).to_have_text("7")
    expect(page.get_by_role("button", name="See how it knew")).to_be_focused()


def test_the_film_is_stepped_through_by_keys(open_home: Callable[..., Visit]) -> None:
    page = open_home("?source=fast").page
    page.get_by_role("button", name="See how it knew").press("Enter")
    caption, seen = page.locator(".home .caption"), []
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        if caption.inner_text() in seen:
            break
        seen.append(caption.inner_text())
    assert len(seen) >= 6 and "bars" in seen[-1]
    page.keyboard.press("ArrowLeft")
    expect(caption).to_have_text(seen[-2])
    page.keyboard.press("Escape")
    expect(caption).to_be_hidden()


def test_who_wants_no_motion_gets_stills(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.page.emulate_media(reduced_motion="reduce")
    one.open()
    agreed(one.page)
    one.page.get_by_role("button", name="See how it knew").click()
    expect(one.page.get_by_role("button", name="Pause")).to_have_count(0)
    still = painted(one.page)
    one.page.wait_for_timeout(300)
    assert painted(one.page) == still
    following = one.page.get_by_role("button", name="Next")
    expect(following).to_be_focused()
    following.press("Enter")
    expect(one.page.locator(".home .caption")).to_contain_text("row of 64 numbers")
    one.page.emulate_media(reduced_motion="no-preference")


# one patch


def test_a_patch_lights_up_and_a_click_keeps_it(open_home: Callable[..., Visit]) -> None:
    one = open_home()
    page = one.page
    patch = page.get_by_role("button", name="patch 2, 4", exact=True)
    before, sent = painted(page), len(one.sent)
    patch.hover()
    followed = page.locator(".home .followed")
    expect(followed).to_contain_text("Patch 2, 4: in block 4 it takes most from")
    wait_until(page, lambda: painted(page) != before)
    assert len(one.sent) == sent, "pointing stays in the browser"
    patch.click()
    page.wait_for_url("**query=11*")
    expect(patch).to_have_attribute("aria-pressed", "true")
    page.mouse.move(5, 5)
    expect(followed).to_contain_text("Patch 2, 4 is followed on all pages")
    page.reload()
    expect(patch).to_have_attribute("aria-pressed", "true")
    expect(followed).to_contain_text("Patch 2, 4 is followed on all pages")
    patch.click()
    page.wait_for_function("!location.search.includes('query=')")


def test_patches_are_followed_by_keyboard(open_home: Callable[..., Visit]) -> None:
    page = open_home("?query=8").page
    first = page.get_by_role("button", name="patch 2, 1", exact=True)
    expect(first).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="[CLS]", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="patch 2, 2", exact=True)).to_be_focused()
    expect(page.locator(".home .followed")).to_contain_text("Patch 2, 2: in block 4")
    page.keyboard.press("Enter")
    page.wait_for_url("**query=9*")


def test_each_stage_is_a_link_that_keeps_the_place(open_home: Callable[..., Visit]) -> None:
    page = open_home("?digit=3&query=12").page
    links = page.locator(".home .labels a")
    expect(links).to_have_count(8)
    for link in links.all():
        link.focus()
        assert link.get_attribute("href").endswith("?digit=3&query=12")


# the first screen


@pytest.mark.parametrize(
    ("width", "height", "lowest"),
    [
        (1440, 900, (".pad", ".bars", ".stages")),
        (1024, 768, (".pad", ".bars", ".stages")),
        (390, 844, (".pad", ".bars")),
    ],
)
def test_the_first_screen_has_room_for_what_counts(
    open_home: Callable[..., Visit], width: int, height: int, lowest: tuple[str, ...]
) -> None:
    one = open_home(width=width, height=height)
    for name in lowest:
        box = one.page.locator(f".home {name}").first.bounding_box()
        assert box["y"] > 0 and box["y"] + box["height"] <= height, name
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, name
    assert one.sideways() == [0, 0]
    pad = canvas(one.page).bounding_box()
    assert pad["width"] == pytest.approx(pad["height"], abs=1) and pad["width"] >= 220


def test_nothing_below_the_picture_jumps_when_it_is_drawn(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.run_first(f"({DISTANCES})()")
    one.open()
    agreed(one.page)
    distances = one.page.evaluate("window.distances")
    # the title becomes smaller once Home's style is there
    assert len(distances) > 5 and max(distances) - min(distances) < 60, set(distances)
