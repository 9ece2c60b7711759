"""The teacher's window beside the story: two tabs of one browser that follow each other."""

import json
import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect
from story_helpers import at
from test_accessibility import findings

from explainer.content import load_texts
from explainer.shell.story_screens import ORDER

pytestmark = pytest.mark.browser

TEXTS = load_texts("teacher")["frame"]
CLASS = "vit-explainer.class"
SPEAK = f"""(messages) => {{
  const line = new BroadcastChannel("{CLASS}");
  for (const message of messages) line.postMessage(message);
  line.close();
}}"""


def window(visit: Callable[..., Visit], link: str = "", **size) -> Visit:
    visitor = visit(**({"width": 1024, "height": 768} | size))
    visitor.open(f"teacher{link}")
    expect(visitor.page.locator(".teacher h2")).to_be_visible()
    return visitor


def beside(visitor: Visit, link: str) -> Page:
    """Open the story in another tab of the same browser."""
    page = visitor.page.context.new_page()
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(f"{visitor.url}/{link}")
    expect(page.locator(".story[data-screen] h2")).to_be_visible()
    return page


def shown(page: Page) -> Locator:
    return page.locator(".teacher .now")


def shows(page: Page, screen: str) -> None:
    number = ORDER.index(screen) + 1
    expect(shown(page).locator(".progress")).to_have_text(f"Screen {number} of {len(ORDER)}")


def button(page: Page, name: str) -> Locator:
    return page.locator(".teacher").get_by_role("button", name=TEXTS[name], exact=True)


def test_two_tabs_follow_each_other(visit):
    visitor = window(visit)
    page = visitor.page
    notice = page.locator(".teacher .notice")
    expect(notice).to_be_visible()
    expect(button(page, "blank")).to_be_disabled()
    picture = shown(page).locator(".story.mini .stage")
    expect(picture).to_be_visible()  # what the class sees, small
    story = beside(visitor, "story?present=1&screen=2")
    shows(page, "patches")
    expect(notice).to_be_hidden()
    expect(picture).to_be_visible()
    story.keyboard.press("PageDown")
    shows(page, "numbers")
    button(page, "next").click()
    at(story, "extra_row")
    page.keyboard.press("PageUp")
    at(story, "numbers")
    button(page, "blank").click()
    expect(story.locator(".present-black")).to_be_visible()
    button(page, "unblank").click()
    expect(story.locator(".present-black")).to_have_count(0)
    story.keyboard.press(".")
    expect(button(page, "unblank")).to_be_visible()
    story.keyboard.press("x")
    expect(button(page, "blank")).to_be_visible()
    # another picture and another model
    story.keyboard.press("Home")
    story.get_by_role("button", name="A handwritten 3").click()
    page.wait_for_url("**/teacher?digit=3")
    expect(shown(page).locator(".answer")).to_contain_text("it says 3")
    story.goto(f"{visitor.url}/story?source=cifar10&sample=3&present=1&screen=1")
    page.wait_for_url(re.compile("source=cifar10&sample=3"))
    expect(shown(page).locator(".answer")).to_contain_text("it says cat")
    story.close()
    expect(notice).to_be_visible()


def test_the_story_that_was_used_last_leads(visit):
    visitor = window(visit)
    page = visitor.page
    first = beside(visitor, "story?screen=3")
    shows(page, "numbers")
    second = beside(visitor, "story?screen=7")
    shows(page, "heads")
    first.keyboard.press("PageDown")
    shows(page, "extra_row")
    button(page, "next").click()
    at(first, "position")
    at(second, "heads")
    first.close()
    shows(page, "heads")
    second.close()


def test_what_is_left_is_gone_and_asks_nobody(visit):
    visitor = window(visit)
    page = visitor.page
    story = beside(visitor, "story?screen=4")
    shows(page, "extra_row")
    story.get_by_test_id("stTopNavLinkContainer").get_by_text("Train", exact=True).click()
    expect(page.locator(".teacher .notice")).to_be_visible()
    page.get_by_test_id("stTopNavLinkContainer").get_by_text("Train", exact=True).click()
    page.wait_for_url("**/train*")
    visitor.settle()
    asks = story.evaluate(
        f"""() => new Promise((done) => {{
          const line = new BroadcastChannel("{CLASS}");
          let asks = 0;
          line.onmessage = () => (asks += 1);
          setTimeout(() => {{ line.close(); done(asks); }}, 5000);
        }})"""
    )
    assert asks == 0
    story.close()


@pytest.mark.parametrize("link", ["", "source=cifar10&sample=3"])
def test_the_answer_is_the_one_of_the_story(visit, subtests, link):
    visitor = window(visit, f"?{link}")
    page = visitor.page
    page.emulate_media(reduced_motion="reduce")
    story = beside(visitor, f"story?{link}&present=1")
    for name in ORDER:
        at(story, name)
        shows(page, name)
        with subtests.test(name):
            answer = shown(page).locator(".answer")
            expect(answer).not_to_have_text(TEXTS["computing"])
            question = story.locator(".story .prediction")
            if question.count():
                asked = story.locator(".prediction .question").inner_text().split("\n")[-1].strip()
                expect(shown(page).locator(".question")).to_have_text(
                    re.sub("^Predict ", "", asked)
                )
                offered = story.locator(".option, [data-choice]").first
                offered.wait_for()
                number = offered.get_attribute("data-choice") or "1"
                story.keyboard.press(number)
                expect(story.locator(".verdict")).to_be_visible()
                kept = json.loads(
                    story.evaluate("localStorage.getItem('vit-explainer.story-answers')")
                )
                (right,) = [one["right"] for key, one in kept.items() if key.split()[0] == name]
                expect(answer).to_contain_text(right)
        story.keyboard.press("PageDown")
    story.close()


