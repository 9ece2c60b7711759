"""The story in a real browser: by keyboard alone, with its experiments, Back and Forward."""

import json
import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit, wait_until
from playwright.sync_api import Locator, Page, expect
from story_helpers import STAYS_INSIDE, TOO_HIGH, at, button, story
from test_accessibility import findings

from explainer.content import load_texts
from explainer.shell.story_screens import ORDER

pytestmark = pytest.mark.browser

TEXTS = load_texts("story")
COUNT = len(ORDER)


def opened(visit: Callable[..., Visit], screen: str | int = 1, link: str = "", **window) -> Visit:
    visitor = visit(**window)
    number = screen if isinstance(screen, int) else ORDER.index(screen) + 1
    visitor.open(f"story?{link}screen={number}")
    expect(visitor.page.locator(".story h2")).to_be_visible()
    return visitor


def patch(page: Page, row: int, column: int) -> Locator:
    name = re.compile(f"^row {row}, column {column}(,|$)")
    return story(page).get_by_role("button", name=name)


def answers_of(page: Page) -> dict[str, dict]:
    kept = page.evaluate("localStorage.getItem('vit-explainer.story-answers')")
    return {name.split(" ")[0]: answer for name, answer in json.loads(kept or "{}").items()}


def test_the_whole_story_by_keyboard_alone(visit: Callable[..., Visit]):
    page = opened(visit).page
    keys = page.keyboard
    for name in ORDER:
        at(page, name)
        expect(story(page).locator("h2")).to_be_visible()
        option = story(page).locator(".option").first
        if name == "map":
            expect(option).to_be_visible()  # it is asked once the points are there
        if option.count():
            option.focus()
            keys.press("Enter")
            expect(story(page).locator(".verdict")).to_be_focused()
        elif name == "attention":
            patch(page, 1, 1).focus()
            keys.press("ArrowRight")
            keys.press("ArrowDown")
            expect(patch(page, 2, 2)).to_be_focused()
            keys.press("Enter")
            expect(story(page).locator(".verdict")).to_be_focused()
        elif name == "answer":
            story(page).locator("button.stage-row").nth(1).focus()
            keys.press("ArrowDown")
            keys.press("Enter")
            expect(story(page).locator(".verdict")).to_be_focused()
        elif name == "cover":
            patch(page, 4, 4).focus()
            keys.press("Enter")
            expect(story(page).locator(".verdict")).to_be_focused()
        elif name == "alike":
            patch(page, 4, 4).first.focus()
            keys.press("ArrowRight")
            keys.press("Enter")
            expect(story(page).locator(".verdict")).to_be_focused()
        elif name == "blocks":
            slider = story(page).get_by_role("slider")
            slider.focus()
            keys.press("End")
            expect(slider).to_have_attribute("aria-valuetext", "after block 4")
        if name != ORDER[-1]:
            button(page, "Next").focus()
            keys.press("Enter")
            expect(story(page).locator("h2")).to_be_focused()
    asked = ["extra_row", "position", "attention", "answer", "cover", "loss", "step", "learn"]
    asked += ["where", "truth", "alike", "map"]
    assert sorted(answers_of(page)) == sorted(asked)
    expect(story(page).locator(".doing ol li")).to_have_count(len(asked))
    expect(story(page).locator(".doing ol li.missing")).to_have_count(0)
    train = story(page).get_by_role("link", name="Train your own")
    train.press("Enter")
    page.wait_for_url("**/train*")


def test_keys_turn_the_screens_and_not_while_they_mean_something_else(visit):
    page = opened(visit).page
    for key, name in [
        ("ArrowRight", "patches"),
        ("PageDown", "numbers"),
        ("ArrowLeft", "patches"),
        ("End", "end"),
        ("PageUp", "map"),
        ("Home", "draw"),
        ("ArrowLeft", "draw"),
    ]:
        page.keyboard.press(key)
        at(page, name)
    page.keyboard.press("ArrowRight")
    patch(page, 1, 1).focus()
    page.keyboard.press("ArrowRight")
    expect(patch(page, 1, 2)).to_be_focused()
    page.keyboard.press("End")
    expect(patch(page, 1, 7)).to_be_focused()
    at(page, "patches")


