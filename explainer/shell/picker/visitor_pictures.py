"""What a visitor's own pictures are, each kind's last one, and which kind is open."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from explainer.inputs.pictures import link_code
from explainer.inputs.pictures.adjustment import AS_FOUND, Adjustment
from explainer.inputs.pictures.galleries import photo_store
from explainer.inputs.pictures.prepare import UnusablePictureError
from explainer.inputs.pictures.read_file import Photo, prepare
from explainer.shell.picker.steps import Step, steps_of
from explainer.state import session
from explainer.training import visitor

KIND_KEY = "picture-kind"  # which of them is open
OWN_KEY = "own-pictures"  # kind → the own picture that it last gave
PHOTO_KIND_KEY = "photo-kind"  # the same for photographs
OWN_PHOTO_KEY = "own-photos"
PROBLEM_KEY = "picture-problem"  # why the last file gave none
SOURCE_KEY = "picture-sources"  # kind → the photograph of a digit that it last gave


@dataclass(frozen=True)
class Own:
    """A visitor's own picture.

    Attributes:
        code: for the link.
        name: of the drawing that it was made of, if it was drawn.
        steps: of its preparation, if it was photographed.
    """

    code: str
    name: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Source:
    """A photograph of a digit, small, and how its visitor corrected the way it is read.

    Attributes:
        problem: names the sentence that says why no digit was made of it, if none was.
    """

    photo: Photo
    adjustment: Adjustment = AS_FOUND
    problem: str = ""


def own_photos() -> dict[str, str]:
    """Return the own photograph that each kind last gave."""
    return st.session_state.setdefault(OWN_PHOTO_KEY, {})


def own_pictures() -> dict[str, Own]:
    return st.session_state.setdefault(OWN_KEY, {})


def sources() -> dict[str, Source]:
    return st.session_state.setdefault(SOURCE_KEY, {})


def keep_source(kind: str, photo: Photo, adjustment: Adjustment = AS_FOUND) -> None:
    """Keep a photograph of a digit, and the digit that is found in it, if there is one."""
    st.session_state.pop(PROBLEM_KEY, None)
    try:
        upload = prepare(photo, adjustment)
    except UnusablePictureError as error:
        sources()[kind] = Source(photo, adjustment, error.reason)
        return
    sources()[kind] = Source(photo, adjustment)
    keep(kind, Own(link_code.encode(upload.pixels), "", steps_of(upload)))


def keep(kind: str, given: Own) -> None:
    own_pictures()[kind] = given
    st.session_state.pop(PROBLEM_KEY, None)
    session.change(picture=given.code)


def keep_photograph(kind: str, pixels: np.ndarray) -> None:
    name = photo_store.keep(pixels, visitor.current())
    own_photos()[kind] = name
    st.session_state.pop(PROBLEM_KEY, None)
    session.change(photo=name)
