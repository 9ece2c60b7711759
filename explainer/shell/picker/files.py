"""Files and the camera: what they give, how it was prepared, and why it cannot be used."""

from collections.abc import Mapping
from functools import partial
from urllib.parse import urlsplit

import streamlit as st

from explainer.components.refused_file import refused_file
from explainer.content import load_texts
from explainer.inputs.pictures.galleries import DIGITS
from explainer.inputs.pictures.prepare import UnusablePictureError
from explainer.inputs.pictures.read_file import MAX_BYTES, read_photo, read_photograph
from explainer.inputs.uploads.same_page import warn_if_refused
from explainer.inputs.uploads.taken import take
from explainer.measuring.uploads import uploaded
from explainer.shell.picker.corrections import offer_corrections
from explainer.shell.picker.preview import preview_own
from explainer.shell.picker.steps import first_step, show_steps
from explainer.shell.picker.visitor_pictures import (
    PROBLEM_KEY,
    digit_photos,
    keep_digit_photo,
    keep_photograph,
    own_photos,
    own_pictures,
)
from explainer.state.choice import Choice
from explainer.state.link import State

TEXTS = load_texts("picker")

# a JPEG has many endings: Windows' browsers save it as jfif. Not heic, so that an iPhone turns its
# own kind into a JPEG before it sends it
FILES = ("png", "jpg", "jpeg", "jpe", "jfif", "jif", "pjpeg", "pjp", "webp")
LOCAL = ("localhost", "127.0.0.1", "::1")


def upload_file(now: State, choice: Choice) -> None:
    key, texts = key_and_texts("upload", choice)
    warn_if_refused()
    st.file_uploader(
        texts["upload"],
        FILES,
        key=key,
        max_upload_size=MAX_BYTES // 1024**2,
        help=texts["upload_help"],
        on_change=partial(take_file, "upload", key, choice.gallery),
    )
    refused_file(TEXTS["refused_file"], of=key)
    show_reading(now, choice, "upload")
    preview_own(now, choice)


def key_and_texts(kind: str, choice: Choice) -> tuple[str, Mapping[str, str]]:
    """Return a file widget's key and texts, for digits or for photographs."""
    if choice.gallery == DIGITS:
        return kind, TEXTS
    return f"photo-{kind}", TEXTS["photo"]


def use_camera(now: State, choice: Choice) -> None:
    if is_insecure(st.context.url or ""):
        st.markdown(f":small[{TEXTS['camera_insecure']}]")
    else:
        key, texts = key_and_texts("camera", choice)
        warn_if_refused()
        last_pictures = own_pictures() if choice.gallery == DIGITS else own_photos()
        st.camera_input(
            texts["camera"], key=key, on_change=partial(take_file, "camera", key, choice.gallery)
        )
        if "camera" not in last_pictures:
            st.markdown(f":small[{TEXTS['camera_note']}]")
    show_reading(now, choice, "camera")
    preview_own(now, choice)


def is_insecure(address: str) -> bool:
    """Whether browsers refuse a camera to the page of an address."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in LOCAL


def take_file(kind: str, key: str, gallery: str) -> None:
    """Keep the picture of a file; a file that cannot be read leaves the last picture as it is."""
    if (file := take(key)) is None:
        return
    _, content = file
    try:
        if gallery != DIGITS:
            keep_photograph(kind, read_photograph(content))
            uploaded("picture", len(content))
            return
        photo = read_photo(content)
    except UnusablePictureError as error:
        uploaded("picture", len(content), error.kind)
        st.session_state[PROBLEM_KEY] = error.reason
        return
    keep_digit_photo(kind, photo)
    uploaded("picture", len(content), "unusable" if digit_photos()[kind].problem else None)


def show_reading(now: State, choice: Choice, kind: str) -> None:
    """Show why a picture cannot be used, or how it was read, and the controls that correct it."""
    digit_photo = digit_photos().get(kind) if choice.gallery == DIGITS else None
    problem = st.session_state.get(PROBLEM_KEY) or (digit_photo.problem if digit_photo else "")
    if problem:
        sentences = [TEXTS["unusable"][problem], TEXTS["kept"] if choice.is_own else ""]
        st.error(" ".join(sentences))
    last = own_pictures().get(kind)
    if digit_photo and digit_photo.problem:
        show_steps(first_step(digit_photo.photo, digit_photo.adjustment))
    elif last is not None and last.code == now.picture:
        show_steps(last.steps)
    if digit_photo:
        offer_corrections(kind, digit_photo)