@pytest.mark.parametrize(
    ("width", "height", "link"),
    [
        (1024, 768, ""),
        (1440, 900, ""),
        (1024, 768, "source=cifar10&"),
        (1024, 768, "source=fast&"),
    ],
)
def test_every_screen_fits_its_window(visit, subtests, width: int, height: int, link: str):
    visitor = opened(visit, link=link, width=width, height=height)
    page = visitor.page
    for name in ORDER:
        with subtests.test(name):
            at(page, name)
            assert page.evaluate(TOO_HIGH) == [0, 0]
            assert visitor.sideways() == [0, 0]
            assert story(page).evaluate(STAYS_INSIDE) == []
        if name != ORDER[-1]:
            button(page, "Next").click()


def test_no_screen_is_wider_than_a_telephone_and_the_way_on_is_in_reach(visit, subtests):
    visitor = opened(visit, width=390, height=844)
    tops = "(digits) => digits.map((digit) => digit.getBoundingClientRect().top)"
    assert len(set(story(visitor.page).locator(".sample").evaluate_all(tops))) == 1
    for name in ORDER:
        with subtests.test(name):
            at(visitor.page, name)
            assert visitor.sideways() == [0, 0]
            expect(button(visitor.page, "Back")).to_be_in_viewport(ratio=1)
        if name != ORDER[-1]:
            button(visitor.page, "Next").click()


@pytest.mark.parametrize(("scheme", "link"), [("dark", ""), ("light", "source=cifar10&")])
def test_axe_finds_nothing_serious_on_any_screen(visit, subtests, scheme: str, link: str):
    visitor = opened(visit, link=link, scheme=scheme, width=1024, height=768)
    # what slides in is pale for a moment
    visitor.page.emulate_media(reduced_motion="reduce")
    for name in ORDER:
        with subtests.test(name):
            at(visitor.page, name)
            assert findings(visitor) == []
        option = story(visitor.page).locator(".option").first
        if option.count():
            option.click()
            expect(story(visitor.page).locator(".verdict")).to_be_visible()
            with subtests.test(f"{name}, answered"):
                assert findings(visitor) == []
        if name != ORDER[-1]:
            button(visitor.page, "Next").click()
    visitor.page.emulate_media(reduced_motion="no-preference")


def test_back_forward_reload_and_a_deep_link(visit):
    visitor = opened(visit)
    page = visitor.page
    for _ in range(3):
        button(page, "Next").click()
    at(page, "extra_row")
    expect(page).to_have_url(re.compile("screen=4$"))
    page.go_back()
    at(page, "numbers")
    page.go_back()
    at(page, "patches")
    page.go_back()
    at(page, "draw")
    page.go_forward()
    at(page, "patches")
    page.go_forward()
    at(page, "numbers")
    page.reload()
    visitor.settle()
    at(page, "numbers")
    expect(story(page).locator(".progress")).to_have_text(f"Screen 3 of {COUNT}")


def test_what_the_server_writes_of_an_earlier_screen_gets_into_no_entry_of_the_history(visit):
    page = opened(visit, "patches", "digit=3&").page
    button(page, "Next").click()
    at(page, "numbers")
    # as Streamlit does when an answer comes late, and before the story hears of it
    page.evaluate("history.pushState({}, '', `${location.pathname}?digit=3&screen=2`)")
    expect(page).to_have_url(re.compile(r"\?digit=3&screen=3$"))
    button(page, "Next").click()
    at(page, "extra_row")
    page.go_back()
    at(page, "numbers")
    page.go_back()
    at(page, "patches")
    page.go_forward()
    at(page, "numbers")


def test_back_leads_to_the_picture_of_before_as_well(visit):
    visitor = opened(visit, "patches")
    page = visitor.page
    button(page, "Back").click()
    story(page).get_by_role("button", name="A handwritten 3").click()
    expect(story(page).locator(".bar.best .name")).to_have_text("3")
    page.wait_for_url("**digit=3*")
    page.go_back()
    at(page, "patches")
    page.wait_for_url(lambda url: "digit=3" not in url)
    visitor.settle()
    page.go_forward()
    at(page, "draw")
    expect(story(page).locator(".bar.best .name")).to_have_text("3")


def test_the_numbers_behind_a_screen_and_back_to_it(visit):
    visitor = opened(visit, "position")
    page = visitor.page
    link = story(page).get_by_role("link", name="The numbers behind it")
    link.click()
    page.wait_for_url("**/position*")
    visitor.settle()
    page.go_back()
    at(page, "position")
    link.click()
    page.wait_for_url("**/position*")
    visitor.settle()
    page.get_by_test_id("stTopNavLinkContainer").get_by_text("Story", exact=True).click()
    at(page, "position")


