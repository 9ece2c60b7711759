"""The second half of a comparison in the story: which one it is, and what it is called."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from explainer.content import load_texts
from explainer.content.strangers_words import plain_format
from explainer.observation.naming import model_line, picture_line
from explainer.shell.sidebar import choice_of, narrow_picture
from explainer.shell.sidebar.model import find_model, fixed_model, narrow_to_known
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.edits import read_edits
from explainer.state.second import second

TEXTS = load_texts("story")["halves"]
JOINT = ", "


def find_second() -> Choice | None:
    """Return the second half's model and picture; None where nothing is compared."""
    asked = second(session.load())
    if asked is None:
        return None
    now, shown = find_model(narrow_to_known(asked))
    model = fixed_model(now, shown)
    now = narrow_picture(now, model)
    choice = choice_of(now, model, shown)
    edits = read_edits(asked.edits).fitting(choice.config).without_gaps()
    return replace(choice, edits=edits)


def header_of(first: Choice, other: Choice) -> Mapping[str, Any]:
    """Return what ``pack_halves`` needs beside the numbers of both halves."""
    one, two = names_of(first, other)
    return {
        "a": plain_format(TEXTS["a"], name=one),
        "b": plain_format(TEXTS["b"], name=two),
        "changed": "",
        "edits": {
            "headsOff": [list(head) for head in other.edits.heads_off],
            "noPosition": other.edits.no_position,
        },
        "one_picture": picture_of(first) == picture_of(other),
    }


def names_of(first: Choice, other: Choice) -> tuple[str, str]:
    """Return what both halves are called: by their models, or pictures, or both if both differ."""
    lines = []
    if model_of(first) != model_of(other) or picture_of(first) == picture_of(other):
        lines.append((model_line(first), model_line(other)))
    if picture_of(first) != picture_of(other):
        lines.append((picture_line(first), picture_line(other)))
    one, two = (JOINT.join(names) for names in zip(*lines, strict=True))
    return one, two


def model_of(choice: Choice) -> tuple[object, ...]:
    return choice.source, choice.config, choice.seed


def picture_of(choice: Choice) -> tuple[object, ...]:
    """Return what says which picture is shown, before anything is changed in it."""
    digit = choice.digit, choice.index, choice.picture
    return choice.gallery, *digit, choice.sample, choice.photo
