"""The learning rate of a whole run, as training itself computes it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content.numbers import percent, written
from explainer.figures import theme
from explainer.figures.steps import Line, line_chart, loss_exponents
from explainer.figures.theme import Mode
from explainer.observation.learning.recipe import Recipe, recipe_of, schedule
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.quiz import Question
from explainer.shell.shown import show_chart
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.learning.recorded import load
from explainer.views.learning.step import TEXTS
from vit_core.learning.schedule import Schedule

RECORDED_LOOKS = {  # colour and dash of each recorded schedule
    "both": (theme.ACCENT, "solid"),
    "no_warmup": (theme.PATCH, "dash"),
    "no_decay": (theme.BAD, "solid"),
    "neither": (theme.MUTED, "dash"),
}
MOST = 800  # points of the curve, which is more than a screen shows


def show_schedule(choice: Choice, seen: Observation, place: Place) -> None:
    texts, recipe, found = TEXTS["schedule"], recipe_of(choice), schedule(choice)
    config = recipe.config
    epochs = texts["epoch_one" if config.epochs == 1 else "epochs"].format(epochs=config.epochs)
    st.markdown(
        texts["own" if recipe.is_own else "other"].format(
            epochs=epochs, optimizer=texts[f"name_{config.optimizer}"]
        )
    )
    title = texts["chart"].format(steps=f"{found.total_steps:,}")
    st.markdown(f"**{title}**")
    show_chart(partial(chart, recipe, found), place, "schedule", title, alt=alt(recipe, found))
    st.markdown("\n".join(f"- {line}" for line in lines(recipe, found)))
    show_recorded(place)
    with more(place, "schedule"):
        download_csv(
            texts["download"],
            partial(rates_csv, recipe, found),
            "learning-rates.csv",
            place.key("schedule-csv"),
        )


def show_recorded(place: Place) -> None:
    """Draw what the curve was with and without warm-up and decay, in trainings that were kept."""
    texts, kept = TEXTS["schedule"], load("schedule")
    st.subheader(texts["recorded_title"], anchor=False)
    st.markdown(texts["recorded_text"].format(points=f"{kept['points_on']:,}", **same_words(kept)))
    title = texts["recorded_chart"]
    st.markdown(f"**{title}**")
    show_chart(
        partial(recorded_chart, kept),
        place,
        "recorded-schedules",
        title,
        alt=texts["recorded_alt"].format(values=", ".join(results(kept))),
    )
    st.markdown("\n".join(f"- {line}" for line in results(kept)))
    note(texts["recorded_note"].format(**same_words(kept)))


def same_words(kept: Mapping[str, Any]) -> dict[str, str]:
    """Return what a recorded file says of how it was made."""
    return {name: str(kept[name]) for name in ("recipe", "command", "date", "hardware")}


def run_name(run: Mapping[str, Any]) -> str:
    texts, times = TEXTS["schedule"], run["times"]
    name = str(texts[f"recorded_{run['schedule']}"])
    return name if times == 1 else str(texts["recorded_times"].format(name=name, times=times))


def results(kept: Mapping[str, Any]) -> list[str]:
    """Return the result of each recorded training in words."""
    texts = TEXTS["schedule"]
    return [
        texts["recorded_result"].format(
            name=run_name(run), accuracy=percent(run["validation_accuracy"])
        )
        for run in kept["runs"]
    ]


def recorded_chart(kept: Mapping[str, Any], mode: Mode) -> go.Figure:
    """Return the validation loss of the trainings with the recipe's own rates."""
    texts = TEXTS["schedule"]
    lines = []
    for run in kept["runs"]:
        shade, dash = RECORDED_LOOKS[run["schedule"]]
        losses = np.array([point["val_loss"] for point in run["curve"]], float)
        steps = np.array([point["step"] for point in run["curve"]], float)
        written_losses = [written(loss) for loss in losses.tolist()]
        if run["times"] == 1:
            line = Line(run_name(run), steps, loss_exponents(losses), shade, written_losses)
            lines.append(replace(line, dash=dash))
    return line_chart(
        lines,
        axes=(texts["step_axis"], texts["recorded_axis"]),
        hover=texts["recorded_hover"],
        mode=mode,
        is_log=True,
    )


