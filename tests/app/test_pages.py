"""What holds for all eight pages: their words, guides, code and questions."""

import importlib
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import ModuleType

import pytest
from reading import texts_of
from streamlit.testing.v1 import AppTest

from explainer.content import load_texts
from explainer.shell import frame, routes
from explainer.shell.code_panel import panel
from explainer.shell.quiz import Question, askable
from explainer.state.choice import SOURCES, UNTRAINED

VIEWS = list(routes.PIPELINE)
MODELS = {
    **{source: {"source": source} for source in SOURCES},
    "smallest": {"patches": 2, "width": 8, "heads": 1, "depth": 1, "position": "none"},
    "largest": {"patches": 14, "width": 128, "heads": 8, "depth": 8, "position": "sincos2d"},
    "many heads": {"patches": 2, "width": 8, "heads": 8, "depth": 1, "position": "sincos"},
}


def page_of(view: str) -> ModuleType:
    return importlib.import_module(f"explainer.views.{view}")


@pytest.mark.parametrize("view", VIEWS)
def test_every_part_has_its_words(view: str) -> None:
    page, texts = page_of(view), load_texts(view)
    assert list(page.PARTS) and frame.QUESTIONS not in page.PARTS
    assert set(texts["parts"]) == set(page.PARTS)
    assert texts["title"] and texts["lead"]
    assert all(words["title"] for words in texts["parts"].values())


@pytest.mark.parametrize("view", VIEWS)
def test_the_guide_walks_over_parts_and_ends_with_the_questions(view: str) -> None:
    guide, parts = load_texts(view)["guide"], {*page_of(view).PARTS, frame.QUESTIONS}
    assert 4 <= len(guide) <= 7
    for step in guide:
        assert {step["part"], *step.get("also", ())} <= parts
        assert len(step["text"]) > 20
    assert guide[-1]["part"] == frame.QUESTIONS
    assert len([step for step in guide if step["part"] == frame.QUESTIONS]) == 1


@pytest.mark.parametrize("view", VIEWS)
def test_only_steps_that_say_so_speak_of_the_code(view: str) -> None:
    guide, with_code = load_texts(view)["guide"], {one.part for one in page_of(view).CODE}
    for step in guide:
        if step.get("code"):
            assert step["part"] in with_code
        else:
            assert not re.search(r"\bcode\b|\bsource lines?\b|vit_core", step["text"])


@pytest.mark.parametrize("view", VIEWS)
def test_every_mark_begins_a_line_of_its_source(view: str) -> None:
    page = page_of(view)
    assert page.CODE
    for snippet in page.CODE:
        assert snippet.part in page.PARTS
        html = panel(snippet.source, snippet.marks, "{where}")
        assert html.count("<mark") >= len(snippet.marks)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("view", VIEWS)
def test_at_least_three_questions_of_every_model(
    view: str, model: str, asked_questions: list[Question], open_page: Callable[..., AppTest]
) -> None:
    app = open_page(routes.address(view), **({"source": UNTRAINED} | MODELS[model]))
    assert not app.exception, app.exception[0].message
    assert not app.error
    # options that read the same in a model of random weights have become one
    shown = askable(asked_questions)
    assert len(shown) >= 3
    assert len({question.name for question in shown}) == len(shown)
    for question in shown:
        assert 2 <= len(question.options) <= 10, question
        assert question.text and question.why


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("model", ["default", "best", UNTRAINED])
@pytest.mark.parametrize("view", VIEWS)
def test_every_step_of_the_guide_draws_its_part(
    view: str, model: str, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(routes.address(view), source=model, mode="guided")
    guide = load_texts(view)["guide"]
    for number, step in enumerate(guide, start=1):
        assert not app.exception, app.exception[0].message
        said = texts_of(app)
        assert f"Step {number} of {len(guide)}" in said
        shown = {step["part"], *step.get("also", ())}
        assert len(app.header) == len(shown)
        if number < len(guide):
            app.button(key="guide-next").click().run()


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("view", VIEWS)
def test_no_page_shows_code_where_it_is_hidden(
    view: str, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(routes.address(view), code="hide")
    assert not app.exception
    assert not any('class="source"' in element.proto.body for element in app.get("html"))


def levels(node: object) -> Iterator[int]:
    """Yield the level of each heading below a block, in the order of the page."""
    for child in getattr(node, "children", {}).values():
        if child.type in ("title", "header", "subheader"):
            yield int(child.proto.tag[1])
        elif child.type == "markdown":
            yield from (len(marks) for marks in re.findall(r"^(#+) ", child.value, re.MULTILINE))
        yield from levels(child)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("mode", ["free", "guided"])
@pytest.mark.parametrize("view", VIEWS)
def test_headings_have_no_gap(view: str, mode: str, open_page: Callable[..., AppTest]) -> None:
    found = list(levels(open_page(routes.address(view), mode=mode).main))
    assert found[0] == 1 and found.count(1) == 1 and len(found) >= 2
    assert all(after <= before + 1 for before, after in pairwise(found))
