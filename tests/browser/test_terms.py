"""Words of the glossary in a real browser: explained in place, by pointer, keyboard and touch."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser_helpers import ROOT, Visit, served
from playwright.sync_api import Locator, expect

from explainer.content.terms import gloss
from explainer.shell.routes import TITLES

pytestmark = pytest.mark.browser

SCRIPT = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from explainer.components.terms import explain_terms
from explainer.content.term_links import with_links

explain_terms()
st.title("A page")
st.markdown(with_links("A [[block]] has [[head|heads]], and [nonsense](glossary#nonsense)."))
st.button("Something else")
"""
HEAD = gloss("head").text


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("terms")
    path: Path = folder / "terms.py"
    path.write_text(SCRIPT, encoding="utf-8")
    # this folder has none of the app's settings, and Streamlit would ask its own host for more
    with served(path, folder, STREAMLIT_BROWSER_GATHER_USAGE_STATS="false") as url:
        yield url


@pytest.fixture
def page(visit: Callable[..., Visit], script: str) -> Visit:
    one = visit(url=script)
    one.open()
    return one


def word(visitor: Visit, name: str = "heads") -> Locator:
    return visitor.page.get_by_role("link", name=name, exact=True)


def explanation(visitor: Visit) -> Locator:
    return visitor.page.locator("#gloss")


def test_a_click_opens_and_closes_and_goes_nowhere(page: Visit):
    link = word(page)
    link.click()
    expect(explanation(page)).to_be_visible()
    expect(explanation(page)).to_contain_text(HEAD)
    expect(explanation(page).locator("svg")).to_have_count(1)
    expect(link).to_have_accessible_description(f"head {HEAD}")
    link.click()
    expect(explanation(page)).to_be_hidden()
    link.click()
    page.page.get_by_role("heading", name="A page").click()
    expect(explanation(page)).to_be_hidden()
    assert page.link() == "" and len(page.page.context.pages) == 1


def test_the_keyboard_opens_it_by_focus_and_escape_closes_it(page: Visit):
    word(page, "block").focus()
    page.page.keyboard.press("Tab")
    expect(word(page)).to_be_focused()
    expect(explanation(page)).to_contain_text(HEAD)
    page.page.keyboard.press("Escape")
    expect(explanation(page)).to_be_hidden()
    expect(word(page)).to_be_focused()
    page.page.keyboard.press("Enter")
    expect(explanation(page)).to_contain_text(HEAD)
    page.page.get_by_role("button", name="Something else").focus()
    page.page.keyboard.press("Escape")
    expect(explanation(page)).to_be_hidden()
    assert page.link() == "" and len(page.page.context.pages) == 1


def test_a_pointer_that_rests_opens_it_and_one_that_leaves_closes_it(page: Visit):
    word(page).hover()
    expect(explanation(page)).to_contain_text(HEAD)
    page.page.get_by_role("button", name="Something else").hover()
    expect(explanation(page)).to_be_hidden()


def test_a_tap_opens_it_inside_the_window_of_a_telephone(visit: Callable[..., Visit], script: str):
    one = visit(width=390, height=700, has_touch=True, url=script)
    one.open()
    word(one).tap()
    expect(explanation(one)).to_be_in_viewport(ratio=1)
    one.page.get_by_role("heading", name="A page").tap()
    expect(explanation(one)).to_be_hidden()
    assert one.link() == ""


def test_a_word_that_the_glossary_lacks_stays_a_link(page: Visit):
    link = word(page, "nonsense")
    link.hover()
    expect(link).to_have_attribute("href", "glossary#nonsense")
    expect(explanation(page)).to_be_hidden()


def test_a_link_to_a_word_brings_it_into_sight_and_its_page_opens(visit: Callable[..., Visit]):
    one = visit()
    one.open("glossary?digit=3#softmax")
    entry = one.page.locator("#softmax")
    expect(entry).to_be_in_viewport()
    expect(entry).to_be_focused()
    entry.get_by_role("link", name=TITLES["self_attention"], exact=True).click()
    one.page.wait_for_url("**/self-attention?*digit=3*")
    one.settle()
    expect(one.page.get_by_role("heading", level=1)).to_contain_text("Self-attention")
