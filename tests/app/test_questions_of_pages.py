"""Where the questions of each page stand, and where their "Show me" leads."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explainer.shell import routes
from explainer.shell.quiz import Question

VIEWS = list(routes.PIPELINE)


def sources(view: str) -> str:
    """Return all code of a page but that of its questions."""
    folder = Path(import_module(f"explainer.views.{view}").__file__ or "").parent
    paths = [path for path in folder.rglob("*.py") if path.stem != "questions"]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@pytest.mark.parametrize("model", [{}, {"source": "untrained", "width": 16, "depth": 1}])
@pytest.mark.parametrize("view", VIEWS)
def test_a_question_stands_at_a_part_of_its_page_and_leads_to_something(
    shipped: object,
    open_page: Callable[..., AppTest],
    asked_questions: list[Question],
    view: str,
    model: dict,
) -> None:
    app = open_page(routes.address(view), **model)
    assert not app.exception
    page, code = import_module(f"explainer.views.{view}"), sources(view)
    assert len({question.name for question in asked_questions}) == len(asked_questions)
    for question in asked_questions:
        assert question.part in ("", *page.PARTS), question.name
        is_there = question.shows in ("", *page.PARTS) or f'"{question.shows}"' in code
        assert is_there, f"{question.name} leads to {question.shows}, which the page has not"
