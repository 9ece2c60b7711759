"""How the training page writes times, shares and runs."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from math import ceil, inf
from zoneinfo import ZoneInfo

import streamlit as st

from explainer.content import load_texts
from explainer.state.place import Place
from explainer.training import Run
from vit_core import ViTConfig
from vit_core.runs.directory import RunConfig, RunError

TEXTS = load_texts("train")
# names in the texts, seconds in each, and up to how many seconds it is used
UNITS = (("seconds", 1, 90.0), ("minutes", 60, 5_400.0), ("hours", 3_600, inf))
PLACE = Place(ViTConfig(), prefix="train-")  # for the keys of this page, which shows no one model
MISTAKES = load_texts("mistakes")["names"]


def duration(seconds: float) -> str:
    """Write a time as people say it: seconds below ten minutes, then minutes."""
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    if whole < 60:
        return f"{whole} s"
    if minutes < 10:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes + (rest >= 30), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def about(seconds: float) -> str:
    """Write a time that was estimated: the longer, the rounder."""
    step = 1 if seconds < 20 else 5 if seconds < 300 else 60
    return TEXTS["about"].format(time=duration(step * round(seconds / step)))


def between(least: float, most: float) -> str:
    """Write a time of which only the bounds are known, in whole numbers of one unit."""
    unit, step = next((unit, step) for unit, step, longest in UNITS if most <= longest)
    size = 10 if unit == "seconds" else 1  # seconds are written in tens
    low, high = max(1, int(least // (size * step))), max(1, ceil(most / (size * step)))
    name = unit if low < high else f"{unit}_about"
    return TEXTS["between"][name].format(least=size * low, most=size * high)


def epochs_of(count: int) -> str:
    return TEXTS["epochs_one" if count == 1 else "epochs_many"].format(epochs=count)


def zone() -> tzinfo:
    """Return where the visitor is, as the browser says it."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ValueError, KeyError, OSError):
        return UTC


def when(run: Run) -> str:
    """Return the time of day at which a run began, and before today the date as well."""
    here, now = run.started.astimezone(zone()), datetime.now(zone())
    return f"{here:%H:%M}" if here.date() == now.date() else f"{here.day} {here:%b, %H:%M}"


def settings_of(run: Run) -> RunConfig | None:
    """Return a run's settings; None where they are damaged."""
    try:
        return run.history.config
    except RunError:
        return None


def status_of(run: Run) -> str:
    """Say how a run stands, in a word."""
    return load_texts("runs")["status"].get(run.status, run.status)


def title_of(run: Run) -> str:
    """Name a run; one that came with the app by what it shows."""
    if run.status != "recorded":
        return run.title
    name = run.id.removeprefix("recorded-").replace("-", "_")
    title = MISTAKES.get(name, TEXTS["compare"]["healthy"])
    return TEXTS["compare"]["recorded"].format(title=title)


def labels(runs: Iterable[Run]) -> dict[str, str]:
    """Return a label for each run, by its id, in bare letters; no two are the same."""
    found: dict[str, str] = {}
    for run in runs:
        title = str(title_of(run))
        if run.status != "recorded":
            title += f" · {when(run)}"
        label, number = title, 1
        while label in found.values():
            number += 1
            label = f"{title} ({number})"
        found[run.id] = label
    return found
