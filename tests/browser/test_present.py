"""The story before a class: its sizes on two screens, its keys, and the pointer."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect
from story_helpers import at, story
from test_accessibility import findings

from explainer.content import load_texts
from explainer.shell.story_screens import ORDER, screen_about

pytestmark = pytest.mark.browser

TEXTS = load_texts("present")["frame"]
ENLARGED = 1.6  # times the story's type
LEAST = 0.6  # of the window, for the picture
MOST_OFFERED = 100  # patches of a model for which those that it needs are looked for unasked
# the size of each kind of text that is shown
TYPE = """(story) => Object.fromEntries(
  ["h2", ".short, .told", ".task", ".question", ".option", ".next", ".name"].flatMap((kind) => {
    const shown = [...story.querySelectorAll(kind)].find((one) => one.getClientRects().length);
    return shown ? [[kind, parseFloat(getComputedStyle(shown).fontSize)]] : [];
  }))"""
# what would have to be scrolled, and what stands outside of its place
MISFITS = """(story) => {
  const name = (one) => one.className || one.tagName;
  const scrolls = [document.documentElement, ...story.querySelectorAll("*")].filter((one) => {
    const { overflowX, overflowY } = getComputedStyle(one);
    const can = (how) => ["auto", "scroll"].includes(how);
    const isHigh = one.scrollHeight > one.clientHeight + 1 && can(overflowY);
    return isHigh || (one.scrollWidth > one.clientWidth + 1 && can(overflowX));
  });
  const outside = [...story.querySelectorAll(".stage *")].filter((one) => {
    const stage = one.closest(".stage").getBoundingClientRect();
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || getComputedStyle(one).position === "absolute") return false;
    return box.bottom > stage.bottom + 2 || box.right > stage.right + 2
      || box.top < stage.top - 2 || box.left < stage.left - 2;
  });
  const words = story.querySelector(".words").getBoundingClientRect();
  const cut = [...story.querySelectorAll(".words *")].filter((one) => {
    const box = one.getBoundingClientRect();
    const isHidden = getComputedStyle(one).clipPath !== "none";
    return box.height && !isHidden && box.bottom > words.bottom + 1;
  });
  return [...scrolls, ...outside, ...cut].map(name);
}"""
SHARE = """(stage) => {
  const { width, height } = stage.getBoundingClientRect();
  return (width * height) / (innerWidth * innerHeight);
}"""


def presented(visit: Callable[..., Visit], screen: str = "draw", link: str = "", **window) -> Visit:
    """Open the story before a class; nothing moves on it by itself."""
    visitor = visit(**({"width": 1024, "height": 768} | window))
    visitor.page.emulate_media(reduced_motion="reduce")
    visitor.open(f"story?{link}present=1&screen={ORDER.index(screen) + 1}")
    at(visitor.page, screen)
    return visitor


def is_presented(page: Page, holds: bool = True) -> None:
    expect(page.locator(".story.present")).to_have_count(int(holds))
    expect(page.locator("html.is-presenting")).to_have_count(int(holds))


def patch(page: Page, row: int, column: int) -> Locator:
    return story(page).locator(f"[aria-label^='row {row}, column {column}']").first


@pytest.mark.parametrize(
    ("width", "height", "link", "scheme"),
    [
        (1024, 768, "", "light"),
        (1920, 1080, "", "dark"),
        (1024, 768, "source=cifar10&sample=3&", "dark"),
        (1920, 1080, "source=cifar10&", "light"),
        (1024, 768, "source=fast&", "light"),
        (1024, 768, "b=source%3Dfast&", "light"),
        (1024, 768, "source=untrained&depth=8&heads=8&patches=14&", "light"),
        (1920, 1080, "source=untrained&depth=1&heads=1&patches=2&position=none&", "light"),
    ],
)
def test_every_screen_is_large_and_fits(visit, subtests, width, height, link, scheme):
    visitor = visit(width=width, height=height, scheme=scheme)
    page = visitor.page
    page.emulate_media(reduced_motion="reduce")
    visitor.open(f"story?{link}".rstrip("?&"))
    plain = {}
    for name in ORDER:
        at(page, name)
        plain[name] = story(page).evaluate(TYPE)
        page.keyboard.press("PageDown")
    page.keyboard.press("Home")
    page.keyboard.press("p")
    is_presented(page)
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    for name in ORDER:
        at(page, name)
        with subtests.test(name):
            assert story(page).locator(".halves, .stage").first.evaluate(SHARE) >= LEAST
            assert story(page).evaluate(MISFITS) == []
            sizes = story(page).evaluate(TYPE)
            small = {
                kind for kind in sizes if sizes[kind] < ENLARGED * plain[name].get(kind, 0) - 0.01
            }
            assert not small, (sizes, plain[name])
        if answer_by_key(page):
            expect(story(page).locator(".verdict")).to_be_visible()
            with subtests.test(f"{name}, answered"):
                assert story(page).evaluate(MISFITS) == []
        page.keyboard.press("PageDown")


def answer_by_key(page: Page) -> bool:
    """Answer what is asked with the first number that is offered; whether anything was asked."""
    question = story(page).locator(".prediction")
    if not question.count() or question.locator(".verdict").count():
        return question.count() > 0
    if question.locator(".option").count():
        page.keyboard.press("1")
        return True
    if story(page).locator(".board .patch").count() > MOST_OFFERED and not offers(page):
        return False  # to cover each of so many patches takes long
    offered = story(page).locator("[data-choice]").first
    page.keyboard.press(offered.get_attribute("data-choice"))
    return True


def offers(page: Page) -> bool:
    return story(page).locator("[data-choice]").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, subtests, scheme):
    visitor = presented(visit, scheme=scheme)
    page = visitor.page
    # axe takes all for hidden that a body without height holds, and looks at nothing
    page.add_style_tag(content="html.is-presenting body { min-height: 100dvh; }")
    for name in ORDER:
        at(page, name)
        answer_by_key(page)
        with subtests.test(name):
            assert findings(visitor, of_colours=scheme == "dark") == []
        page.keyboard.press("PageDown")
    page.keyboard.press("?")
    expect(page.locator(".keys")).to_be_visible()
    with subtests.test("keys"):
        assert findings(visitor, of_colours=scheme == "dark") == []


def test_keys_turn_blank_and_leave(visit):
    visitor = presented(visit)
    page, keys = visitor.page, visitor.page.keyboard
    for key, name in [
        ("PageDown", "patches"),
        ("ArrowRight", "numbers"),
        ("PageUp", "patches"),
        ("End", "end"),
        ("PageDown", "end"),
        ("Home", "draw"),
        ("ArrowLeft", "draw"),
        ("ArrowRight", "patches"),
    ]:
        keys.press(key)
        at(page, name)
    # a click on a patch leaves the arrows to the screens
    patch(page, 2, 2).click()
    keys.press("ArrowRight")
    at(page, "numbers")
    # who comes to the picture by the keyboard steers it by the arrows, not by what clickers send
    keys.press("ArrowLeft")
    at(page, "patches")
    keys.press("Tab")
    patch(page, 2, 2).focus()
    keys.press("ArrowRight")
    expect(patch(page, 2, 3)).to_be_focused()
    keys.press("PageDown")
    at(page, "numbers")
    for key in ("b", "."):
        keys.press(key)
        expect(page.locator(".present-black")).to_be_visible()
        keys.press("Shift")
        keys.press("PageDown")  # any key shows the screen again, and does nothing else
        expect(page.locator(".present-black")).to_have_count(0)
        at(page, "numbers")
    keys.press("?")
    expect(page.get_by_role("dialog", name=TEXTS["keys_title"])).to_be_visible()
    keys.press("PageDown")
    at(page, "numbers")
    keys.press("Escape")
    expect(page.locator(".keys")).to_be_hidden()
    is_presented(page)
    assert "present=1" in visitor.link()
    keys.press("Escape")
    is_presented(page, False)
    page.wait_for_url(lambda url: "present" not in url and url.endswith("screen=3"))
    expect(page.get_by_test_id("stHeader")).to_be_visible()
    keys.press("P")
    is_presented(page)
    page.reload()
    visitor.settle()
    at(page, "numbers")
    is_presented(page)
    keys.press("p")
    is_presented(page, False)


def test_full_screen_by_a_key_ends_with_the_presentation(visit):
    page = presented(visit).page
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement")
    page.keyboard.press("p")
    page.wait_for_function("!document.fullscreenElement")


def test_a_number_answers_a_question_about_a_place(visit, subtests):
    page = presented(visit, "attention").page
    for name in ("attention", "answer", "cover"):
        page.keyboard.press("Home")
        for _ in range(ORDER.index(name)):
            page.keyboard.press("PageDown")
        at(page, name)
        with subtests.test(name):
            offered = story(page).locator("[data-choice]")
            offered.nth(2).wait_for()
            page.keyboard.press(offered.first.get_attribute("data-choice"))
            expect(story(page).locator(".verdict")).to_be_visible()
            expect(offered).to_have_count(0)


def test_the_key_presents_the_screen_about_a_page(visit):
    visitor = visit()
    page = visitor.page
    visitor.open("position?digit=3")
    page.locator("i[data-heard=true]").wait_for(state="attached")
    page.keyboard.press("p")
    at(page, "position")
    is_presented(page)
    expect(page).to_have_url(re.compile("digit=3"))
    expect(page).to_have_url(re.compile("present=1"))
    page.go_back()
    page.wait_for_url("**/position*")
    visitor.settle()
    expect(page.locator("html.is-presenting")).to_have_count(0)
    page.wait_for_url(lambda url: "present" not in url)
    visitor.open("")
    page.locator("i[data-heard=true]").wait_for(state="attached")
    page.keyboard.press("p")
    at(page, ORDER[(screen_about("home") or 0) - 1])


def test_a_letter_in_a_field_presents_nothing(visit):
    visitor = visit()
    page = visitor.page
    visitor.open("patches")
    field = page.get_by_test_id("stSidebar").get_by_role("spinbutton").first
    field.focus()
    page.locator("i[data-heard=true]").wait_for(state="attached")
    page.keyboard.press("p")
    page.keyboard.press("Control+p")
    assert "/patches" in page.url


@pytest.mark.parametrize("value", ["0", "true", "2", "%3Cscript%3E", ""])
def test_another_value_presents_nothing(visit, value):
    visitor = visit()
    visitor.open(f"story?present={value}")
    expect(story(visitor.page)).to_be_visible()
    is_presented(visitor.page, False)


def hold(page: Page, spot: Locator, *, at: tuple[float, float] = (0.5, 0.5)) -> None:
    """Press the mouse on a spot and move it a little, so that it points."""
    box = spot.bounding_box()
    x, y = box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"]
    page.mouse.move(x - 12, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=3)


def marked(page: Page) -> list[str]:
    """Return which patch is marked in each picture."""
    return story(page).evaluate(
        """(story) => [...story.querySelectorAll(".lasered")].map((one) => one.dataset.patch
          ?? String([...one.parentElement.children].indexOf(one)))"""
    )


def test_the_pointer_marks_the_same_patch_in_all_pictures(visit, subtests):
    page = presented(visit, "extra_row").page
    for screen, pictures in {"extra_row": 1, "position": 1, "attention": 1, "heads": 5}.items():
        at(page, screen)
        with subtests.test(screen):
            spot = story(page).locator("[data-grid]").last
            hold(page, spot, at=(0.5, 0.5))
            expect(page.locator("canvas.laser")).to_be_visible()
            assert marked(page) == ["24"] * pictures
            page.mouse.up()
            expect(page.locator("canvas.laser")).to_have_count(0)
            assert marked(page) == []
            # what was pointed at was not chosen
            expect(story(page).locator(".verdict")).to_have_count(0)
            at(page, screen)
        page.mouse.up()
        page.keyboard.press("PageDown")


def test_a_held_mouse_draws_on_the_pad_and_points_at_nothing(visit):
    page = presented(visit, "draw").page
    hold(page, story(page).locator(".pad canvas"))
    expect(page.locator("canvas.laser")).to_have_count(0)
    page.mouse.up()


def test_the_pointer_is_red(visit):
    page = presented(visit, "patches").page
    hold(page, story(page).locator(".board"))
    red = page.locator("canvas.laser").evaluate(
        """(canvas) => new Promise((done) => setTimeout(() => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let red = 0;
          for (let at = 0; at < data.length; at += 4) red += data[at] > 200 && data[at + 1] < 80;
          done(red);
        }, 100))"""
    )
    assert red > 50
    page.mouse.up()


def test_a_story_that_is_left_presents_nothing_and_hears_no_key(visit):
    visitor = presented(visit, "end")
    page = visitor.page
    story(page).get_by_role("link", name="Train your own").click()
    page.wait_for_url("**/train*")
    visitor.settle()
    expect(page.locator("html.is-presenting")).to_have_count(0)
    expect(page.get_by_test_id("stHeader")).to_be_visible()
    page.keyboard.press("b")
    page.keyboard.press("PageDown")
    assert "/train" in page.url
