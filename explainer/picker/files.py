"""Files and the camera: what they give, how it was prepared, and why it cannot be used."""

import base64
from collections.abc import Mapping
from functools import partial
from html import escape
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import streamlit as st
from PIL import Image

from explainer import pictures
from explainer.content import load_texts
from explainer.galleries import DIGITS
from explainer.picker.gallery import THUMBNAIL
from explainer.picker.kept import PROBLEM_KEY, Own, keep, keep_photograph, own_photos, own_pictures
from explainer.picker.preview import preview_own
from explainer.pictures_prepare import UnusablePictureError
from explainer.pictures_upload import MOST_BYTES, Upload, read_photograph, read_upload
from explainer.state import Choice, State
from explainer.uploads.same_page import say_if_refused
from explainer.uploads.taken import take

TEXTS = load_texts("picker")

FILES = ("png", "jpg", "jpeg", "webp")
LOCAL = ("localhost", "127.0.0.1", "::1")


def upload_file(now: State, choice: Choice) -> None:
    key, texts = source_of("upload", choice)
    say_if_refused()
    st.file_uploader(
        texts["upload"],
        FILES,
        key=key,
        max_upload_size=MOST_BYTES // 1024**2,
        help=texts["upload_help"],
        on_change=partial(take_file, "upload", key, choice.gallery),
    )
    show_problem(choice)
    show_steps(now, "upload")
    preview_own(now, choice)


def source_of(kind: str, choice: Choice) -> tuple[str, Mapping[str, str]]:
    """Return the key of a widget that gives pictures, and its words: digits or photographs."""
    if choice.gallery == DIGITS:
        return kind, TEXTS
    return f"photo-{kind}", TEXTS["photo"]


def use_camera(now: State, choice: Choice) -> None:
    if is_insecure(st.context.url or ""):
        st.markdown(f":small[{TEXTS['camera_insecure']}]")
    else:
        key, texts = source_of("camera", choice)
        say_if_refused()
        taken = own_pictures() if choice.gallery == DIGITS else own_photos()
        st.camera_input(
            texts["camera"], key=key, on_change=partial(take_file, "camera", key, choice.gallery)
        )
        if "camera" not in taken:
            st.markdown(f":small[{TEXTS['camera_note']}]")
    show_problem(choice)
    show_steps(now, "camera")
    preview_own(now, choice)


def is_insecure(address: str) -> bool:
    """Whether browsers refuse a camera to the page of an address."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in LOCAL


def take_file(kind: str, key: str, gallery: str) -> None:
    """Keep a file's picture; a file without one leaves the picture from before as it is."""
    if (file := take(key)) is None:
        return
    _, content = file
    try:
        if gallery != DIGITS:
            keep_photograph(kind, read_photograph(content))
            return
        upload = read_upload(content)
    except UnusablePictureError as error:
        st.session_state[PROBLEM_KEY] = error.reason
        return
    keep(kind, Own(pictures.encode(upload.pixels), "", steps_of(upload), upload.done))


def steps_of(upload: Upload) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"step_{name}", thumbnail(values))
        for name, values in (
            ("original", upload.original),
            ("grey", upload.grey),
            ("ink", upload.ink),
        )
    )


def thumbnail(values: np.ndarray) -> str:
    """Return the address of a small picture."""
    image, content = Image.fromarray(values), BytesIO()
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    image.save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def show_problem(choice: Choice) -> None:
    if reason := st.session_state.get(PROBLEM_KEY):
        words = TEXTS["unusable"][reason]
        st.error(f"{words} {TEXTS['kept']}" if choice.is_own else words)


def show_steps(now: State, kind: str) -> None:
    """Show how a file became what the model gets, if that is what it is looking at."""
    last = own_pictures().get(kind)
    if last is None or last.code != now.picture:
        return
    figures = "".join(
        f'<figure><img src="{address}" alt="">'
        f"<figcaption>{escape(TEXTS[name])}</figcaption></figure>"
        for name, address in last.steps
    )
    done = " ".join(TEXTS["done"][name] for name in (*last.done, "prepared"))
    st.html(
        f'<div class="picture-steps" role="group" aria-label="{escape(TEXTS["steps"])}">{figures}'
        f'</div><p class="picture-done">{escape(done)}</p>'
    )
