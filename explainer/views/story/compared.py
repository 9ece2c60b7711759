"""Two halves of the story: what they are called, and how a visitor chooses them."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explainer.content import load_texts
from explainer.content.strangers_words import plain_format
from explainer.observation.naming import model_line, unchanged_picture
from explainer.observation.observe import Observation
from explainer.shell.compare.bar import offer_compare, show_controls
from explainer.shell.compare.second import shown_run
from explainer.shell.compare.wording import changes_in_words
from explainer.shell.notes import note
from explainer.shell.sidebar.epochs import pick_second_epoch
from explainer.state import session
from explainer.state.choice import Choice

TEXTS = load_texts("story")["halves"]
JOINT = ", "


def show_compare(choice: Choice, other: Choice | None, seen: Observation) -> None:
    """Offer to compare, in the story's top row; what is compared is written in the story."""
    with st.container(key="story-compare"):
        if session.load().b:
            show_controls(choice, other, seen)
        else:
            offer_compare(choice, seen)


def show_second_epoch(other: Choice | None) -> None:
    """Draw the slider of the second half's epochs, if it is of a run."""
    if session.load().b and other is None:
        note(load_texts("compare")["same"])
    if shown := shown_run(other):
        with st.container(key="story-epoch", horizontal=True, vertical_alignment="center"):
            pick_second_epoch(shown, plays=True)


def header_of(first: Choice, other: Choice) -> Mapping[str, Any]:
    """Return what ``pack_halves`` needs beside the numbers of both halves."""
    one, two = names_of(first, other)
    edits = other.edits
    return {
        "a": plain_format(TEXTS["a"], name=one),
        "b": plain_format(TEXTS["b"], name=two),
        "changed": changes_in_words(other),
        "edits": {
            "headsOff": [list(head) for head in edits.heads_off],
            "noPosition": edits.no_position,
            "turn": edits.turn,
            "move": list(edits.move),
            "cover": dict(edits.cover),
            "swaps": [list(pair) for pair in edits.swaps],
        },
        "one_picture": picture_of(first) == picture_of(other),
    }


def names_of(first: Choice, other: Choice) -> tuple[str, str]:
    """Return what both halves are called: by their models, or pictures, or both if both differ."""
    lines: list[tuple[str, str]] = []
    if model_of(first) != model_of(other) or picture_of(first) == picture_of(other):
        lines.append((model_line(first), model_line(other)))
    if picture_of(first) != picture_of(other):
        lines.append((unchanged_picture(first), unchanged_picture(other)))
    one, two = (JOINT.join(names) for names in zip(*lines, strict=True))
    return one, two


def model_of(choice: Choice) -> tuple[object, ...]:
    """Return what says which model is run, before anything is changed in its pass."""
    return choice.source, choice.config, choice.seed


def picture_of(choice: Choice) -> tuple[object, ...]:
    """Return what says which picture is shown, before anything is changed in it."""
    digit = choice.digit, choice.index, choice.picture
    return choice.gallery, *digit, choice.sample, choice.photo
