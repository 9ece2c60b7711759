"""The sidebar: which model, which image, which shape."""

from dataclasses import replace

import streamlit as st

from explainer.content import load_texts
from explainer.inputs.models.saved_epochs import Shown
from explainer.inputs.pictures.galleries import DIGITS, photo_store, samples
from explainer.shell.picker import pick_picture
from explainer.shell.picker.visitor_pictures import ask_for_photo_again
from explainer.shell.sidebar import epochs
from explainer.shell.sidebar.knobs import show_shape, turn_knobs
from explainer.shell.sidebar.model import (
    Fixed,
    find_model,
    fixed_model,
    narrow_to_known,
    pick_model,
    source_name,
)
from explainer.shell.sidebar.pretrained import offer_pretrained
from explainer.shell.sidebar.upload_model import upload_model
from explainer.state import session
from explainer.state.choice import UNTRAINED, Choice, takes_drawings
from explainer.state.link import State


def choose(is_drawn: bool = True) -> Choice:
    """Return what is chosen in the sidebar, which is drawn unless the link hides it.

    Args:
        is_drawn: whether the page has a sidebar at all.
    """
    now, shown = find_model(narrow_to_known(session.load()))
    if not is_drawn or now.controls == "hide":
        model = fixed_model(now, shown)
        if model is None:
            now = replace(now, source=UNTRAINED)
    else:
        now, model = draw(now, shown)
    now = narrow_picture(now, model)
    session.save(now)
    return choice_of(now, model, shown)


def draw(now: State, shown: Shown | None) -> tuple[State, Fixed | None]:
    """Draw the sidebar; return the state with a usable model, and what that model fixes."""
    with st.sidebar:
        now, model = draw_choice(now, shown)
        if model is not None:
            show_shape(model.config)
        offer_pretrained()
        upload_model()
    return now, model


def choose_inside() -> Choice:
    """Draw the choice of model and picture where one is; return what is chosen."""
    now, shown = find_model(narrow_to_known(session.load()))
    now, model = draw_choice(now, shown)
    session.save(now)
    return choice_of(now, model, shown)


def draw_choice(now: State, shown: Shown | None) -> tuple[State, Fixed | None]:
    """Draw what is needed to choose a model and a picture; return values as for ``draw``."""
    pick_model(now)
    if shown:
        epochs.pick_epoch(shown)
    model = fixed_model(now, shown)
    if model is None:
        now = replace(now, source=UNTRAINED)
    now = narrow_picture(now, model)
    pick_picture(now, choice_of(now, model, shown))
    if model is None:
        turn_knobs(now)
    return now, model


def choice_of(now: State, model: Fixed | None, shown: Shown | None) -> Choice:
    """Return the choice of a state; with an own picture, digit and index count for nothing."""
    config, gallery = model or (now.shaped, DIGITS)
    source = source_name(now, shown)
    if gallery != DIGITS and takes_drawings(gallery):
        sample = 0 if now.picture else now.sample
        return Choice(source, config, now.seed, 0, 0, now.picture, gallery, sample)
    if gallery != DIGITS:
        sample = 0 if now.photo else now.sample
        return Choice(source, config, now.seed, 0, 0, "", gallery, sample, now.photo)
    digit, index = (0, 0) if now.picture else (now.digit, now.index)
    return Choice(source, config, now.seed, digit, index, now.picture)


def narrow_picture(now: State, model: Fixed | None) -> State:
    """Replace a picture that the model's gallery lacks by one that it has."""
    gallery = model.gallery if model else DIGITS
    if gallery == DIGITS:
        return now
    if now.photo and not takes_drawings(gallery) and not photo_store.is_kept(now.photo):
        session.refused().append(load_texts("picker")["photo_gone"])
        ask_for_photo_again()
        now = replace(now, photo="")
    return replace(now, sample=min(now.sample, len(samples(gallery)) - 1))
