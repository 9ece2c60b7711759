"""How pictures come in: a zip, files of one class after the other, or the camera."""

from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from typing import Literal

import streamlit as st

from explainer.components.refused_file import refused_file
from explainer.content import load_texts
from explainer.inputs.pictures.own.archive import ZipError
from explainer.inputs.pictures.own.collection import (
    MAX_PICTURES,
    MIN_PICTURES,
    Added,
    Collection,
    CollectionError,
    of_left_out,
    shown_name,
)
from explainer.inputs.uploads import MAX_BYTES, MEGABYTE
from explainer.inputs.uploads.same_page import warn_if_refused
from explainer.inputs.uploads.taken import lost, take_all
from explainer.measuring.uploads import uploaded
from explainer.shell.controls import pick
from explainer.shell.picker.files import FILES, is_insecure
from explainer.views.train.pictures.texts import TEXTS, address_of

KEY = "pictures-collection"
WAY_KEY = "pictures-way"
MESSAGE_KEY = "pictures-message"  # (whether anything was added, what came of the last files)
ROUND_KEY = "pictures-round"  # counts up, so that an uploader whose files were taken is empty again
NAME_KEY = "pictures-name"
CAMERA_KEY = "pictures-camera-on"
WAYS = ("zip", "files")
LARGEST_FILE = 24  # megabytes of a picture
PREVIEWS = 8  # pictures of a class in the table
WORDS = TEXTS["bring"]
TABLE = TEXTS["table"]


def collection() -> Collection:
    """Return what the visitor has brought in this session."""
    return st.session_state.setdefault(KEY, Collection())


def show_bring() -> None:
    """Draw the ways to bring pictures, and what came of the last files."""
    way = st.session_state.get(WAY_KEY, WAYS[0])
    with st.container(key="pictures-bring", width=760):
        pick(
            TEXTS["how"], WAYS, way, keep_way, key="pictures-ways",
            format_func=TEXTS["ways"].__getitem__,
        )  # fmt: skip
        warn_if_refused()
        (show_zip if way == "zip" else show_files)()
        show_message()


def keep_way(way: str) -> None:
    st.session_state[WAY_KEY] = way
    st.session_state.pop(MESSAGE_KEY, None)


def show_zip() -> None:
    key = f"pictures-zip-{current_round()}"
    # any file name is accepted here, so that other files are refused with a reason
    st.file_uploader(
        WORDS["zip"],
        key=key,
        max_upload_size=MAX_BYTES // MEGABYTE,
        help=WORDS["zip_help"],
        on_change=partial(take_zip, key),
    )
    refused_file(load_texts("upload")["refused_file"] | {"large": WORDS["refused_zip"]}, of=key)


def show_files() -> None:
    st.text_input(WORDS["name"], key=NAME_KEY, placeholder=WORDS["name_placeholder"])
    if not st.session_state.get(NAME_KEY, "").strip():
        st.markdown(WORDS["name_first"])
        return
    key = f"pictures-files-{current_round()}"
    st.file_uploader(
        WORDS["files"],
        FILES,
        accept_multiple_files=True,
        key=key,
        max_upload_size=LARGEST_FILE,
        help=WORDS["files_help"],
        on_change=partial(take_files, key),
    )
    refused_file(load_texts("upload")["refused_file"] | {"large": WORDS["refused_files"]}, of=key)
    if is_insecure(st.context.url or ""):
        return
    if st.toggle(WORDS["camera"], key=CAMERA_KEY):
        camera_key = f"pictures-camera-{current_round()}"
        st.camera_input(
            WORDS["camera_label"],
            key=camera_key,
            label_visibility="collapsed",
            on_change=partial(take_files, camera_key),
        )


def current_round() -> int:
    return st.session_state.get(ROUND_KEY, 0)


def take_zip(key: str) -> None:
    """Add what a zip holds; one that is refused changes nothing else."""
    for _, file in take_all(key):
        attempt(partial(collection().add_zip, file, file.size), "zip")


def take_files(key: str) -> None:
    """Add files, or a picture of the camera, to the class whose name stands above them."""

    def contents() -> Iterator[tuple[str, bytes]]:
        for name, file in take_all(key):
            yield name, file.getvalue()

    name, missing = st.session_state.get(NAME_KEY, ""), lost(key)
    attempt(partial(collection().add_files, name, contents()), "pictures")
    if missing:
        was_added, text = st.session_state[MESSAGE_KEY]
        st.session_state[MESSAGE_KEY] = (was_added, f"{text} {WORDS['lost'].format(count=missing)}")


def attempt(add: Callable[[], Added], what: Literal["zip", "pictures"]) -> None:
    """Add pictures, and keep a sentence about it for the page.

    Args:
        what: was sent.
    """
    collection().was_dropped = False
    before = collection().received
    st.session_state[ROUND_KEY] = current_round() + 1
    try:
        added = add()
    except (ZipError, CollectionError) as refusal:
        uploaded(what, collection().received - before, refusal.kind)
        st.session_state[MESSAGE_KEY] = (False, str(refusal))
        return
    uploaded(what, collection().received - before, None if added.count else "unusable")
    kind = {0: "added_none", 1: "added_one"}.get(added.count, "added_many")
    text = WORDS[kind].format(count=added.count) + of_left_out(added.left_out)
    st.session_state[MESSAGE_KEY] = (added.count > 0, text)


def show_message() -> None:
    if collection().was_dropped:
        st.warning(TABLE["dropped"])
    elif message := st.session_state.get(MESSAGE_KEY):
        was_added, text = message
        (st.success if was_added else st.error)(text)


def show_brought() -> None:
    """Draw the classes with some of their pictures; each can be removed."""
    brought = collection()
    if not brought.classes:
        return
    st.header(TABLE["title"], anchor=False)
    for place, (name, pictures) in enumerate(brought.classes.items()):
        with st.container(
            key=f"pictures-class-{place}", horizontal=True, vertical_alignment="center"
        ):
            enough = len(pictures) >= MIN_PICTURES
            count = TABLE["enough" if enough else "short"].format(
                count=len(pictures), least=MIN_PICTURES, most=MAX_PICTURES
            )
            st.markdown(TABLE["row"].format(name=shown_name(name), count=count), width=200)
            alt = escape(TABLE["alt"].format(name=str(shown_name(name))))
            images = "".join(
                f'<img src="{address_of(one.content)}" alt="{alt}">' for one in pictures[:PREVIEWS]
            )
            st.html(f'<div class="own-pictures">{images}</div>', width="stretch")
            st.button(
                TABLE["remove"],
                key=f"pictures-remove-{place}",
                type="tertiary",
                on_click=partial(remove, name),
            )


def remove(name: str) -> None:
    st.session_state.pop(MESSAGE_KEY, None)
    collection().remove(name)
