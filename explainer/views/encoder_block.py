"""The page on one encoder block."""

from collections.abc import Callable, Mapping

from explainer.code_panel import Snippet
from explainer.quiz import Question
from explainer.services import Observation
from explainer.state import Choice

PARTS: Mapping[str, Callable[[Choice, Observation], None]] = {}
CODE: tuple[Snippet, ...] = ()


def facts(choice: Choice, seen: Observation) -> Mapping[str, object]:
    return {}


def questions(choice: Choice, seen: Observation) -> list[Question]:
    return []
