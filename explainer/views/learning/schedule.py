"""The learning rate of a whole run, as training itself computes it."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content.numbers import written
from explainer.figures import theme
from explainer.figures.steps import Line, line_chart
from explainer.figures.theme import Mode
from explainer.observation.learning.recipe import Recipe, recipe_of, schedule
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.quiz import Question
from explainer.shell.shown import show_chart
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.learning.step import TEXTS
from vit_core.learning.schedule import Schedule

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
    with more(place, "schedule"):
        download_csv(
            texts["download"],
            partial(rates_csv, recipe, found),
            "learning-rates.csv",
            place.key("schedule-csv"),
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