def test_hostile_messages_change_nothing(visit):
    visitor = window(visit)
    page = visitor.page
    story = beside(visitor, "story?present=1&screen=4")
    shows(page, "extra_row")
    good = {
        "kind": "screen", "from": "a" * 16, "screen": 9, "isBlank": False, "used": 1, "link": "",
    }  # fmt: skip
    late = page.evaluate("Date.now() + 1e9")
    bad = [
        None, 3, "x", [], {}, {"kind": "constructor"}, {"kind": "__proto__"}, {"kind": ["screen"]},
        good | {"screen": 99}, good | {"screen": "9"}, good | {"used": late}, good | {"used": "9"},
        good | {"from": "<b>"}, good | {"link": "digit=3\n"}, good | {"link": "<script>"},
        good | {"link": "a" * 9000, "used": late - 1e9}, good | {"isBlank": "yes"},
        {"kind": "turn", "to": "a" * 16, "screen": 2}, {"kind": "turn", "screen": 2},
        {"kind": "blank", "to": "a" * 16, "isBlank": True}, {"kind": "gone", "from": "b" * 16},
    ]  # fmt: skip
    other = visitor.page.context.new_page()
    other.goto(f"{visitor.url}/_stcore/health")
    other.evaluate(SPEAK, bad)
    other.evaluate(SPEAK, [good])  # of long ago: the story that is used leads
    other.close()
    story.keyboard.press("PageDown")
    shows(page, "position")
    at(story, "position")
    expect(story.locator(".present-black")).to_have_count(0)
    assert "digit" not in visitor.link()
    story.close()


def test_the_clock_says_who_is_behind_and_survives_a_reload(visit):
    visitor = visit(width=1024, height=768)
    page = visitor.page
    page.clock.install()
    visitor.open("teacher")
    pace, left = page.locator(".teacher .pace"), page.locator(".teacher .remaining")
    expect(left).to_have_text("30 min left")
    page.locator(".teacher").get_by_role("button", name="15 min").click()
    expect(pace).to_have_text("This screen has 2 minutes.")
    button(page, "start").click()
    page.clock.run_for(60_000)
    expect(left).to_have_text("14 min left")
    expect(pace).to_contain_text(TEXTS["on_time"])
    page.clock.run_for(3 * 60_000 + 1000)
    expect(pace).to_contain_text("You are 2 minutes behind.")
    page.reload()
    visitor.settle()
    expect(pace).to_contain_text("You are 2 minutes behind.")
    button(page, "next").click()
    button(page, "next").click()  # numbers are left out
    shows(page, "extra_row")
    expect(pace).to_contain_text(TEXTS["on_time"])
    button(page, "next").click()
    shows(page, "attention")
    button(page, "pause").click()
    before = left.inner_text()
    page.clock.run_for(120_000)
    expect(left).to_have_text(before)
    button(page, "reset").click()
    expect(left).to_have_text("15 min left")
    page.evaluate(
        "localStorage.setItem('vit-explainer.class-clock', '{\"plan\": 7, \"spent\": -1}')"
    )
    page.reload()
    visitor.settle()
    expect(left).to_have_text("30 min left")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_telephone(visit, subtests, scheme):
    visitor = window(visit, scheme=scheme, width=390, height=844)
    page = visitor.page
    page.emulate_media(reduced_motion="reduce")
    page.locator(".teacher").get_by_role("button", name="45 min").click()
    for name in ORDER:
        shows(page, name)
        with subtests.test(name):
            expect(shown(page).locator(".answer")).not_to_have_text(TEXTS["computing"])
            assert visitor.sideways() == [0, 0]
            assert findings(visitor, of_colours=scheme == "dark") == []
        page.keyboard.press("PageDown")


def test_the_window_fits_a_laptop_beside_the_story(visit, subtests):
    page = window(visit).page
    page.locator(".teacher").get_by_role("button", name="45 min").click()
    for name in ORDER:
        shows(page, name)
        with subtests.test(name):
            expect(shown(page).locator(".answer")).not_to_have_text(TEXTS["computing"])
            high = "(main) => main.scrollHeight - main.clientHeight"
            assert page.get_by_test_id("stMain").evaluate(high) == 0
        page.keyboard.press("PageDown")


def test_it_opens_from_the_list_of_keys(visit):
    visitor = visit(width=1024, height=768)
    page = visitor.page
    visitor.open("story?digit=3&present=1&screen=6")
    at(page, "attention")
    page.keyboard.press("?")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Teacher's window").click()
    other = opened.value
    expect(other.locator(".teacher h2")).to_be_visible()
    assert "/teacher?digit=3" in other.url and "present" not in other.url
    shows(other, "attention")
    other.close()