def test_a_prediction_stays_after_a_reload_and_a_wrong_one_is_shown(visit):
    visitor = opened(visit, "extra_row")
    page = visitor.page
    options = TEXTS["screens"]["extra_row"]["options"]
    story(page).get_by_role("button", name=options[0]).click()
    expect(story(page).locator(".verdict")).to_contain_text("Not quite")
    expect(story(page).locator(".option")).to_have_count(2)
    expect(story(page).locator(".proof .other")).to_have_count(3)
    button(page, "Show me").click()
    page.reload()
    visitor.settle()
    expect(story(page).locator(".verdict")).to_contain_text("Not quite")
    expect(story(page).locator(".option:disabled")).to_have_count(2)


def test_a_shuffle_without_position_changes_nothing(visit):
    page = opened(visit, "position").page
    story(page).locator(".option").first.click()
    expect(story(page).locator(".right.two .bars")).to_have_count(2)
    lists = story(page).locator(".right.two .bars")
    before = lists.all_inner_texts()
    assert before[0] != before[1]
    button(page, "Without").click()
    expect(button(page, "Without")).to_have_attribute("aria-pressed", "true")
    wait_until(page, lambda: len({*lists.all_inner_texts()}) == 1)
    assert lists.first.inner_text() != before[0]


def test_covering_patches_fools_the_model(visit):
    page = opened(visit, "cover", "source=default&digit=3&").page
    patch(page, 1, 1).click()
    expect(story(page).locator(".verdict")).to_be_visible()
    said = story(page).get_by_role("status").filter(has_text=re.compile("covered"))
    for row in range(1, 8):
        for column in range(1, 8):
            if said.count() and "Fooled" in said.inner_text():
                return
            patch(page, row, column).click()
            expect(said).to_contain_text(str((row - 1) * 7 + column))
    pytest.fail("no cover has changed the answer")


def test_the_pen_is_answered_by_the_browser_and_the_picture_follows(visit):
    visitor = opened(visit)
    page = visitor.page
    canvas = story(page).locator(".pad canvas")
    expect(story(page).locator(".bar.best .name")).to_have_text("7")
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 5
    button(page, "Clear").click()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 0.6 * box["height"], steps=12)
    expect(story(page).locator(".bar.best .name")).to_have_text("1")
    assert "picture=" not in visitor.link()
    page.mouse.up()
    button(page, "Next").click()
    page.wait_for_url("**/story?picture=*&screen=2")
    at(page, "patches")


def test_that_the_model_gives_no_answer_is_written_in_full(visit, subtests):
    visitor = opened(visit, "draw")
    line = story(visitor.page).locator(".quiet-word")
    for width in (1440, 1024, 768, 390):
        visitor.resize(width, 768 if width > 768 else 1024)
        with subtests.test(f"{width} pixels"):
            is_whole = line.evaluate(
                """(word, said) => {
              word.textContent = said;
              word.classList.add("failed");
              return word.scrollWidth <= word.clientWidth && word.scrollHeight <= word.clientHeight;
            }""",
                load_texts("story")["frame"]["failed"],
            )
            assert is_whole
            # what is drawn follows the new width a moment later
            wait_until(visitor.page, lambda: visitor.sideways() == [0, 0])


def test_reduced_motion_moves_nothing(visit):
    visitor = visit()
    visitor.page.emulate_media(reduced_motion="reduce")
    visitor.open("story?screen=5")
    cell = story(visitor.page).locator(".patch").first
    expect(cell).to_be_visible()
    assert cell.evaluate("(cell) => getComputedStyle(cell).transitionProperty") == "none"
    visitor.page.emulate_media(reduced_motion="no-preference")


def test_a_story_that_is_left_listens_to_nothing(visit):
    visitor = opened(visit, "patches")
    page = visitor.page
    page.get_by_test_id("stTopNavLinkContainer").get_by_text("Train", exact=True).click()
    page.wait_for_url("**/train*")
    visitor.settle()
    link = visitor.link()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    assert visitor.link() == link


def test_a_word_of_a_screen_explains_itself_in_place(visit: Callable[..., Visit]) -> None:
    one = visit(1024, height=768)
    one.open("story?screen=4")
    page = one.page
    word = page.locator(".told a", has_text="class token")
    word.click()
    gloss = page.locator("#gloss")
    expect(gloss).to_be_visible()
    expect(gloss).to_contain_text("class token", ignore_case=True)
    page.keyboard.press("Escape")
    expect(gloss).to_be_hidden()
    assert "/story" in page.url and "screen=4" in page.url
