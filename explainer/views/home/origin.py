"""Where the model comes from, and the command that trains it."""

import streamlit as st

from explainer.content import load_texts
from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.inputs.models import load, saved_epochs
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.sidebar.pretrained import show_notes
from explainer.state.choice import Choice
from explainer.training.command import public_command


def show_origin(choice: Choice, observation: Observation) -> None:
    texts = texts_of("home", observation)
    source = load.load_source(choice.source)
    checkpoint = source.checkpoint
    st.header(texts["origin_title"], anchor=False)
    if choice.is_saved and source.preprocessing is not None:  # a head on a pretrained model
        st.markdown(saved_epochs.origin(choice.source, texts))
    if source.preprocessing is not None:
        pretrained_texts = load_texts("pretrained")
        is_of_others = checkpoint is None or choice.is_saved
        template = pretrained_texts["origin" if is_of_others else "origin_run"]
        named = strangers_word(source.preprocessing.source, LONGEST_SENTENCE)
        st.markdown(template.format(source=named))
        show_notes(source.preprocessing.notes)
        return
    assert checkpoint is not None, "only a model of another library has none"
    accuracy = checkpoint.metrics.get("test_accuracy")
    if choice.is_saved:
        st.markdown(saved_epochs.origin(choice.source, texts))
    elif isinstance(accuracy, float):
        st.markdown(texts["origin"].format(accuracy=f"{100 * accuracy:.2f} %"))
    else:
        st.markdown(texts["origin_unmeasured"])
    command, text_name = public_command(checkpoint), "origin_command"
    if choice.is_saved:  # anybody may have written the file
        command, text_name = saved_epochs.command(choice.source, checkpoint)
    if command:
        st.markdown(texts[text_name])
        st.code(command, language=None, wrap_lines=True)
