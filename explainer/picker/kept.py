"""What a visitor's own pictures are, each kind's last one, and which kind is open."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from explainer import state
from explainer.galleries import own
from explainer.runs import visitor

KIND_KEY = "picture-kind"  # which of them is open
OWN_KEY = "own-pictures"  # kind → the own picture that it last gave
PHOTO_KIND_KEY = "photo-kind"  # the same for photographs
OWN_PHOTO_KEY = "own-photos"
PROBLEM_KEY = "picture-problem"  # why the last file gave none


@dataclass(frozen=True)
class Own:
    """A visitor's own picture.

    Attributes:
        code: for the link.
        name: of the drawing that it was made of, if it was drawn.
        steps: (name, address of the picture) of each step of its preparation.
        done: names of what was done to it.
    """

    code: str
    name: str = ""
    steps: tuple[tuple[str, str], ...] = ()
    done: tuple[str, ...] = ()


def own_photos() -> dict[str, str]:
    """Return the own photograph that each kind last gave."""
    return st.session_state.setdefault(OWN_PHOTO_KEY, {})


def own_pictures() -> dict[str, Own]:
    return st.session_state.setdefault(OWN_KEY, {})


def keep(kind: str, given: Own) -> None:
    own_pictures()[kind] = given
    st.session_state.pop(PROBLEM_KEY, None)
    state.change(picture=given.code)


def keep_photograph(kind: str, pixels: np.ndarray) -> None:
    name = own.keep(pixels, visitor.current())
    own_photos()[kind] = name
    st.session_state.pop(PROBLEM_KEY, None)
    state.change(photo=name)
