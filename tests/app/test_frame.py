"""What stands around a page's parts: head, code, neighbours, and what a link did not get."""

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
import streamlit as st
from reading import parameter_of, refusals_of, texts_of
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explainer.shell import frame, refused_links, routes
from explainer.shell.code_panel import Snippet
from explainer.shell.quiz import Question
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core.model import Mlp, SelfAttention

TEXTS = {
    "title": "The title with {number}",
    "lead": "The lead with {number}",
    "parts": {
        "first": {"title": "First {number}", "text": "Text of {number}"},
        "second": {"title": "Second"},
        "third": {"title": "Third", "text": "Text of the third"},
    },
}
STAGED = "class-token"  # the address that shows the page made up here


def made_up() -> ModuleType:
    page = ModuleType("explainer.views.class_token")

    def first(choice: Choice, seen: object, place: Place) -> None:
        st.text("the first part")
        if cell := place.cell_in({"scores": (4, 4)}):
            st.text(f"cell {cell.row}, {cell.column}")

    page.PARTS = {
        "first": first,
        "second": lambda choice, seen, place: st.text("the second part"),
        "third": lambda choice, seen, place: st.text("the third part"),
    }
    page.matrix_shapes = lambda choice, seen, place: {"scores": (4, 4)}
    page.CODE = (Snippet("first", SelfAttention.forward, ("qkv =",)), Snippet("third", Mlp))
    page.facts = lambda choice, seen, place: {"number": 42}
    page.questions = lambda choice, seen, place: [
        Question("one", "Which?", ("a", "b"), 1, "because"),
        Question("two", "Which of the third?", ("c", "d"), 0, "because of it", "third"),
    ]
    return page


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch, open_page: Callable[..., AppTest], shipped: object):
    """Return an opener of a page that is made up here."""
    monkeypatch.setitem(sys.modules, "explainer.views.class_token", made_up())
    load = frame.texts_of
    monkeypatch.setattr(
        frame, "texts_of", lambda name, seen: TEXTS if name == "class_token" else load(name, seen)
    )

    def opened(**params: object) -> AppTest:
        app = open_page(STAGED, **params)
        assert not app.exception, app.exception[0].message
        return app

    return opened


def parts(app: AppTest) -> list[str]:
    return [header.value for header in app.header]


def turn_to(app: AppTest, address: str) -> AppTest:
    app._page_hash = calc_hash(address)
    return app.run()


def test_a_page_shows_every_part_in_order_and_then_the_questions(staged):
    app = staged()
    assert app.title[0].value == "The title with 42"
    assert parts(app) == ["First 42", "Second", "Third", "Predict first"]
    assert [text.value for text in app.text] == [
        "the first part",
        "the second part",
        "the third part",
    ]
    assert "The lead with 42" in texts_of(app) and "Text of 42" in texts_of(app)
    assert "Page 3 of 10" in texts_of(app)


def test_a_question_of_a_part_stands_between_its_title_and_its_text(staged):
    app = staged()
    shown = [block.value for block in app.main.markdown]
    assert shown.index("Which of the third?") < shown.index("Text of the third")
    assert shown.index("Which of the third?") < shown.index("Which?")
    assert [group.label for group in app.main.button_group][-2:] == [
        "Which of the third?",
        "Which?",
    ]


def test_where_all_questions_stand_at_parts_the_end_has_none(staged, monkeypatch):
    page = sys.modules["explainer.views.class_token"]
    two = page.questions(None, None, None)[1]
    monkeypatch.setattr(page, "questions", lambda choice, seen, place: [two])
    assert parts(staged()) == ["First 42", "Second", "Third"]


def test_headings_have_no_gap(staged):
    app = staged()
    assert [heading.proto.tag for heading in app.title] == ["h1"]
    assert {heading.proto.tag for heading in app.header} == {"h2"}


