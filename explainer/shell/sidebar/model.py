"""Which model: the list of models, and what the chosen one fixes."""

from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from explainer.content import load_texts
from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.inputs.models import load, saved_epochs
from explainer.inputs.models.saved_epochs import Shown
from explainer.inputs.pictures import link_code, test_digits
from explainer.shell import controls
from explainer.shell.sidebar.pretrained import offered_models, settle_pretrained
from explainer.state import session
from explainer.state.choice import PRETRAINED, RUN, UNTRAINED, by_others
from explainer.state.link import State
from vit_core import CheckpointError, ViTConfig

TEXTS = load_texts("sidebar")
RUN_TEXTS = load_texts("run_models")


class Fixed(NamedTuple):
    """What a trained model fixes: its shape, and which pictures it is for."""

    config: ViTConfig
    gallery: str


def narrow_to_known(now: State) -> State:
    """Replace models and images in a link's state that do not exist by ones that do."""
    sources = load.available_sources()
    return replace(
        now,
        source=now.source if now.source in (*sources, RUN, PRETRAINED) else sources[0],
        index=min(now.index, test_digits.count_digits(now.digit) - 1),
        picture=now.picture if link_code.is_picture(now.picture) else "",
    )


def find_model(now: State) -> tuple[State, Shown | None]:
    """Find the model of a run or a pretrained one; if it is missing, use a shipped one."""
    if now.source == PRETRAINED:
        if problem := settle_pretrained(now):
            now = replace(now, source=load.available_sources()[0], pretrained="")
            session.refused().append(f"{problem} {shown_instead(now)}")
        return now, None
    if now.source != RUN:
        return now, None
    shown, problem = saved_epochs.look_up(now)
    if shown is None:
        now = saved_epochs.forget(now)
        problem = f"{problem} {shown_instead(now)}"
    elif problem:
        now = replace(now, epoch=shown.epoch)
    if problem:
        session.refused().append(problem)
    return now, shown


def shown_instead(now: State) -> str:
    """Return the sentence that names the model that is shown instead."""
    return RUN_TEXTS["other_model"].format(model=TEXTS["sources"][now.source])


def source_name(now: State, shown: Shown | None) -> str:
    """Return the source as ``Choice`` has it."""
    if shown:
        return shown.source
    return by_others(now.pretrained) if now.source == PRETRAINED else now.source


def pick_model(now: State) -> None:
    """Draw the list of models."""
    labels, option = models_offered(now), option_of(now)
    controls.choose(
        TEXTS["model"],
        list(labels),
        option,
        keep_model,
        key="source",
        format_func=labels.__getitem__,
        help=RUN_TEXTS["model_help"],
    )


def models_offered(now: State) -> dict[str, str]:
    """Return the label of each model that can be chosen, by its option in the list."""
    labels = {source: TEXTS["sources"][source] for source in load.available_sources()}
    labels |= {by_others(name): title for name, title in offered_models(now).items()}
    return labels | {option_of_run(run): label for run, label in saved_epochs.offered(now).items()}


def option_of(now: State) -> str:
    """Return the option of the list that stands for the model of a state."""
    return option_of_run(now.run) if now.source == RUN else source_name(now, None)


def option_of_run(run: str) -> str:
    """Return the option of the list that stands for a run."""
    return f"{RUN}:{run}"


def keep_model(option: str) -> None:
    """Keep the model that was chosen from the list."""
    st.session_state.pop(session.PLAYING_KEY, None)
    session.save(with_model(session.load(), option))


def with_model(now: State, option: str) -> State:
    """Return a state with the model that an option of the list stands for."""
    kind, _, name = option.partition(":")
    if kind == RUN:
        return replace(now, source=RUN, run=name, epoch=now.epoch if name == now.run else None)
    if kind == PRETRAINED:
        return replace(now, source=PRETRAINED, pretrained=name)
    return narrow_to_known(replace(now, source=kind))


def fixed_model(now: State, shown: Shown | None) -> Fixed | None:
    """Return what a model fixes; None for an untrained model, or for a broken file."""
    if now.source == UNTRAINED:
        return None
    try:
        source = load.load_source(source_name(now, shown))
        return Fixed(source.model.config, source.gallery)
    except (CheckpointError, OSError) as error:
        st.error(TEXTS["unusable"].format(why=strangers_word(error, LONGEST_SENTENCE)))
        return None
