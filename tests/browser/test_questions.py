"""Questions in a real browser: one click answers, so does the keyboard, and "Show me" leads on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser_helpers import ROOT, Visit, served
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

# a page with a question in each of two parts: one shows its answer itself, one in a fold far below
SCRIPT = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from explainer.shell import quiz
from explainer.shell.fold import fold
from explainer.state.place import Place
from vit_core import ViTConfig

place = Place(ViTConfig())
quiz.sync()

@st.fragment
def draw():
    st.title("A page")
    for part, shows in (("first", "deeper"), ("second", "")):
        with st.container(key=f"part-{{part}}"):
            st.header(part)
            options = ("*forty* **nine**", "fifty", "<b>hundred</b>")
            quiz.show_question(
                "patches",
                quiz.Question(part, f"How **many** {{part}}?", options, 1, "Because.", part, shows),
                place,
            )
            st.markdown("A few words.")
            st.html(f'<p id="picture-{{part}}" style="height: 90vh">picture</p>')
    with fold(place, "deeper", "Deeper") as is_open:
        if is_open:
            st.html('<p id="inside">inside</p>')

draw()
quiz.show_kept()
"""
HOSTILE = {
    "text": "<img src=x onerror=alert(1)>",
    "answers of no kind": json.dumps({"answers": {"a": 1}, "nickname": {"b": 2}}),
    "markup": json.dumps(
        {
            "answers": [
                [
                    "0123456789abcdef",
                    {
                        "time": "2026-01-01T10:00:00+00:00",
                        "view": "patches",
                        "question": "<script>document.title='no'</script>",
                        "given": "<img src=x onerror=document.title='no'>",
                        "right": "**",
                        "link": "digit=3",
                    },
                ],
                ["__proto__", {"polluted": True}],
            ],
            "nickname": "<img src=x onerror=document.title='no'>",
        }
    ),
    "deep": "[" * 50_000,
    "long": "x" * 500_000,
}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("questions")
    path: Path = folder / "questions.py"
    path.write_text(SCRIPT, encoding="utf-8")
    # this folder has none of the app's settings, and Streamlit would ask its own host for more
    with served(path, folder, STREAMLIT_BROWSER_GATHER_USAGE_STATS="false") as url:
        yield url


def question(visitor: Visit, which: int = 0) -> Locator:
    return visitor.page.locator("[class*=st-key-question-]").nth(which)


def open_options(card: Locator) -> Locator:
    return card.get_by_test_id("stButtonGroup").get_by_role("radio")


def test_one_click_answers_and_all_options_stay(visit: Callable[..., Visit], script: str):
    one = visit(url=script)
    one.open()
    card = question(one)
    open_options(card).nth(2).click()
    shown = card.locator("li")
    expect(shown).to_have_text(
        [
            "*forty* nine",
            "✓fifty (the right answer)",
            "✗<b>hundred</b> (your answer, not right)",
        ]
    )
    expect(card).to_contain_text("Not quite. Because.")
    expect(open_options(card)).to_have_count(0)


def test_a_question_is_answered_by_keyboard_and_the_focus_goes_on(
    visit: Callable[..., Visit], script: str
):
    one = visit(url=script)
    one.open()
    card = question(one)
    open_options(card).first.focus()
    one.page.keyboard.press("ArrowRight")
    expect(open_options(card).nth(1)).to_be_focused()  # to move is not yet to answer
    one.page.keyboard.press("Enter")
    answered = card.get_by_role("list", name="fifty: your answer, right")
    expect(answered).to_be_focused()
    expect(card.get_by_role("button", name="Show me")).to_have_count(0)


def test_show_me_opens_the_fold_that_shows_it_and_goes_there(
    visit: Callable[..., Visit], script: str
):
    one = visit(url=script, height=600)
    one.open()
    card = question(one)
    open_options(card).first.click()
    button = card.get_by_role("button", name="Show me")
    button.focus()
    one.page.keyboard.press("Enter")
    expect(one.page.locator("#inside")).to_be_in_viewport()
    expect(one.page.locator(".st-key-fold-deeper")).to_be_focused()


def test_show_me_goes_to_the_picture_of_its_own_part(visit: Callable[..., Visit], script: str):
    one = visit(url=script, height=600)
    one.open()
    card = question(one, 1)
    open_options(card).first.click()
    card.get_by_role("button", name="Show me").click()
    expect(one.page.locator("#picture-second")).to_be_in_viewport(ratio=0.9)
    expect(one.page.locator(":focus").locator("#picture-second")).to_have_count(1)


# a reload


def stored(visitor: Visit) -> str | None:
    return visitor.page.evaluate("localStorage.getItem('vit-explainer.answers')")


def test_answers_and_nickname_survive_a_reload_until_they_are_forgotten(
    visit: Callable[..., Visit], script: str
):
    one = visit(url=script)
    one.open()
    open_options(question(one)).first.click()
    expect(question(one).locator("li.chosen_wrong")).to_have_count(1)
    nickname = one.page.get_by_role("textbox", name="Nickname")
    nickname.fill("Ann")
    nickname.press("Enter")
    one.page.wait_for_function("(localStorage['vit-explainer.answers'] || '').includes('Ann')")

    one.open()
    expect(question(one).locator("li.chosen_wrong")).to_have_count(1)
    expect(question(one).get_by_role("button", name="Show me")).to_be_visible()
    expect(one.page.get_by_role("textbox", name="Nickname")).to_have_value("Ann")
    expect(open_options(question(one, 1))).to_have_count(3)
    assert not one.page.evaluate("document.activeElement.matches('ul')")

    one.page.get_by_role("button", name="Forget my answers").click()
    one.page.get_by_role("button", name="Delete them").click()
    expect(open_options(question(one))).to_have_count(3)
    one.page.wait_for_function("localStorage['vit-explainer.answers'] === undefined")
    one.open()
    expect(open_options(question(one))).to_have_count(3)
    expect(one.page.get_by_role("textbox", name="Nickname")).to_have_value("")


@pytest.mark.parametrize("kind", HOSTILE)
def test_whatever_is_in_the_store_does_no_harm(visit: Callable[..., Visit], script: str, kind: str):
    one = visit(url=script)
    one.open()
    one.page.evaluate("text => localStorage.setItem('vit-explainer.answers', text)", HOSTILE[kind])
    one.open()
    expect(one.page.get_by_role("heading", name="A page")).to_be_visible()
    open_options(question(one)).first.click()
    expect(question(one).locator("li.chosen_wrong")).to_have_count(1)
    one.page.wait_for_function("(localStorage['vit-explainer.answers'] || '').includes('*forty*')")
    assert one.page.title() != "no"
    assert one.page.locator("img").count() == 0
    assert one.page.evaluate("({}).polluted === undefined")
    one.open()
    expect(question(one).locator("li.chosen_wrong")).to_have_count(1)


def test_the_score_stands_on_home(visit: Callable[..., Visit]):
    one = visit()
    one.open("multi-head")
    card = question(one)
    open_options(card).first.click()
    expect(card.locator("li[class^=chosen]")).to_contain_text("your answer")
    one.page.get_by_test_id("stTopNavLinkContainer").get_by_text("Home", exact=True).click()
    one.page.get_by_text("Your predictions", exact=True).click()
    expect(one.page.get_by_role("table").last).to_contain_text("Multi-head")
