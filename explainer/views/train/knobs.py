"""The knobs: the shape of the model, which all pages share, and the way it is trained."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from explainer.shell.controls import enter, pick, slide
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.link import DEPTHS, HEADS, MAX_SEED, PATCHES, WIDTHS
from explainer.training import Limits
from explainer.views.train import setup
from explainer.views.train.of_data import of_dataset
from explainer.views.train.wording import TEXTS
from vit_core.config import AUGMENTATIONS, OPTIMIZERS, POOLS, POSITIONS, SCHEDULES

EPOCHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 25, 30, 40, 50, 60)
BATCH_SIZES = (16, 32, 64, 128, 256, 512, 1024)
RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
SMOOTHINGS = (0.0, 0.05, 0.1, 0.2, 0.3)
DECAYS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


def show_shape() -> None:
    """Draw the knobs of the model."""
    now = session.load()
    left, right = columns()
    with left:
        slider("patches", PATCHES, now.patches, keep_shape, sides)
        slider("width", WIDTHS, now.width, keep_shape)
        slider("heads", HEADS, now.heads, keep_shape)
    with right:
        slider("depth", DEPTHS, now.depth, keep_shape)
        choice("position", POSITIONS, now.position, keep_shape)
        choice("pool", POOLS, setup.load().pool, keep_pool)


def show_training(limits: Limits) -> None:
    """Draw the knobs of the training, as far as this server allows."""
    train = setup.train()
    left, right = columns()
    with left:
        slider("epochs", up_to(EPOCHS, limits.epochs), train.epochs, keep_training)
        slider("batch_size", up_to(BATCH_SIZES, limits.batch_size), train.batch_size, keep_training)
        choice("optimizer", OPTIMIZERS, train.optimizer, keep_training)
        slider("lr", RATES, train.lr, keep_training, "{:g}")
        if train.optimizer == "muon":
            slider("muon_lr", RATES, train.muon_lr, keep_training, "{:g}")
        choice("schedule", SCHEDULES, train.schedule, keep_training)
    with right:
        choice("augment", AUGMENTATIONS, train.augment, keep_training)
        if train.augment != "none":
            slider("augment_strength", STRENGTHS, train.augment_strength, keep_training, "{:g}")
        slider("label_smoothing", SMOOTHINGS, train.label_smoothing, keep_training, "{:g}")
        slider("weight_decay", DECAYS, train.weight_decay, keep_training, "{:g}")
        with knob("seed"):
            enter(
                TEXTS["knobs"]["seed"]["label"],
                session.load().seed,
                partial(keep_shape, "seed"),
                key="train-seed",
                most=MAX_SEED,
            )


@contextmanager
def knob(name: str) -> Iterator[None]:
    """Stand around one knob: what it does comes right below."""
    with st.container(key=f"train-knob-{name}", gap=None):
        yield
        note(of_dataset(setup.dataset()).texts["knobs"][name]["text"])


def columns() -> Sequence[Any]:
    return st.columns(2, gap="large")


def up_to(options: Sequence[int], most: int) -> list[int]:
    """Return the options that are allowed, and the most that is."""
    return sorted({*(option for option in options if option < most), most})


def sides(patches: int) -> str:
    return str(setup.patches_of(patches))


def keep_shape(name: str, value: int | str) -> None:
    session.change(**{name: value})


def keep_training(name: str, value: object) -> None:
    setup.change(**{name: value})


def keep_pool(_: str, value: str) -> None:
    setup.save(replace(setup.load(), pool=value))


def slider(
    name: str,
    options: Sequence[Any],
    value: Any,
    keep: Callable[[str, Any], None],
    written: str | Callable[[Any], str] = "{}",
) -> None:
    """Draw a slider over the options and the value that a recipe has given."""
    with knob(name):
        slide(
            TEXTS["knobs"][name]["label"],
            sorted({*options, value}),
            value,
            partial(keep, name),
            key=f"train-{name}",
            format_func=written.format if isinstance(written, str) else written,
        )


def choice(name: str, options: Sequence[str], value: str, keep: Callable[[str, Any], None]) -> None:
    """Draw a few options side by side."""
    with knob(name):
        pick(
            TEXTS["knobs"][name]["label"],
            options,
            value,
            partial(keep, name),
            key=f"train-{name}",
            format_func=TEXTS["options"].__getitem__,
        )
