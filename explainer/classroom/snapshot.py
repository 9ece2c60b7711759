"""What a room looks like at one moment, for its teacher and for its pupils."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explainer.classroom.errors import refusal

LONGEST_NAME = 80  # characters
LONGEST_TEXT = 400
MOST_OPTIONS = 16
MOST_PATCHES = 4096
DRAWINGS_OF_ONE = 3  # of one pupil
BEAT_SECONDS = 5.0  # between two signs of a line that is open


@dataclass(frozen=True)
class Asked:
    """A question of the teacher's to the class.

    Attributes:
        name: by which its answers are kept; the same name is the same poll.
        question: as it was asked.
        options: one of which is chosen; empty if a place is.
        rows: of the grid of patches, one of which is chosen.
        columns: of this grid.
        right: index of the right option or patch; None if there is none.
    """

    name: str
    question: str = ""
    options: tuple[str, ...] = ()
    rows: int = 0
    columns: int = 0
    right: int | None = None

    @property
    def num_choices(self) -> int:
        """Number of options or of patches."""
        return len(self.options) or self.rows * self.columns

    @classmethod
    def read(cls, told: object) -> "Asked":
        """Return the question that a browser sent.

        Raises:
            ClassroomError: it is none.
        """
        if not isinstance(told, Mapping) or not set(told) <= set(cls.__dataclass_fields__):
            raise refusal("wrong_question")
        options = told.get("options", ())
        if not isinstance(options, list | tuple):
            raise refusal("wrong_question")
        asked = cls(**{**told, "options": tuple(options)})
        asked.check()
        return asked

    def check(self) -> None:
        """Refuse what is too long or has no possible answer.

        Raises:
            ClassroomError: see above.
        """
        texts = (self.question, *self.options)
        is_right = (
            is_name(self.name)
            and all(isinstance(text, str) and len(text) <= LONGEST_TEXT for text in texts)
            and len(self.options) <= MOST_OPTIONS
            and all(is_whole(number, MOST_PATCHES) for number in (self.rows, self.columns))
            and 0 < self.num_choices <= MOST_PATCHES
            and (self.right is None or is_whole(self.right, self.num_choices - 1))
        )
        if not is_right:
            raise refusal("wrong_question")

    def told(self, with_right: bool = True) -> dict[str, Any]:
        """Return it for JSON; the right answer only if ``with_right``."""
        return {
            "name": self.name,
            "question": self.question,
            "options": list(self.options),
            "rows": self.rows,
            "columns": self.columns,
            "right": self.right if with_right else None,
        }


@dataclass(frozen=True)
class Poll:
    """All answers to one question.

    Attributes:
        counts: answers for each option, or for each patch, row by row.
        answered: pupils who answered.
        is_revealed: whether the class sees the counts.
    """

    asked: Asked
    counts: tuple[int, ...]
    answered: int
    is_revealed: bool

    def told(self, is_teacher: bool) -> dict[str, Any]:
        """Return it for JSON; of a hidden one, pupils see only how many answered."""
        is_open = is_teacher or self.is_revealed
        return {
            **self.asked.told(is_open),
            "counts": list(self.counts) if is_open else None,
            "answered": self.answered,
            "is_revealed": self.is_revealed,
        }


@dataclass(frozen=True)
class Drawing:
    """A digit that a pupil drew.

    Attributes:
        pupil: the id of the pupil in this room.
        number: from 0, of this pupil's drawings.
        pixels: 28 × 28 bytes, row by row; 255 is ink.
        label: the digit that it shall be.
    """

    pupil: str
    number: int
    pixels: bytes
    label: int


@dataclass(frozen=True)
class Pupil:
    """One pupil, for the teacher's eyes only.

    Attributes:
        number: from 1, in the order of joining.
        nickname: empty if the pupil gave none.
        answered: questions that the pupil answered.
    """

    number: int
    nickname: str
    answered: int
    is_present: bool


@dataclass(frozen=True)
class Snapshot:
    """A room at one moment.

    Attributes:
        owner: hash of the teacher's secret.
        created: seconds since 1970, of the database's clock.
        version: grows with each change.
        screen: of the story, that the class sees.
        is_free: whether each pupil turns for himself or herself.
        link: the query of the teacher's link: which model and which picture.
        asked: the question of now.
        revealed: names of the questions whose counts the class sees.
        joined: pupils who ever came.
        present: pupils whose pages are open now.
        polls: by the question's name, in the order in which they were asked.
        drawings: number of the class's drawings.
        digits_open: whether pupils may draw.
    """

    code: str
    owner: str
    created: float
    version: int
    screen: int = 0
    is_free: bool = False
    link: str = ""
    asked: Asked | None = None
    revealed: frozenset[str] = frozenset()
    joined: int = 0
    present: int = 0
    polls: Mapping[str, Poll] = field(default_factory=dict)
    drawings: int = 0
    digits_open: bool = False

    def told(self, is_teacher: bool) -> dict[str, Any]:
        """Return it for JSON. What is hidden from pupils is not in theirs."""
        asked = self.asked
        is_open = is_teacher or (asked is not None and asked.name in self.revealed)
        return {
            "code": self.code,
            "version": self.version,
            "screen": self.screen,
            "is_free": self.is_free,
            "link": self.link,
            "asked": asked.told(is_open) if asked else None,
            "revealed": sorted(self.revealed),
            "joined": self.joined,
            "present": self.present,
            "polls": {name: poll.told(is_teacher) for name, poll in self.polls.items()},
            "drawings": self.drawings,
            "digits_open": self.digits_open,
        }


def is_whole(number: object, most: int) -> bool:
    """Return whether something is a whole number from 0 to ``most``."""
    return type(number) is int and 0 <= number <= most


def is_name(text: object) -> bool:
    """Return whether something can be the name of a question."""
    return isinstance(text, str) and 0 < len(text) <= LONGEST_NAME and text.isprintable()
