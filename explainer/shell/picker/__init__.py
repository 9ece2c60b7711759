"""The picture that the model looks at: a test digit, a sample, or a visitor's own picture."""

from functools import partial

import streamlit as st

from explainer.content import load_texts
from explainer.inputs.pictures.galleries import DIGITS, photo_store
from explainer.observation.wrong_digits import misclassified_digits
from explainer.shell import controls
from explainer.shell.picker.digits import (
    following,
    is_shown,
    pick_digit,
    pick_hard,
    show_digit,
)
from explainer.shell.picker.files import upload_file, use_camera
from explainer.shell.picker.gallery import pick_sample
from explainer.shell.picker.pad import draw_digit
from explainer.shell.picker.preview import STYLE
from explainer.shell.picker.visitor_pictures import (
    KIND_KEY,
    PHOTO_KIND_KEY,
    PROBLEM_KEY,
    SYMBOL_KIND_KEY,
    VisitorPicture,
    own_photos,
    own_pictures,
)
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import State

TEXTS = load_texts("picker")

KINDS = ("digit", "hard", "draw", "upload", "camera")
SYMBOL_KINDS = ("sample", "draw")  # where the model has learned somebody's symbols
PHOTO_KINDS = ("sample", "upload", "camera")  # where the model was not trained on digits


def pick_picture(now: State, choice: Choice) -> None:
    """Draw the picker.

    Args:
        choice: what the state chooses.
    """
    st.html(STYLE)
    kinds: tuple[str, ...] = KINDS
    if choice.gallery == DIGITS:
        key, kind, follow = "picker", open_kind(now), open_chosen_kind
    elif choice.takes_drawings:
        kind, follow = open_symbol_kind(now), open_chosen_symbol_kind
        key, kinds = "symbol-picker", SYMBOL_KINDS
    else:
        kind, follow = open_photo_kind(now), open_chosen_photo_kind
        key, kinds = "photo-picker", PHOTO_KINDS
    controls.sync_widget(key, kind)
    st.pills(
        TEXTS["kind"],
        kinds,
        default=kind,
        key=key,
        required=True,
        format_func=TEXTS["kinds"].__getitem__,
        on_change=partial(follow, choice),
    )
    {
        "sample": pick_sample,
        "digit": pick_digit,
        "hard": pick_hard,
        "draw": draw_digit,
        "upload": upload_file,
        "camera": use_camera,
    }[kind](now, choice)


def open_kind(now: State) -> str:
    """Return which kind is open; the pad opens with the picture of a link."""
    if KIND_KEY not in st.session_state:
        st.session_state[KIND_KEY] = "draw" if now.picture else "digit"
        if now.picture:
            own_pictures()["draw"] = VisitorPicture(now.picture)
    return st.session_state[KIND_KEY]


def open_symbol_kind(now: State) -> str:
    """Return which kind is open for symbols; the pad opens with the picture of a link."""
    if SYMBOL_KIND_KEY not in st.session_state:
        st.session_state[SYMBOL_KIND_KEY] = "draw" if now.picture else "sample"
        if now.picture:
            own_pictures().setdefault("draw", VisitorPicture(now.picture))
    return st.session_state[SYMBOL_KIND_KEY]


def open_photo_kind(now: State) -> str:
    """Return which kind is open for photographs; a photograph of a link counts as uploaded."""
    if PHOTO_KIND_KEY not in st.session_state:
        st.session_state[PHOTO_KIND_KEY] = "upload" if now.photo else "sample"
    return st.session_state[PHOTO_KIND_KEY]


def open_chosen_symbol_kind(choice: Choice) -> None:
    """Open the pad with its last drawing, or the gallery."""
    kind = st.session_state["symbol-picker"]
    st.session_state[SYMBOL_KIND_KEY] = kind
    if kind == "sample":
        session.change(picture="")
    elif last := own_pictures().get("draw"):
        session.change(picture=last.code)


def open_chosen_photo_kind(choice: Choice) -> None:
    """Open the chosen kind of photograph, and show its last photograph, if there is one."""
    kind = st.session_state["photo-picker"]
    st.session_state[PHOTO_KIND_KEY] = kind
    st.session_state.pop(PROBLEM_KEY, None)
    if kind == "sample":
        session.change(photo="")
    elif (last := own_photos().get(kind)) and photo_store.is_kept(last):
        session.change(photo=last)


def open_chosen_kind(choice: Choice) -> None:
    """Open the chosen kind, and show its last picture, if there is one."""
    kind = st.session_state["picker"]
    st.session_state[KIND_KEY] = kind
    st.session_state.pop(PROBLEM_KEY, None)
    if kind == "digit":
        session.change(picture="")
    elif kind == "hard":
        session.change(picture="")
        wrong, now = misclassified_digits(choice), session.load()
        if wrong and not any(is_shown(misclassified, now) for misclassified in wrong):
            show_digit(following(wrong, now))
    elif kind in own_pictures():
        session.change(picture=own_pictures()[kind].code)
