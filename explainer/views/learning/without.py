"""The page on learning for a model that has no loss, or whose gradients are too large.

The text of its first part says why; what needs no gradient is shown all the same.
"""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.shell.quiz import Question
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views import learning
from explainer.views.learning.questions import general_questions
from explainer.views.learning.wording import facts

__all__ = ["CODE", "PARTS", "TEXTS_NAME", "facts", "questions"]

TEXTS_NAME = "learning"
WITHOUT_LESSON = ("schedule", "data")  # parts of the page that need no gradient


def show_nothing(choice: Choice, seen: Observation, place: Place) -> None:
    """Draw nothing below the sentence that says why."""


PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {"loss": show_nothing} | {
    name: learning.PARTS[name] for name in WITHOUT_LESSON if name in learning.PARTS
}
CODE: tuple[Snippet, ...] = ()


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    return general_questions()