def rates_of(recipe: Recipe) -> list[tuple[str, float]]:
    """Return name and highest learning rate of each of the recipe's optimizers."""
    texts, config = TEXTS["schedule"], recipe.config
    plain = texts["adam" if config.optimizer == "adam" else "adamw"]
    rates = [(plain, config.lr)]
    return [(texts["muon"], config.muon_lr), *rates] if config.optimizer == "muon" else rates


def shown_steps(count: int) -> np.ndarray:
    """Return which of so many steps are drawn: evenly spaced, the first and the last of them."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST)).round().astype(int))


def chart(recipe: Recipe, found: Schedule, mode: Mode) -> go.Figure:
    texts = TEXTS["schedule"]
    at = shown_steps(found.total_steps)
    shades = (theme.ACCENT, theme.PATCH)
    marks = []
    if recipe.epoch is not None:
        step = recipe.epoch * found.steps_per_epoch
        marks.append((float(step), texts["here"].format(epoch=recipe.epoch)))
    return line_chart(
        [
            Line(name.format(rate=f"{rate:g}"), at + 1.0, rate * found.factors[at], shade)
            for (name, rate), shade in zip(rates_of(recipe), shades, strict=False)
        ],
        axes=(texts["step_axis"], texts["rate_axis"]),
        hover=texts["hover"],
        mode=mode,
        x_range=(-0.01 * found.total_steps, 1.01 * found.total_steps),
        y_range=(0.0, 1.05 * max(rate for _, rate in rates_of(recipe))),
        marks=marks,
    )


def alt(recipe: Recipe, found: Schedule) -> str:
    texts, (_, rate) = TEXTS["schedule"], rates_of(recipe)[0]
    rise = texts["rise"].format(steps=found.warmup_steps) if found.warmup_steps else ""
    return str(
        texts["chart_alt"].format(
            rise=rise or texts["no_rise"],
            fall=texts[recipe.config.schedule],
            rate=written(float(rate * found.factors.max())),
            last=written(float(rate * found.factors[-1])),
        )
    )


def lines(recipe: Recipe, found: Schedule) -> Sequence[str]:
    """Return what the schedule is for, as far as this one has it."""
    texts, config = TEXTS["schedule"], recipe.config
    numbers = {"steps": f"{found.warmup_steps:,}", "total": f"{found.total_steps:,}"}
    said = [texts["warm" if found.warmup_steps > 1 else "no_warm"].format(**numbers)]
    said.append(texts[f"decay_{config.schedule}"])
    is_changed = config.augment != "none" or config.randaugment or config.mixup or config.cutmix
    if is_changed and found.clean_from < found.total_steps:
        said.append(texts["clean"].format(step=f"{found.clean_from + 1:,}"))
    return said


def ask_schedule(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    """Ask when the learning rate is highest; nothing where it always is."""
    texts, recipe, found = TEXTS["questions"]["schedule"], recipe_of(choice), schedule(choice)
    factors = found.factors
    best, total = int(factors.argmax()), found.total_steps
    if recipe.config.schedule == "constant" or not 0 < best < total // 2 - 1:
        return []
    steps = {"first": 0, "warm": best, "half": total // 2, "last": total - 1}
    options = [texts[name].format(step=f"{step + 1:,}") for name, step in steps.items()]
    rate = rates_of(recipe)[0][1]
    values = zip(
        options, [written(rate * float(factors[step])) for step in steps.values()], strict=True
    )
    return [
        Question(
            "schedule",
            texts["text"].format(total=f"{total:,}"),
            tuple(options),
            list(steps).index("warm"),
            texts["why"].format(values=", ".join(f"{option}: {value}" for option, value in values)),
            "schedule",
        )
    ]


def rates_csv(recipe: Recipe, found: Schedule) -> str:
    rates = rates_of(recipe)
    names = [name.format(rate=f"{rate:g}") for name, rate in rates]
    rows = [
        (step + 1, *(rate * float(factor) for _, rate in rates))
        for step, factor in enumerate(found.factors)
    ]
    return table_csv(("step", *names), rows)
