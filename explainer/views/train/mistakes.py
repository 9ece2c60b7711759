"""The gallery of classic mistakes: what each does to a run, beside the healthy one."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import streamlit as st

from explainer.components.curves import show_curves
from explainer.content import load_texts
from explainer.figures import theme
from explainer.figures.curves import curves, legend_of
from explainer.shell.controls import pick
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.notes import note
from explainer.state.link import CLASSES
from explainer.training.progress import progress_of
from explainer.training.recorded import HEALTHY, recorded
from explainer.views.train.charts import curve_of
from explainer.views.train.chosen_on_test import CHOSEN_ON_TEST, show_chosen_on_test
from explainer.views.train.of_data import DIGITS, texts_about
from explainer.views.train.saving import pictured
from vit_core.mistakes import MISTAKES

TEXTS = load_texts("mistakes")
CHOSEN_KEY = "mistake-chosen"  # survives a visit to another page, unlike the widget's own
# softmax of the softmax: all probability on the label still leaves e⁰ for each other class
FLOOR = math.log(math.e + CLASSES - 1) - 1
GUESSING = math.log(CLASSES)
# the one that people least expect comes first
ORDER = ("no_position", *(name for name in MISTAKES if name != "no_position"), CHOSEN_ON_TEST)
# recorded when a seed already gave each parameter a stream of its own
RECORDED_LATER = ("classes_in_order",)
LEVELS = {  # mistake → a loss to compare with, and what it is called in the texts
    "softmax_before_loss": (FLOOR, "floor"),
    "no_layer_norm": (GUESSING, "guessing"),
    "high_lr": (GUESSING, "guessing"),
    "shuffled_labels": (GUESSING, "guessing"),
    "classes_in_order": (GUESSING, "guessing"),
}


def show_gallery(on_try: Callable[[str], None]) -> None:
    """Draw the gallery, one mistake at a time.

    Args:
        on_try: called, before the page runs again, with the name of the mistake that somebody
            wants to train with, as ``vit_core.mistakes.MISTAKES`` has it.
    """
    name = chosen()
    with st.container(key="part-mistakes"):
        if name == CHOSEN_ON_TEST:
            st.markdown(TEXTS["chosen_on_test"]["lead"])
            show_names(name)
            show_chosen_on_test()
        else:
            st.markdown(TEXTS["lead"].format(**facts(name)))
            show_names(name)
            show(name, on_try)


def show_names(name: str) -> None:
    """Let the visitor pick a mistake, and draw the title of the one that is picked."""
    pick(
        TEXTS["pick"],
        ORDER,
        name,
        keep,
        key="mistake",
        format_func=TEXTS["names"].__getitem__,
        label_visibility="collapsed",
    )
    st.subheader(TEXTS["names"][name], anchor=False)


def show(name: str, on_try: Callable[[str], None]) -> None:
    texts, numbers = TEXTS["mistakes"][name], facts(name)
    st.markdown(texts["why"].format(**numbers))
    if "formula" in texts:
        st.latex(texts["formula"].format(**numbers))
    st.markdown(f"**{TEXTS['look']}**")
    st.markdown(texts["look"].format(**numbers))
    st.button(TEXTS["try"], key="mistake-try", on_click=partial(on_try, name))
    show_chart(name, numbers)
    note(TEXTS["command"])
    st.code(recorded(name).config.command, language=None, wrap_lines=True)


def chosen() -> str:
    return st.session_state.get(CHOSEN_KEY, ORDER[0])


def keep(name: str) -> None:
    st.session_state[CHOSEN_KEY] = name


def show_chart(name: str, numbers: Mapping[str, object]) -> None:
    level = None
    if name in LEVELS:
        height, called = LEVELS[name]
        level = height, TEXTS[called].format(**numbers)
    both = {
        TEXTS["names"][name]: (progress_of(recorded(name)), theme.ACCENT, "circle"),
        TEXTS["healthy"]: (progress_of(recorded(HEALTHY)), theme.MUTED, "diamond"),
    }
    lines = [
        curve_of(progress, kind, TEXTS["chart_names"][kind].format(name=called), shade, symbol)
        for called, (progress, shade, symbol) in reversed(both.items())  # the mistake on top
        for kind in ("train", "val")
    ]
    figure = curves(
        lines,
        epochs=recorded(HEALTHY).config.train.epochs,
        texts=texts_about(DIGITS)["charts"],
        alts=(TEXTS["alt_loss"].format(**numbers), TEXTS["alt_accuracy"].format(**numbers)),
        legend=[
            legend_of(replace(curve, name=called))
            for curve, called in zip(lines[1::2], reversed(both), strict=True)
        ],
        loss_level=level,
    )
    st.markdown(f"**{TEXTS['chart']}**")
    with pictured("mistake", TEXTS["names"][name]):
        show_curves(figure, key="mistake-curves")
    download_csv(TEXTS["download"], partial(runs_csv, name), f"{name}.csv", "mistake-csv")


def runs_csv(name: str) -> str:
    rows = []
    for called, history in (
        (TEXTS["names"][name], recorded(name)),
        (TEXTS["healthy"], recorded(HEALTHY)),
    ):
        progress = progress_of(history)
        for kind in ("train", "val"):
            points = getattr(progress, kind)
            rows += [
                (called, TEXTS["csv_kinds"][kind], int(step), loss, accuracy)
                for step, loss, accuracy in zip(
                    points.steps, points.losses, points.accuracies, strict=True
                )
            ]
    return table_csv(TEXTS["csv_columns"], rows)


@cache
def facts(name: str) -> Mapping[str, object]:
    """Return what the texts may name of a mistake's run and, as ``healthy_…``, of the healthy."""
    values = {f"healthy_{key}": value for key, value in facts_of(HEALTHY).items()} | facts_of(name)
    return values | {
        "start": TEXTS[f"start_{start_of(name)}"],
        "floor": f"{FLOOR:.4f}",
        "guessing": f"{GUESSING:.3f}",
        "head_dim": recorded(name).config.model.head_dim,
        "root": f"{recorded(name).config.model.head_dim ** 0.5:g}",
        "patches": recorded(name).config.model.num_patches,
        "depth": recorded(name).config.model.depth,
        "lr": f"{recorded(name).config.train.lr:g}",
        "healthy_lr": f"{recorded(HEALTHY).config.train.lr:g}",
        "muon_lr": f"{recorded(name).config.train.muon_lr:g}",
        "healthy_muon_lr": f"{recorded(HEALTHY).config.train.muon_lr:g}",
    }


