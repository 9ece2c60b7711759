"""Before a run: the button, how long it will take, and what exactly is going to be trained."""

from functools import partial

import streamlit as st

from explainer.controls import pick
from explainer.figures.strip import strip
from explainer.runs import Manager, Refused
from explainer.small_print import note
from explainer.views.train import knobs, setup
from explainer.views.train.digits import unasked
from explainer.views.train.orders import start
from explainer.views.train.wording import MISTAKES, TEXTS, about, epochs_of
from vit_core.data import MNIST_TRAINING

PAUSE = 1.0  # seconds between two questions how long a run takes


def show_setup(manager: Manager) -> None:
    """Draw everything that stands before a run."""
    st.markdown(TEXTS["lead"], width=760)
    refusal = refused(manager)
    with st.container(key="train-start-row", horizontal=True, vertical_alignment="center"):
        st.button(
            TEXTS["start"],
            key="train-start",
            type="primary",
            disabled=bool(refusal),
            on_click=partial(start, manager),
        )
        show_estimate(manager, refusal)
    show_mistakes()
    recipe = setup.chosen()
    pick(
        TEXTS["recipe"],
        tuple(setup.RECIPES) if recipe != setup.OWN else (*setup.RECIPES, setup.OWN),
        recipe,
        setup.follow,
        key="train-recipe",
        format_func=lambda name: TEXTS["recipes"][name]["label"],
        label_visibility="collapsed",
    )
    show_size(recipe)
    note(TEXTS["data"])
    with st.container(key="train-knobs"):
        with st.expander(TEXTS["shape"], key="train-shape"):
            knobs.show_shape()
        with st.expander(TEXTS["training"], key="train-training"):
            knobs.show_training(manager.limits)
    with st.container(key="train-preview"):
        st.subheader(TEXTS["preview_title"], anchor=False)
        st.markdown(TEXTS["preview"])
        st.html(strip(unasked(), TEXTS["strip"]))


def refused(manager: Manager) -> str:
    """Return why the settings cannot be trained here; empty if they can."""
    try:
        manager.check(setup.model(), setup.train())
    except Refused as refusal:
        return str(refusal)
    return ""


def show_estimate(manager: Manager, refusal: str) -> None:
    """Say how long the run takes, as soon as that was measured, or why it cannot be."""
    known = manager.estimate(setup.model(), setup.train()) is not None
    pause = None if known or refusal else PAUSE
    st.fragment(tell_estimate, run_every=pause)(manager, pause is not None)


def tell_estimate(manager: Manager, is_waiting: bool) -> None:
    found, refusal = manager.estimate(setup.model(), setup.train()), refused(manager)
    if is_waiting and (found or refusal):
        st.rerun()
    with st.container(key="train-estimate"):
        if refusal:
            st.markdown(refusal)
        elif found:
            st.markdown(TEXTS["estimate"].format(time=about(found.seconds)))
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


def show_size(recipe: str) -> None:
    """Say what the recipe is good for, and how large the model and the run are."""
    model, train = setup.model(), setup.train()
    count = f"{model.num_parameters:,}"
    st.markdown(TEXTS["recipes"][recipe]["text"].format(parameters=count))
    note(
        TEXTS["size"].format(
            parameters=count,
            patches=model.num_patches,
            pixels=model.patch_hw[0],
            epochs=epochs_of(train.epochs),
            steps=f"{MNIST_TRAINING // train.batch_size:,}",
        )
    )
