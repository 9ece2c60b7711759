"""A visitor's own pictures in the session: the last one of each kind, and which kind is open."""

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

KIND_KEY = "picture-kind"  # the kind that is open
PICTURES_KEY = "own-pictures"  # kind → the last picture of that kind
PHOTO_KIND_KEY = "photo-kind"  # the same for photographs
SYMBOL_KIND_KEY = "symbol-kind"  # the same for models that learned somebody's symbols
PHOTOS_KEY = "own-photos"
PROBLEM_KEY = "picture-problem"  # why the last file could not be used
DIGIT_PHOTOS_KEY = "picture-sources"  # kind → the last photograph of a digit


@dataclass(frozen=True)
class VisitorPicture:
    """A visitor's own picture.

    Attributes:
        code: for the link.
        name: of the drawing, if it was drawn.
        steps: how it was prepared, if it was photographed.
    """

    code: str
    name: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class DigitPhoto:
    """A small photograph of a digit, and how the visitor corrected its reading.

    Attributes:
        problem: name of the text that says why it has no usable digit; empty if it has one.
    """

    photo: Photo
    adjustment: Adjustment = AS_FOUND
    problem: str = ""


def open_pad() -> None:
    """Have the picker open with the pad, whichever model takes drawings."""
    st.session_state[KIND_KEY] = st.session_state[SYMBOL_KIND_KEY] = "draw"


def leave_pad() -> None:
    """Have the picker open with a shipped picture."""
    st.session_state[KIND_KEY], st.session_state[SYMBOL_KIND_KEY] = "digit", "sample"


def ask_for_photo_again() -> None:
    """Have the picker open where a photograph is uploaded, unless another kind is open."""
    st.session_state.setdefault(PHOTO_KIND_KEY, "upload")


def own_photos() -> dict[str, str]:
    """Return the name of the last photograph of each kind, for models not trained on digits."""
    return st.session_state.setdefault(PHOTOS_KEY, {})


def own_pictures() -> dict[str, VisitorPicture]:
    return st.session_state.setdefault(PICTURES_KEY, {})


def digit_photos() -> dict[str, DigitPhoto]:
    return st.session_state.setdefault(DIGIT_PHOTOS_KEY, {})


def keep_digit_photo(kind: str, photo: Photo, adjustment: Adjustment = AS_FOUND) -> None:
    """Keep a photograph of a digit, and the digit that is found in it, if there is one."""
    st.session_state.pop(PROBLEM_KEY, None)
    try:
        upload = prepare(photo, adjustment)
    except UnusablePictureError as error:
        digit_photos()[kind] = DigitPhoto(photo, adjustment, error.reason)
        return
    digit_photos()[kind] = DigitPhoto(photo, adjustment)
    keep_picture(kind, VisitorPicture(link_code.encode(upload.pixels), "", steps_of(upload)))


def keep_picture(kind: str, picture: VisitorPicture) -> None:
    own_pictures()[kind] = picture
    st.session_state.pop(PROBLEM_KEY, None)
    session.change(picture=picture.code)


def keep_photograph(kind: str, pixels: np.ndarray) -> None:
    name = photo_store.keep(pixels, visitor.current())
    own_photos()[kind] = name
    st.session_state.pop(PROBLEM_KEY, None)
    session.change(photo=name)