def start_of(name: str) -> str:
    """Return how a recorded run's first weights stand to the healthy one's, as the texts name it.

    When most were recorded, a seed gave one stream of numbers to all parameters in turn, so that
    only models of the same parameters began the same.
    """
    if name in RECORDED_LATER:
        return "later"
    is_same = recorded(name).config.model == recorded(HEALTHY).config.model
    return "same" if is_same else "other"


def facts_of(name: str) -> dict[str, Any]:
    """Return one run's numbers, as they are written."""
    history = recorded(name)
    progress, last = progress_of(history), history.epoch_line(history.config.train.epochs)
    first = history.epoch_line(1)
    assert first is not None and last is not None
    assert history.test_accuracy is not None, f"{name} was recorded to its end"
    return {
        "epochs": history.config.train.epochs,
        "steps": f"{history.total_steps:,}",
        "test": share(history.test_accuracy),
        "first_loss": number(progress.train.losses[0]),
        "most_loss": number(progress.train.losses.max()),
        "loss": number(last["train_loss"]),
        "val_loss": number(progress.val.losses[-1]),
        "first_val": share(progress.val.accuracies[0]),
        "val": share(progress.val.accuracies[-1]),
        "first_train": share(first["train_accuracy"]),
        "train": share(last["train_accuracy"]),
        "vals": ", ".join(map(share, progress.val.accuracies)),
        "test_loss": number(history.metrics()[-1]["test_loss"]),
    }


def share(accuracy: float | np.floating) -> str:
    return f"{100 * accuracy:.1f} %"


def number(loss: float | np.floating) -> str:
    return f"{loss:.3f}" if loss < 10 else f"{loss:,.0f}"
