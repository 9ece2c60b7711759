"""What a visitor did in the story, and what follows from it; a browser may send anything."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explainer.components.drawing_pad import read_drawing
from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.shell import quiz
from explainer.shell.class_link import take_link
from explainer.shell.picker import KIND_KEY, PHOTO_KIND_KEY
from explainer.shell.picker.pad import take_drawing
from explainer.shell.picker.visitor_pictures import leave_pad, open_pad
from explainer.shell.story_screens import ORDER
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import CLASSES, SCREENS
from explainer.views.story.in_room import leave_room


def hear(choice: Choice, heard: Mapping[str, Any]) -> None:
    """Take over the screen, the followed patch, the picture and its class that a browser sent."""
    screen, patch, sample, target = (
        number_in(heard, name) for name in ("screen", "patch", "sample", "target")
    )
    if screen is not None and 1 <= screen <= SCREENS:
        session.change(screen=screen)
    if type(is_presented := heard.get("present")) is bool:
        session.change(present="1" if is_presented else "")
    if patch is not None and patch < choice.config.num_patches:
        session.set_patch(choice, patch)
    if target is not None and target < choice.config.num_classes:
        session.change(target=target)
    if sample is not None:
        session.change(target=None)  # it was said of another picture
        take_sample(choice, sample)
    if choice.takes_drawings and (drawn := read_drawing(heard.get("drawing"))):
        session.change(target=None)
        open_pad()
        take_drawing(*drawn)
    keep_prediction(heard.get("answer"))
    if isinstance(waited := heard.get("answers"), list):
        for sent in waited[:SCREENS]:
            keep_prediction(sent)
    if heard.get("room") == "":
        leave_room()
    take_link(heard.get("link"))


def keep_prediction(sent: object) -> None:
    """Keep a prediction among the answers of the session; the first one to a question counts."""
    if isinstance(sent, Mapping) and sent.get("name") in ORDER:
        quiz.keep_heard("story", sent)


def number_in(heard: Mapping[str, Any], name: str) -> int | None:
    """Return a whole number from 0 that a browser sent; None for anything else."""
    value = heard.get(name)
    return value if type(value) is int and value >= 0 else None


def take_sample(choice: Choice, sample: int) -> None:
    """Show a shipped picture: the first test digit of a class, or a picture of the gallery."""
    if choice.gallery == DIGITS:
        if sample < CLASSES:
            st.session_state[KIND_KEY] = "digit"
            session.change(digit=sample, index=0, picture="")
    elif sample < len(samples(choice.gallery)):
        if choice.takes_drawings:
            leave_pad()
            session.change(sample=sample, picture="")
        else:
            st.session_state[PHOTO_KIND_KEY] = "sample"
            session.change(sample=sample, photo="")
