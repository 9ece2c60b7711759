"""The guide, the questions and the link of a page, by keyboard and in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from explainer.content import load_texts

pytestmark = pytest.mark.browser
GUIDE = load_texts("multi_head")["guide"]


def test_the_guide_is_walked_with_one_key_to_the_next_page(visit):
    walk = visit()
    walk.open("multi-head?mode=guided&digit=3")
    onward = walk.page.locator(".st-key-guide-next button")
    onward.focus()
    for number in range(2, len(GUIDE) + 1):
        walk.page.keyboard.press("Enter")
        card = walk.page.locator(".st-key-guide")
        expect(card).to_contain_text(f"Step {number} of {len(GUIDE)}")
        walk.settle()
        expect(onward).to_be_focused()
        expect(card).to_be_in_viewport()
        top = card.evaluate("(e) => e.getBoundingClientRect().top")
        assert top >= 60, "below the bar at the top"
    expect(onward).to_have_text("Next page: Encoder block")
    walk.page.keyboard.press("Enter")
    walk.page.wait_for_url("**/encoder-block?*mode=guided*")
    assert "digit=3" in walk.link() and "step" not in walk.link()
    walk.check()


def test_the_card_stays_in_sight_of_a_long_part(visit):
    walk = visit()
    walk.open("multi-head?mode=guided")
    card = walk.page.locator(".st-key-guide")
    walk.page.locator(".st-key-part-questions, [class*=st-key-part-]").last.evaluate(
        "(e) => e.scrollIntoView({block: 'end'})"
    )
    expect(card).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("allowed", [True, False])
def test_the_link_is_copied_and_said(visit, allowed):
    home = visit()
    if allowed:
        home.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:
        home.page.add_init_script("delete Navigator.prototype.clipboard")
    home.open("multi-head?digit=3&head=2")
    home.page.get_by_role("button", name="Copy link").click()
    said = home.page.get_by_role("status").filter(has_text=re.compile("Link copied|The link is"))
    expect(said).to_be_visible()
    if allowed:
        assert home.page.evaluate("navigator.clipboard.readText()") == home.page.url
    home.check()


def test_a_link_that_cannot_be_copied_is_shown_to_copy_by_hand(visit):
    home = visit()
    home.page.add_init_script(
        "delete Navigator.prototype.clipboard; Document.prototype.execCommand = () => false"
    )
    home.open("?digit=3")
    home.page.get_by_role("button", name="Copy link").click()
    field = home.page.get_by_role("textbox", name="Link to this page")
    expect(field).to_have_value(home.page.url)
    expect(field).to_be_focused()
    home.check()


def test_a_question_is_answered_by_keyboard_and_the_focus_goes_on(visit):
    page = visit()
    page.open(f"multi-head?mode=guided&step={len(GUIDE) - 1}")
    first = page.page.locator("[class*=st-key-question-]").first
    first.get_by_role("radio").first.focus()
    page.page.keyboard.press("Space")
    first.get_by_role("button", name="Answer").press("Enter")
    verdict = first.get_by_text(re.compile("Right|Not quite"))
    expect(verdict).to_be_focused()
    expect(first).to_contain_text("Your answer: ")
    page.page.get_by_test_id("stTopNavLinkContainer").get_by_text("Home", exact=True).click()
    expect(page.page.get_by_test_id("stTable")).to_contain_text("Multi-head")
    page.check()


def test_the_code_is_read_and_scrolled_by_keyboard(visit):
    page = visit(width=390)
    page.open("multi-head")
    panel = page.page.get_by_test_id("stExpander").filter(has_text="The code that ran").first
    panel.locator("summary").press("Enter")
    code = panel.get_by_role("group", name=re.compile("Source code"))
    expect(code.locator("mark").first).to_be_visible()
    code.focus()
    expect(code).to_be_focused()
    page.check()


def test_hidden_controls_leave_no_sidebar(visit):
    page = visit()
    page.open("multi-head?controls=hide&digit=3")
    expect(page.page.locator("[class*=st-key-part-]").first).to_be_visible()
    expect(page.page.get_by_test_id("stSidebarContent")).to_have_count(0)
    page.page.get_by_role("link", name=re.compile("Encoder block →")).click()
    page.page.wait_for_url("**/encoder-block?*")
    page.settle()
    assert "controls=hide" in page.link() and "digit=3" in page.link()
    expect(page.page.get_by_test_id("stSidebarContent")).to_have_count(0)
    page.check()


def test_a_hostile_link_is_answered_in_words_that_do_nothing(visit):
    page = visit()
    page.open("multi-head?width=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&head=77&cell=x.9.9")
    said = page.page.locator(".refused")
    expect(said.locator("p")).to_have_count(3)
    expect(said).to_contain_text("width=<img src=x onerror=alert(1)>")
    expect(said.locator("img")).to_have_count(0)
    page.check()
