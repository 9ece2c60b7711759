"""What holds for all pages of the walk: their words, code and questions."""

import importlib
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import ModuleType

import pytest
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
@pytest.mark.parametrize(("code", "panels"), [("open", True), ("show", False), ("hide", False)])
@pytest.mark.parametrize("view", VIEWS)
def test_every_page_shows_its_code_where_it_is_switched_on(
    view: str, code: str, panels: bool, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(routes.address(view), code=code)
    assert not app.exception
    shown = [element for element in app.get("html") if 'class="source"' in element.proto.body]
    assert bool(shown) == panels


def levels(node: object) -> Iterator[int]:
    """Yield the level of each heading below a block, in the order of the page."""
    for child in getattr(node, "children", {}).values():
        if child.type in ("title", "header", "subheader"):
            yield int(child.proto.tag[1])
        elif child.type == "markdown":
            yield from (len(marks) for marks in re.findall(r"^(#+) ", child.value, re.MULTILINE))
        yield from levels(child)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("view", VIEWS)
def test_headings_have_no_gap(view: str, open_page: Callable[..., AppTest]) -> None:
    found = list(levels(open_page(routes.address(view)).main))
    assert found[0] == 1 and found.count(1) == 1 and len(found) >= 2
    assert all(after <= before + 1 for before, after in pairwise(found))
