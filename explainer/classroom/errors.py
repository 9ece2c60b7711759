"""What a room of a class refuses, in sentences for visitors."""

from explainer.content import load_texts
from vit_core.errors import VitError

REFUSED = load_texts("room")["refused"]


class ClassroomError(VitError, ValueError):
    """A room refused something; the message tells the visitor why.

    Attributes:
        has_ended: whether the room is no more, so that nothing else will be accepted there.
    """

    def __init__(self, message: str, has_ended: bool = False) -> None:
        super().__init__(message)
        self.has_ended = has_ended


def refusal(name: str, **values: object) -> ClassroomError:
    """Return the error with a named sentence."""
    return ClassroomError(REFUSED[name].format(**values), has_ended=name == "ended")
