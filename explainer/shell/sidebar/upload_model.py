"""The place in the sidebar where a visitor brings a checkpoint of their own."""

import streamlit as st

from explainer import training
from explainer.content import load_texts
from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.inputs.models.upload import add_upload
from explainer.inputs.uploads import MEGABYTE, MOST_BYTES
from explainer.inputs.uploads.same_page import say_if_refused
from explainer.inputs.uploads.taken import take
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.choice import RUN
from explainer.training import RefusedError, visitor

TEXTS = load_texts("upload")
KEY = "own-model"
SAID_KEY = "own-model-said"  # (whether the last file was accepted, the sentence about it)


def upload_model() -> None:
    """Draw the uploader, closed until somebody asks for it."""
    accepted, said = st.session_state.get(SAID_KEY, (False, ""))
    with st.expander(TEXTS["title"], expanded=bool(said)):
        if said and not accepted:
            st.error(said)
        say_if_refused()
        # any name is let in, so that whoever brings another kind of file is told why not
        st.file_uploader(
            TEXTS["label"],
            key=KEY,
            max_upload_size=MOST_BYTES // MEGABYTE,
            help=TEXTS["help"],
            on_change=take_file,
        )
        note(said if accepted else TEXTS["note"])
    if accepted:
        visitor.remember()


def take_file() -> None:
    """Make a file a run of the visitor's and show it; one that is refused changes nothing else."""
    if st.session_state[KEY] is None:
        st.session_state.pop(SAID_KEY, None)
        return
    if (file := take(KEY)) is None:
        return
    name, content = file
    try:
        run = add_upload(training.the_manager(), visitor.current(), content, name)
    except RefusedError as refusal:
        st.session_state[SAID_KEY] = (False, f"{strangers_word(refusal, LONGEST_SENTENCE)}")
        return
    st.session_state[SAID_KEY] = (True, TEXTS["accepted"].format(title=run.title))
    session.change(source=RUN, run=run.id, epoch=None)
