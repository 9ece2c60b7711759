"""Two halves of the story in a real browser: their numbers, one patch, scale and navigation."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from browser_helpers import Visit, pixels, wait_until
from playwright.sync_api import Locator, Page, expect
from story_helpers import STAYS_INSIDE, TOO_HIGH, at, button, story
from test_accessibility import findings

from explainer.content import load_texts
from explainer.shell.story_screens import ORDER

pytestmark = pytest.mark.browser

FRAME = load_texts("story")["frame"]
A = {"source": "default", "digit": 3, "index": 2, "query": 19}
PAIRS = {  # what the second half has unlike the first, and the token that it follows then
    "untrained": ({"source": "untrained"}, 19),
    "mean of patches": ({"source": "fast"}, 6),
    "another picture": ({"digit": 5, "index": 4}, 19),
    "without a head": ({"edits": "h3.1_h0.2"}, 19),
    "CIFAR-10": ({"source": "cifar10"}, 22),
}
DRAWN = ("patches", "numbers", "position", "blocks", "cover", "end")  # screens that are compared
LOOK_INSIDE = ("where", "truth", "alike", "map")  # screens that show both, and subtract nothing
# whether a line of words is whole, and apart from what chooses between the halves
ROOM = """(word, said) => {
  word.textContent = said;
  const views = word.getRootNode().querySelector(".views").getBoundingClientRect();
  const own = word.getBoundingClientRect();
  return {
    isWhole: word.scrollWidth <= word.clientWidth && word.scrollHeight <= word.clientHeight,
    isApart: own.right <= views.left || own.bottom <= views.top,
  };
}"""
# what the story's own file listens to now, of the document and the window
COUNT_LISTENERS = """() => {
  const heard = (globalThis.heardByStory = []);
  for (const target of [document, window]) {
    const [add, remove] = [target.addEventListener, target.removeEventListener];
    target.addEventListener = function (kind, listener, ...others) {
      if (new Error().stack.includes("vit_explainer.story")) heard.push({ kind, listener });
      return add.call(target, kind, listener, ...others);
    };
    target.removeEventListener = function (kind, listener, ...others) {
      const at = heard.findIndex((one) => one.kind === kind && one.listener === listener);
      if (at >= 0) heard.splice(at, 1);
      return remove.call(target, kind, listener, ...others);
    };
  }
}"""


def linked(first: dict[str, Any], second: dict[str, Any] | None, screen: str = "draw") -> str:
    values = dict(first) | ({"b": urlencode(second)} if second else {})
    return f"story?{urlencode(values, quote_via=quote)}&screen={ORDER.index(screen) + 1}"


def opened(visit: Callable[..., Visit], second: dict[str, Any] | None, screen: str, **window):
    visitor = visit(**window)
    visitor.open(linked(A, second, screen))
    expect(story(visitor.page).locator("h2")).to_be_visible()
    return visitor


def half(page: Page, name: str) -> Locator:
    return story(page).locator(f".half.{name}")


def patch(where: Locator, row: int, column: int) -> Locator:
    return where.get_by_role("button", name=re.compile(f"^row {row}, column {column}(,|$)"))


def bars(where: Locator) -> str:
    """Return what the bars say, with how long each is."""
    expect(where.locator(".bars .value").first).not_to_have_text("")
    return where.locator(".bars").evaluate_all(
        """(lists) => JSON.stringify(lists.map((list) => [...list.children].map((row) =>
          [row.innerText, row.querySelector(".fill").style.transform])))"""
    )


def drawn(where: Locator, name: str) -> dict[str, Any]:
    """Return what a screen writes and draws that has no common scale."""
    shown: dict[str, Any] = {"picture": where.locator(".board").first.get_attribute("style")}
    if name in ("position", "cover", "end"):
        shown["bars"] = bars(where)
    if name == "numbers":
        shown["sum"] = where.locator(".result").inner_text()
    if name == "blocks":
        shown["colours"] = where.locator(".veil").evaluate_all(
            "(veils) => veils.map((veil) => veil.style.background)"
        )
    return shown


def walked(visit: Callable[..., Visit], link: str) -> Iterator[tuple[str, Page]]:
    """Open a link to the first screen, and yield each screen of ``DRAWN`` in turn."""
    visitor = visit()
    visitor.open(link)
    for name in ORDER:
        at(visitor.page, name)
        if name in DRAWN:
            yield name, visitor.page
        if name != ORDER[-1]:
            button(visitor.page, "Next").click()


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Any]]:
    """What the story of one model alone shows, by its link; most pairs have the same first half."""
    return {}


@pytest.mark.parametrize(("second", "query"), PAIRS.values(), ids=PAIRS)
def test_each_half_shows_what_the_story_of_it_alone_shows(visit, subtests, known, second, query):
    def alone(values: dict[str, Any]) -> dict[str, Any]:
        link = linked(values, None)
        if link not in known:
            found = {}
            for name, page in walked(visit, link):
                found[name] = drawn(story(page).locator(".stage"), name)
            known[link] = found
        return known[link]

    # only a comparison can show a changed pass
    of_b = None if "edits" in second else alone(A | second | {"query": query})
    of_a = alone(A)
    for name, page in walked(visit, linked(A, second)):
        with subtests.test(name):
            assert drawn(half(page, "a"), name) == of_a[name]
            if of_b:
                assert drawn(half(page, "b"), name) == of_b[name]


def test_rows_of_both_halves_have_one_scale(visit):
    """The half with the larger numbers looks as it does alone; the other one is paler than that."""
    page = opened(visit, {"source": "untrained"}, "extra_row").page
    both = [pixels(half(page, name).locator("canvas.all")) for name in "ab"]
    visitor = visit()
    alone = []
    for values in (A, A | {"source": "untrained"}):
        visitor.open(linked(values, None, "extra_row"))
        at(visitor.page, "extra_row")
        alone.append(pixels(story(visitor.page).locator("canvas.all")))
    same = [one == other for one, other in zip(both, alone, strict=True)]
    assert sorted(same) == [False, True]

    def colour(picture: list[list[int]]) -> int:
        return sum(max(pixel[:3]) - min(pixel[:3]) for pixel in picture)

    paler = same.index(False)
    assert colour(both[paler]) < colour(alone[paler])


@pytest.mark.parametrize("second", [{"source": "untrained"}, {"source": "fast"}])
def test_what_is_pointed_at_in_one_half_is_marked_in_both(visit, second):
    page = opened(visit, second, "patches").page
    a, b = half(page, "a"), half(page, "b")
    patch(a, 6, 2).hover()
    expect(a.locator(".patch.pointed")).to_have_count(1)
    expect(patch(a, 6, 2)).to_have_class(re.compile("pointed"))
    # 7 × 7 patches and 4 × 4: the same place of the picture
    there = (6, 2) if second["source"] == "untrained" else (4, 1)
    expect(patch(b, *there)).to_have_class(re.compile("pointed"))
    patch(b, 1, 1).focus()
    page.keyboard.press("ArrowRight")
    expect(patch(b, 1, 2)).to_have_class(re.compile("pointed"))
    there = (1, 2) if second["source"] == "untrained" else (1, 3)
    expect(patch(a, *there)).to_have_class(re.compile("pointed"))


def test_a_patch_that_is_chosen_in_b_is_followed_in_both_and_stays(visit):
    visitor = opened(visit, {"source": "fast"}, "patches")
    page = visitor.page
    patch(half(page, "b"), 2, 3).click()
    expect(patch(half(page, "b"), 2, 3)).to_have_class(re.compile("followed"))
    expect(patch(half(page, "a"), 3, 5)).to_have_class(re.compile("followed"))
    page.wait_for_url("**query=19*")  # of A: a class token, 2 rows of 7, and 4
    page.reload()
    visitor.settle()
    expect(patch(half(page, "a"), 3, 5)).to_have_class(re.compile("followed"))
    expect(patch(half(page, "b"), 2, 3)).to_have_class(re.compile("followed"))


def test_one_answer_opens_both_halves_and_an_experiment_changes_both(visit):
    page = opened(visit, {"source": "untrained"}, "cover").page
    a, b = half(page, "a"), half(page, "b")
    patch(b, 4, 4).click()  # the question is about A
    expect(story(page).locator(".verdict")).to_have_count(1)
    expect(patch(a, 4, 4)).to_have_class(re.compile("guess"))
    before = [bars(a), bars(b)]
    patch(a, 3, 3).click()
    for where in (a, b):
        expect(patch(where, 3, 3)).to_have_attribute("aria-pressed", "true")
        expect(where.locator(".own")).to_contain_text("1")
    expect(b.locator(".patch.covered")).to_have_count(1)
    for where, then in zip((a, b), before, strict=True):
        wait_until(page, lambda where=where, then=then: bars(where) != then)
    button(page, "Uncover all").click()
    expect(a.locator(".patch.covered")).to_have_count(0)
    expect(b.locator(".patch.covered")).to_have_count(0)


def test_a_shuffle_without_position_changes_nothing_in_both_halves(visit):
    page = opened(visit, {"source": "untrained"}, "position").page
    story(page).locator(".option").first.click()
    for name in "ab":
        expect(half(page, name).locator(".right.two .bars")).to_have_count(2)
    order = """(board) => [...board.querySelectorAll(".patch")].map((cell) => cell.style.cssText
      .match(/--(across|down): -?\\d+/g).join())"""
    boards = [half(page, name).locator(".board").evaluate(order) for name in "ab"]
    assert boards[0] == boards[1]
    lists = {name: half(page, name).locator(".right.two .bars") for name in "ab"}
    before = {name: found.all_inner_texts() for name, found in lists.items()}
    assert all(one != other for one, other in before.values())
    button(page, "Without").click()
    for name, found in lists.items():
        wait_until(page, lambda found=found: len({*found.all_inner_texts()}) == 1)
        assert found.first.inner_text() != before[name][0]


def test_patches_of_other_sizes_are_left_alone_and_it_says_so(visit):
    page = opened(visit, {"source": "fast"}, "position").page
    story(page).locator(".option").first.click()
    said = load_texts("story")["screens"]["position"]["other_patches"]
    expect(half(page, "b").locator(".own")).to_have_text(said)
    expect(half(page, "b").locator(".right .bars")).to_have_count(1)
    expect(half(page, "a").locator(".right .bars")).to_have_count(2)


def test_the_difference_is_b_minus_a_or_says_why_there_is_none(visit, subtests):
    visitor = opened(visit, {"source": "untrained"}, "draw")
    page = visitor.page
    for name in "ab":
        expect(half(page, name).locator(".bars .value").first).not_to_have_text("")
    shares = [
        [
            float(re.sub(r"[^\d.]", "", text)) * ("<" not in text)
            for text in half(page, name).locator(".bars .value").all_inner_texts()
        ]
        for name in "ab"
    ]
    button(page, FRAME["view_difference"]).click()
    difference = half(page, "difference")
    expect(difference.locator(".bars.signed .value")).to_have_text([re.compile(r"\d")] * 10)
    written = difference.locator(".bars.signed .value").all_inner_texts()
    for one, other, text in zip(*shares, written, strict=True):
        assert abs(other - one - float(text.replace("\u2212", "-"))) <= 1.1
    for name in ORDER[1:]:
        button(page, "Next").click()
        at(page, name)
        with subtests.test(name):
            has_difference = name not in ("patches", "learn", *LOOK_INSIDE)
            expect(half(page, "difference").locator(".stage")).to_have_count(int(has_difference))
            assert page.evaluate(TOO_HIGH) == [0, 0] and visitor.sideways() == [0, 0]
    visitor.open(linked(A, {"source": "fast"}, "heads"))
    button(page, FRAME["view_difference"]).click()
    why = FRAME["unlike_patches"].format(a="7 × 7", b="4 × 4")
    expect(half(page, "difference").locator(".why")).to_have_text(why)
    button(page, FRAME["view_both"]).click()
    expect(half(page, "a").locator(".head-maps")).to_be_visible()


def test_the_slider_of_either_half_moves_both(visit):
    page = opened(visit, {"source": "untrained"}, "blocks").page
    half(page, "b").get_by_role("slider").press("End")
    for name in "ab":
        expect(half(page, name).get_by_role("slider")).to_have_value("4")
    button(page, FRAME["view_difference"]).click()
    slider = half(page, "difference").get_by_role("slider")
    expect(slider).to_have_value("4")
    slider.press("Home")
    expect(half(page, "a").locator("output")).to_have_text("before block 1")


@pytest.mark.parametrize("second", [{"source": "untrained"}, {"source": "cifar10"}])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_every_screen_of_two_halves_fits_its_window(visit, subtests, width, height, second):
    visitor = opened(visit, second, "draw", width=width, height=height)
    page = visitor.page
    for name in ORDER:
        with subtests.test(name):
            at(page, name)
            assert page.evaluate(TOO_HIGH) == [0, 0]
            assert visitor.sideways() == [0, 0]
            assert story(page).evaluate(STAYS_INSIDE) == []
        if name != ORDER[-1]:
            button(page, "Next").click()


def test_on_a_telephone_a_tap_or_a_key_turns_to_the_other_half(visit, subtests):
    visitor = opened(visit, {"source": "untrained"}, "draw", width=390, height=844, has_touch=True)
    page = visitor.page
    a, b = half(page, "a"), half(page, "b")
    for name in ORDER:
        with subtests.test(name):
            at(page, name)
            assert visitor.sideways() == [0, 0]
        if name == "patches":
            expect(a).to_be_visible()
            expect(b).to_be_hidden()
            button(page, "B").tap()
            expect(b).to_be_visible()
            expect(a).to_be_hidden()
            assert a.bounding_box() == b.bounding_box()
            button(page, "A").focus()
            page.keyboard.press("Enter")
            expect(a).to_be_visible()
            expect(b).to_be_hidden()
            button(page, FRAME["view_b"]).tap()
        if name == "numbers":
            expect(b).to_be_visible()  # the half stays when the screen turns
        if name != ORDER[-1]:
            button(page, "Next").tap()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_two_halves(visit, subtests, scheme: str):
    visitor = opened(visit, {"edits": "h3.1_m10"}, "draw", scheme=scheme, width=1024, height=768)
    page = visitor.page
    page.emulate_media(reduced_motion="reduce")
    for name in ORDER:
        at(page, name)
        with subtests.test(name):
            assert findings(visitor, of_colours=scheme == "dark") == []
        difference = button(page, FRAME["view_difference"])
        if name in ("attention", "draw", "blocks"):
            difference.click()
            with subtests.test(f"{name}, difference"):
                assert findings(visitor, of_colours=scheme == "dark") == []
            button(page, FRAME["view_both"]).click()
        if name != ORDER[-1]:
            button(page, "Next").click()
    page.emulate_media(reduced_motion="no-preference")


def test_back_forward_and_reload_keep_the_comparison(visit):
    visitor = opened(visit, {"source": "untrained"}, "patches")
    page = visitor.page
    page.get_by_role("button", name="End the comparison").click()
    expect(half(page, "b")).to_have_count(0)
    page.wait_for_url(lambda url: "b=" not in url)
    at(page, "patches")
    visitor.settle()
    page.go_back()
    expect(half(page, "b").locator(".board")).to_be_visible()
    visitor.settle()
    page.reload()
    visitor.settle()
    expect(half(page, "b").locator(".board")).to_be_visible()
    button(page, "Next").click()
    at(page, "numbers")
    expect(page).to_have_url(re.compile("b=.*screen=3$"))
    page.go_back()
    at(page, "patches")
    expect(half(page, "b").locator(".board")).to_be_visible()


def test_what_the_model_is_asked_is_written_in_full(visit, subtests):
    visitor = opened(visit, {"source": "untrained"}, "cover")
    texts = load_texts("story")["screens"]["cover"]
    said = texts["asked"].format(done=49, count=49)
    for width in (1440, 1180, 1024, 768, 390):
        visitor.resize(width, 768 if width > 768 else 1024)
        with subtests.test(f"{width} pixels"):
            found = story(visitor.page).locator(".quiet-word").evaluate(ROOM, said)
            assert found == {"isWhole": True, "isApart": True}


def test_a_pair_is_chosen_in_the_top_row(visit):
    visitor = opened(visit, None, "patches")
    page = visitor.page
    page.get_by_test_id("stMain").get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="Untrained | trained").click()
    expect(half(page, "b").locator(".board")).to_be_visible()
    at(page, "patches")
    expect(half(page, "b").locator("h3")).to_have_text(re.compile("^B: "))
    visitor.settle()
    expect(page).to_have_url(re.compile("b="))
    expect(page).to_have_url(re.compile("screen=2"))


@pytest.mark.parametrize("second", [{"source": "best"}, {"edits": "x2_m0_s1.2"}])
def test_what_is_drawn_goes_to_both_halves(visit, second):
    visitor = opened(visit, second, "draw")
    page = visitor.page
    canvas = story(page).locator(".pad canvas")
    expect(half(page, "b").locator(".bar.best .name")).to_have_text("3")
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 5
    button(page, "Clear").click()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 0.6 * box["height"], steps=12)
    for name in "ab":
        expect(half(page, name).locator(".bar.best .name")).to_have_text("1")
    assert "picture=" not in visitor.link()
    while_drawn: list[str] = []  # until the browser has answered the last movement
    shown = half(page, "b").locator(".bars")

    def is_answered() -> bool:
        while_drawn.append(shown.inner_text())
        page.wait_for_timeout(500)
        return shown.inner_text() == while_drawn[-1]

    wait_until(page, is_answered)
    page.mouse.up()
    page.wait_for_url("**picture=*")
    visitor.settle()
    assert shown.inner_text() == while_drawn[-1]  # the server agrees


def test_two_halves_that_are_left_listen_to_nothing(visit):
    visitor = visit()
    page = visitor.page
    visitor.open("train")
    page.evaluate(COUNT_LISTENERS)
    tops = page.get_by_test_id("stTopNavLinkContainer")
    tops.get_by_text("Story", exact=True).click()
    expect(story(page).locator("h2")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="Untrained | trained").click()
    for _ in range(2):
        expect(half(page, "b").locator(".board")).to_be_visible()
        visitor.settle()
        assert page.evaluate("globalThis.heardByStory.length") > 0
        tops.get_by_text("Train", exact=True).click()
        page.wait_for_url("**/train*")
        page.wait_for_function("globalThis.heardByStory.length === 0")
        engines = "globalThis[Symbol.for('vit-explainer.live')].engines.size"
        page.wait_for_function(f"{engines} === 0")  # no worker runs on
        tops.get_by_text("Story", exact=True).click()
