"""The uploader in the sidebar for a visitor's own checkpoint."""

import streamlit as st

from explainer import training
from explainer.components.refused_file import refused_file
from explainer.content import load_texts
from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.inputs.models.upload import add_upload
from explainer.inputs.uploads import MAX_BYTES, MEGABYTE
from explainer.inputs.uploads.same_page import warn_if_refused
from explainer.inputs.uploads.taken import take
from explainer.measuring.uploads import uploaded
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.choice import RUN
from explainer.training import RefusedError, visitor

TEXTS = load_texts("upload")
KEY = "own-model"
MESSAGE_KEY = "own-model-said"  # (whether the last file was accepted, the message about it)


def upload_model() -> None:
    """Draw the uploader, closed until somebody asks for it."""
    accepted, message = st.session_state.get(MESSAGE_KEY, (False, ""))
    with st.expander(TEXTS["title"], expanded=bool(message)):
        if message and not accepted:
            st.error(message)
        warn_if_refused()
        # any file name is accepted here, so that other kinds of files are refused with a reason
        st.file_uploader(
            TEXTS["label"],
            key=KEY,
            max_upload_size=MAX_BYTES // MEGABYTE,
            help=TEXTS["help"],
            on_change=take_file,
        )
        refused_file(TEXTS["refused_file"], of=KEY)
        note(message if accepted else TEXTS["note"])
    if accepted:
        visitor.remember()


def take_file() -> None:
    """Turn the file into a run of the visitor and show it; a refused file changes nothing else."""
    if st.session_state[KEY] is None:
        st.session_state.pop(MESSAGE_KEY, None)
        return
    if (file := take(KEY)) is None:
        return
    name, content = file
    try:
        run = add_upload(training.the_manager(), visitor.current(), content, name)
    except RefusedError as refusal:
        uploaded("model", len(content), refusal.kind)
        st.session_state[MESSAGE_KEY] = (False, f"{strangers_word(refusal, LONGEST_SENTENCE)}")
        return
    uploaded("model", len(content))
    st.session_state[MESSAGE_KEY] = (True, TEXTS["accepted"].format(title=run.title))
    session.change(source=RUN, run=run.id, epoch=None)
