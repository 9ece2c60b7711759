"""The code, the questions and the link of a page, by keyboard and in a real browser."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit, wait_until
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_link_is_copied_and_said_or_shown_to_copy_by_hand(visit: Callable[..., Visit]):
    home = visit()
    page = home.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    home.open("multi-head?digit=3&head=2")
    button = page.get_by_role("button", name="Copy link")
    field = page.get_by_role("textbox", name="Link to this page")
    copied = page.get_by_role("status").filter(has_text="Link copied")
    button.click()
    expect(copied).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url

    # as over plain http, where a page can only ask the browser to copy what is selected
    page.evaluate("navigator.clipboard.writeText('something else')")
    page.evaluate(
        "const value = undefined, configurable = true;"
        "Object.defineProperty(navigator, 'clipboard', {value, configurable})"
    )
    button.click()
    expect(button).to_be_focused()
    expect(copied).to_be_visible()
    expect(field).to_be_hidden()
    page.evaluate("delete navigator.clipboard")
    # that it was copied may still be said of the first time
    wait_until(page, lambda: page.evaluate("navigator.clipboard.readText()") == page.url)

    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate("document.execCommand = () => false")
    button.click()
    expect(page.get_by_role("status").filter(has_text="The link is")).to_be_visible()
    expect(field).to_have_value(page.url)
    expect(field).to_be_focused()


def test_the_code_is_read_and_scrolled_by_keyboard(visit: Callable[..., Visit]):
    page = visit(width=390)
    page.open("multi-head")
    page.page.get_by_role("switch", name="Code").or_(
        page.page.get_by_role("checkbox", name="Code")
    ).press("Space")
    panel = page.page.get_by_test_id("stExpander").filter(has_text="The code that ran").first
    code = panel.get_by_role("group", name=re.compile("Source code"))
    expect(code.locator("mark").first).to_be_visible()
    code.focus()
    expect(code).to_be_focused()


def test_hidden_controls_leave_no_sidebar(visit: Callable[..., Visit]):
    page = visit()
    page.open("multi-head?controls=hide&digit=3")
    expect(page.page.locator("[class*=st-key-part-]").first).to_be_visible()
    expect(page.page.get_by_test_id("stSidebarContent")).to_have_count(0)
    page.page.get_by_role("link", name=re.compile("Encoder block →")).click()
    page.page.wait_for_url("**/encoder-block?*")
    page.settle()
    assert "controls=hide" in page.link() and "digit=3" in page.link()
    expect(page.page.get_by_test_id("stSidebarContent")).to_have_count(0)


def test_a_hostile_link_is_answered_in_words_that_do_nothing(visit: Callable[..., Visit]):
    page = visit()
    page.open("multi-head?width=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&head=77&cell=x.9.9")
    said = page.page.locator(".refused")
    expect(said.locator("p")).to_have_count(3)
    expect(said).to_contain_text("width=<img src=x onerror=alert(1)>")
    expect(said.locator("img")).to_have_count(0)
