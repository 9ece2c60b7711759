"""What a room of a class refuses, in sentences for visitors."""

from explainer.content import load_texts
from explainer.measuring.refusals import Kind, refused
from vit_core.errors import VitError

REFUSED = load_texts("room")["refused"]
KINDS: dict[str, Kind | None] = {  # of each refusal; None for news, which refuses no wish
    "ended": None,
    "not_the_teacher": "not_allowed",
    "teacher_answers": "not_allowed",
    "full": "class_full",
    "too_many_rooms": "server_full",
    "too_many_of_one": "visitor_limit",
    "too_many_opened": "address_limit",
    "too_many_codes": "too_many_tries",
    "too_many_questions": "class_full",
    "too_many_own_drawings": "visitor_limit",
    "too_many_drawings": "class_full",
    "too_fast": "too_fast",
    "too_many_lines": "visitor_limit",
    "no_drawings_now": "not_now",
    "no_such_question": "not_there",
    "no_such_choice": "unusable",
    "wrong_question": "unusable",
    "wrong_change": "unusable",
    "wrong_drawing": "unusable",
    "wrong_nickname": "unusable",
    "wrong_ticket": "not_allowed",
    "wrong_message": "unusable",
    "too_long_message": "too_large",
    "unreachable": "unavailable",
    "no_database": "unavailable",
}


class ClassroomError(VitError, ValueError):
    """A room refused something; the message tells the visitor why.

    Attributes:
        has_ended: whether the room is no more, so that nothing else will be accepted there.
    """

    def __init__(self, message: str, has_ended: bool = False) -> None:
        super().__init__(message)
        self.has_ended = has_ended


def refusal(name: str, **values: object) -> ClassroomError:
    """Return the error with a named sentence, and count it by its kind."""
    if kind := KINDS[name]:
        refused(kind)
    return ClassroomError(REFUSED[name].format(**values), has_ended=name == "ended")