def test_neighbours_keep_the_state_but_what_belongs_to_this_page(staged):
    app = staged(head=2, cell="scores.1.2", mode="guided", step=2)
    found = {link.proto.page: link.proto.query_string for link in app.get("page_link")}
    assert set(found) == {"patch-embedding", "position", "glossary", "story"}
    assert set(found.pop("story").split("&")) == {"head=2", "screen=4"}
    for query in found.values():
        assert set(query.split("&")) == {"head=2"}


def test_an_old_link_to_a_step_of_a_guide_opens_its_whole_page(staged):
    app = staged(mode="guided", step=2, head=1)
    assert len(parts(app)) == 4 and not refusals_of(app)
    assert "This link led to a guide. The story has taken its place." in texts_of(app)
    turn_to(app, "position")
    assert {name: parameter_of(app, name) for name in app.query_params} == {"head": "1"}
    assert "This link led to a guide." not in texts_of(app)


def test_code_stands_under_its_part_once_somebody_switches_it_on(staged):
    app = staged()
    assert not app.main.expander
    app.toggle(key="code").set_value(True).run()
    assert [(panel.label, panel.proto.expanded) for panel in app.main.expander] == [
        ("The code that ran: vit_core/model.py, SelfAttention.forward", True),
        ("The code that ran: vit_core/model.py, Mlp", True),
    ]
    assert parameter_of(app, "code") == "open"
    turn_to(turn_to(app, "position"), STAGED)
    assert len(app.main.expander) == 2 and app.toggle(key="code").value
    app.toggle(key="code").set_value(False).run()
    assert not app.main.expander and "code" not in app.query_params


def test_hidden_code_has_no_panel_and_no_switch(staged):
    app = staged(code="hide")
    assert not app.main.expander and not app.toggle


def test_what_belongs_to_one_page_stays_there_and_comes_back(staged):
    app = staged(cell="scores.1.2", unit=3, temperature=2, head=1)
    assert "cell 1, 2" in [text.value for text in app.text]
    turn_to(app, "")
    assert {name: parameter_of(app, name) for name in app.query_params} == {"head": "1"}
    turn_to(app, STAGED)
    assert parameter_of(app, "cell") == "scores.1.2" and parameter_of(app, "unit") == "3"
    assert "cell 1, 2" in [text.value for text in app.text]


def test_back_takes_the_link_as_the_state_and_keeps_what_belongs_to_the_page_that_is_left(
    staged, monkeypatch
):
    app = staged(head=2, cell="scores.1.2")
    turn_to(app, "position")
    app.session_state[session.SESSION_KEY] = replace(
        app.session_state[session.SESSION_KEY], unit=3, head=1, digit=5
    )
    monkeypatch.setattr(session, "came_through_history", lambda: True)
    for name in list(app.query_params):
        del app.query_params[name]
    app.query_params["head"] = "2"
    app.query_params["cell"] = "scores.0.1"
    turn_to(app, STAGED)
    assert not app.exception and not refusals_of(app)
    now = app.session_state[session.SESSION_KEY]
    assert (now.head, now.digit, now.cell, now.unit) == (2, 7, "scores.0.1", None)
    assert "cell 0, 1" in [text.value for text in app.text]
    monkeypatch.undo()
    assert app.session_state[session.PAGE_LOCAL_KEY]["position"]["unit"] == 3


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"width": "63"}, "width=63; allowed are 8, 16, 32, 64 and 128; 64 is used."),
        ({"head": "9"}, "head=9; this model allows whole numbers from 0 to 3; 3 is used."),
        ({"block": "9"}, "block=9; this model allows whole numbers from 0 to 3; 3 is used."),
        ({"query": "50"}, "query=50; this model allows whole numbers from 0 to 49; 49 is used."),
        ({"index": "5000"}, "index=5000; allowed are whole numbers from 0 to 1027 for a 7;"),
        ({"cell": "scores.4.0"}, "cell=scores.4.0; this page has no such cell; it is left out."),
        ({"cell": "other.1.1"}, "cell=other.1.1; this page has no such cell; it is left out."),
        ({"picture": "x"}, "picture=x; allowed is what this app wrote for a picture"),
        ({"mode": "GUIDED"}, "mode=GUIDED; allowed are free and guided; free is used."),
    ],
)
def test_what_a_link_did_not_get_is_said_once(staged, asked, sentence):
    app = staged(**asked)
    assert refusals_of(app).count("<p>") == 1
    assert sentence in refusals_of(app)
    (name,) = asked
    assert parameter_of(app, name) != asked[name]
    assert sentence in refusals_of(app.run())
    assert not refusals_of(turn_to(app, ""))
    assert not refusals_of(turn_to(app, STAGED))


