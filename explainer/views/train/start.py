"""Before a run: the button, how long it will take, and what exactly is going to be trained."""

from dataclasses import replace
from functools import partial

import streamlit as st

from explainer.figures.strip import strip
from explainer.inputs.data_sets import is_ready
from explainer.shell.controls import pick
from explainer.shell.notes import note
from explainer.shell.shown import show_html
from explainer.training import Manager, RefusedError, RunRequest
from explainer.training.recipes import ACCURACIES_OF
from explainer.views.train import knobs, setup
from explainer.views.train.asked import preview, unasked
from explainer.views.train.fetching import show_download
from explainer.views.train.of_data import DIGITS, OfData, of_dataset
from explainer.views.train.orders import begin
from explainer.views.train.saving import pictured
from explainer.views.train.wording import MISTAKES, TEXTS, between, epochs_of

PAUSE = 1.0  # seconds between two questions how long a run takes
LOOK = 3.0  # seconds between two looks whether anything can be started again


def show_setup(manager: Manager) -> None:
    """Draw everything that stands before a run on a named data set."""
    data = of_dataset(setup.dataset())
    texts, pictures = data.texts, preview(data.name)
    left, right = st.columns([3, 2], gap="xlarge")
    with left:
        st.markdown(texts["lead"])
        if is_ready(data.name):
            show_start(manager, setup.request())
        else:
            show_download(data.name)
        show_mistakes()
        show_recipe(data)
        with st.container(key="train-knobs"):
            with st.expander(TEXTS["shape"], key="train-shape"):
                knobs.show_shape()
            with st.expander(TEXTS["training"], key="train-training"):
                knobs.show_training(manager.limits)
    if not len(pictures):
        return
    with right, st.container(key="train-preview"):
        st.header(texts["preview_title"], anchor=False)
        st.markdown(texts["preview"])
        with pictured("preview", texts["preview_title"], data=data.name):
            answers = unasked(pictures, data.class_names)
            if data.name != DIGITS:  # a digit needs no name below it
                answers = [replace(one, share=one.truth) for one in answers]
            show_html(strip(answers, texts["strip"], columns=4), "digits")


def show_start(
    manager: Manager, request: RunRequest, *, label: str = "", key: str = "train-start"
) -> None:
    """Draw the button that starts a run, and beside it how long the run will take.

    Args:
        label: of the button, if it is not the usual one.
        key: of the button, of which a page can have several.
    """
    refusal = refused(manager, request)
    with st.container(key=f"{key}-row", horizontal=True, vertical_alignment="center"):
        st.button(
            label or TEXTS["start"],
            key=key,
            type="primary",
            disabled=bool(refusal),
            # what stands on the page is what is trained, whatever else comes with the click
            on_click=partial(begin, manager, request),
        )
        show_estimate(manager, request, refusal, key)
    look_again(manager)


def look_again(manager: Manager) -> None:
    """Have the page drawn anew as soon as a reason is gone for which nothing can be started."""
    if trouble := manager.storage_problem():
        st.fragment(look, run_every=LOOK)(manager, trouble)


def look(manager: Manager, trouble: str) -> None:
    if manager.storage_problem() != trouble:
        st.rerun()


def refused(manager: Manager, request: RunRequest) -> str:
    """Return why a run cannot be trained here; empty if it can."""
    if trouble := manager.storage_problem():
        return trouble
    try:
        manager.check(request.model, request.train, request.images, request.counts)
    except RefusedError as refusal:
        return str(refusal)
    return ""


def show_estimate(manager: Manager, request: RunRequest, refusal: str, key: str) -> None:
    """Say how long the run takes, as soon as that was measured, or why it cannot be."""
    known = manager.estimate(request.model, request.train, request.counts) is not None
    pause = None if known or refusal else PAUSE
    st.fragment(tell_estimate, run_every=pause)(manager, request, key, pause is not None)


def tell_estimate(manager: Manager, request: RunRequest, key: str, is_waiting: bool) -> None:
    estimate = manager.estimate(request.model, request.train, request.counts)
    refusal = refused(manager, request)
    if is_waiting and (estimate or refusal):
        st.rerun()
    with st.container(key=f"{key.removesuffix('-start')}-estimate"):
        if refusal:
            st.markdown(refusal)
        elif estimate:
            st.markdown(TEXTS["estimate"].format(time=between(estimate.least, estimate.most)))
        else:
            st.markdown(TEXTS["measuring"])


def show_mistakes() -> None:
    """Name the classic mistakes that are switched on; each can be taken out."""
    for name in setup.mistakes():
        with st.container(
            key=f"train-mistake-{name}", horizontal=True, vertical_alignment="center"
        ):
            st.markdown(TEXTS["made"].format(name=MISTAKES[name]), width="content")
            st.button(
                TEXTS["remove"],
                key=f"train-remove-{name}",
                type="tertiary",
                on_click=partial(setup.take_out, name),
            )


def show_recipe(data: OfData) -> None:
    """Offer the recipes; say what the chosen one is good for, and how large model and run are."""
    recipe, texts = setup.chosen(), data.texts
    names = tuple(setup.recipes())
    pick(
        TEXTS["recipe"],
        names if recipe != setup.OWN else (*names, setup.OWN),
        recipe,
        setup.follow,
        key="train-recipe",
        format_func=lambda name: TEXTS["recipes"][name]["label"],
        label_visibility="collapsed",
    )
    model, train = setup.model(), setup.train()
    count = f"{model.num_parameters:,}"
    accuracy = f"{100 * ACCURACIES_OF[data.name].get(recipe, 0.0):.1f} %"
    st.markdown(texts["recipes"][recipe]["text"].format(parameters=count, accuracy=accuracy))
    size = TEXTS["size"].format(
        parameters=count,
        patches=model.num_patches,
        pixels=model.patch_hw[0],
        epochs=epochs_of(train.epochs),
        steps=f"{data.counts[0] // train.batch_size:,}",
    )
    learn, validate, test = (f"{number:,}" for number in data.counts)
    source = texts["data"].format(train=learn, val=validate, test=test)
    note(f"{size}  \n{source}")
