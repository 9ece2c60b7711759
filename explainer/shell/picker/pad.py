"""The drawing pad in the sidebar, and what becomes of a drawing, also of Home's large pad."""

import numpy as np

from explainer.components.drawing_pad import drawing_pad
from explainer.content import load_texts
from explainer.inputs.pictures import link_code
from explainer.inputs.pictures.galleries import DIGITS
from explainer.inputs.pictures.prepare import centred
from explainer.shell.notes import note
from explainer.shell.picker.preview import preview_own
from explainer.shell.picker.visitor_pictures import (
    VisitorPicture,
    keep_picture,
    leave_pad,
    open_pad,
    own_pictures,
)
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import State

TEXTS = load_texts("picker")


def draw_digit(now: State, choice: Choice) -> None:
    """Draw the pad; Home has a large one of its own."""
    if session.view() == "home":
        note(TEXTS["pad_on_home"])
    else:
        last = own_pictures().get("draw")
        is_shown_now = last is not None and last.code == now.picture
        drawing_pad(
            key="drawing-pad",
            texts=pad_texts(choice),
            shown=link_code.decode(last.code) if last and is_shown_now else None,
            name=shown_name(),
            on_draw=take_drawing,
        )
    preview_own(now, choice)


def pad_texts(choice: Choice) -> dict[str, str]:
    """Return the words of a pad: for digits, or for whatever symbols the model has learned."""
    return TEXTS["pad"] if choice.gallery == DIGITS else {**TEXTS["pad"], **TEXTS["pad_symbols"]}


def shown_name() -> str:
    """Return the name of the drawing that is looked at; empty while it is none."""
    last = own_pictures().get("draw")
    return last.name if last is not None and last.code == session.load().picture else ""


def take_drawing(ink: np.ndarray, name: str) -> None:
    """Keep a drawing; with an empty pad, the page shows the test digit again."""
    if ink.any():
        keep_picture("draw", VisitorPicture(link_code.encode(centred(ink)), name))
    else:
        own_pictures().pop("draw", None)
        session.change(picture="")


def take_from_home(ink: np.ndarray, name: str) -> None:
    """Keep a drawing of the large pad; an empty one is a picture, too, and has an answer."""
    open_pad()
    keep_picture("draw", VisitorPicture(link_code.encode(centred(ink)), name))


def restore_picture(code: str) -> None:
    """Show again what stood on the large pad before anybody drew: a picture, or the test digit."""
    is_own = bool(code) and link_code.is_picture(code)
    if is_own:
        open_pad()
    else:
        leave_pad()
    session.change(picture=code if is_own else "")