def test_a_link_that_gets_everything_is_not_commented_on(staged):
    app = staged(head=3, block=3, query=49, index=1027, cell="scores.3.3", mode="guided", step=1)
    assert not refusals_of(app)


def test_a_smaller_model_later_is_no_refusal(staged):
    app = staged(source="untrained", heads=8, head=7)
    app.sidebar.select_slider(key="heads").set_value(2).run()
    assert not refusals_of(app)


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "![x](http://example.org/x.png)",
        ":red[x] $x$ `x` **x** :material/home:",
        "\u202eright to left\x00\n",
        "x" * 5_000,
    ],
)
def test_the_words_of_a_link_are_shown_and_nothing_more(staged, text):
    app = staged(width=text)
    shown = refusals_of(app)
    assert "<img" not in shown and "\u202e" not in shown and "\x00" not in shown
    assert shown.count("<p>") == 1 and len(shown) < 500
    # as HTML, in which Markdown means nothing
    assert "example.org" not in texts_of(app)


def test_long_texts_are_cut():
    assert refused_links.shortened("x" * 99) == "x" * refused_links.LONGEST + "…"
    assert refused_links.shortened("64") == "64"


def test_hidden_controls_leave_no_sidebar_on_any_page(staged):
    app = staged(controls="hide", source="untrained", width=16, digit=3, index=2)
    for address in (STAGED, "", "patches", STAGED):
        turn_to(app, address)
        assert not app.exception
        assert not app.sidebar.children
        assert parameter_of(app, "controls") == "hide" and parameter_of(app, "width") == "16"
        assert parameter_of(app, "digit") == "3" and parameter_of(app, "index") == "2"


def test_the_pages_are_in_the_order_of_the_pipeline():
    unlisted = ["glossary", "worksheet", "teacher", "room"]
    assert list(routes.TITLES) == ["home", "story", "fool", "train", *routes.PIPELINE, *unlisted]
    assert list(routes.PIPELINE) == [
        "patches",
        "patch_embedding",
        "class_token",
        "position",
        "self_attention",
        "multi_head",
        "encoder_block",
        "classification_head",
        "learning",
        "look_inside",
    ]
    assert routes.previous("home") is None
    assert routes.following("look_inside") is None
    for view in routes.PIPELINE:
        assert routes.following(routes.previous(view)) == view


def test_a_text_about_the_hidden_sidebar_brings_the_choice_with_it(staged, monkeypatch):
    parts = {**TEXTS["parts"], "first": {"title": "First", "text": "Turn to the sidebar."}}
    monkeypatch.setitem(TEXTS, "parts", parts)
    assert not [one for one in staged().get("popover") if "Choose" in one.proto.popover.label]
    app = staged(controls="hide", digit=3)
    choosers = [one for one in app.get("popover") if "Choose" in one.proto.popover.label]
    assert len(choosers) == 1
    assert not app.selectbox and not app.sidebar.children
    app.session_state["chooser-first"] = True
    app.session_state["chooser-opened"] = "chooser-first"
    app.run()
    assert not app.exception
    app.selectbox(key="source").set_value("fast").run()
    assert not app.exception
    assert parameter_of(app, "source") == "fast" and parameter_of(app, "controls") == "hide"
    app.segmented_control(key="digit").set_value(5).run()
    assert parameter_of(app, "digit") == "5"
