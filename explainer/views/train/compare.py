"""Two or more runs in one chart, and what differs between their settings."""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from html import escape
from typing import Any

import streamlit as st

from explainer.components.curves import show_curves
from explainer.content.numbers import share_of_right
from explainer.figures import theme
from explainer.figures.curves import curves, legend_of
from explainer.figures.theme import Shade
from explainer.shell.controls import on_change
from explainer.shell.fold import fold
from explainer.shell.notes import note
from explainer.state.choice import SOURCES
from explainer.training import Run
from explainer.training.progress import Progress, progress_of
from explainer.views.train.charts import curve_of
from explainer.views.train.of_data import OTHER, of_run, texts_about
from explainer.views.train.saving import pictured
from explainer.views.train.wording import PLACE, TEXTS, duration, labels, settings_of
from vit_core.runs.directory import RunConfig

WORDS = TEXTS["compare"]
KEY = "train-compare"
CHOSEN_KEY = "train-compared"  # ids, in the order in which they were chosen
HEALTHY = "recorded-healthy"
COLOURS_KEY = "train-colours"  # id → place among the colours
COLOURS: tuple[tuple[Shade, str], ...] = (
    (theme.ACCENT, "circle"),
    (theme.QUERY, "diamond"),
    (theme.PATCH, "square"),
    (theme.VALUE, "triangle"),
    (theme.KEY, "cross"),
    (theme.CLASS_TOKEN, "star"),
)
SIGNS = {
    "circle": "●",
    "diamond": "◆",
    "square": "■",
    "triangle": "▲",
    "cross": "✚",
    "star": "★",
}


def show_compare(runs: list[Run], shown: Run | None) -> None:
    """Draw the choice of runs and, once there are two, charts and table.

    Args:
        runs: that can be chosen; those with damaged settings or no curves are left out.
        shown: the run on the page, which is held against the healthy one until somebody chooses.
    """
    known = {run.id: run for run in runs if settings_of(run) and run.history.metrics()}
    whole = [run for run in known.values() if not run.is_active]
    if all(run.status == "recorded" and not (shown and shown.id == run.id) for run in whole):
        return  # the gallery has them already
    with fold(PLACE, "compare", WORDS["title"]) as is_open:
        if is_open:
            choose(known, shown)


def choose(known: dict[str, Run], shown: Run | None) -> None:
    """Draw the choice of runs, and those that are chosen."""
    names = labels(known.values())
    st.markdown(WORDS["text"])
    begin = () if shown is None or shown.is_active else (shown.id, HEALTHY)
    chosen = [run_id for run_id in st.session_state.get(CHOSEN_KEY, begin) if run_id in known]
    if st.session_state.get(KEY) != chosen:
        st.session_state[KEY] = chosen
    st.multiselect(
        WORDS["label"],
        list(known),
        key=KEY,
        format_func=names.__getitem__,
        max_selections=len(COLOURS),
        placeholder=WORDS["placeholder"],
        label_visibility="collapsed",
        on_change=partial(on_change, KEY, keep, known),
    )
    if len(chosen) > 1:
        with pictured("compare", WORDS["title"]):
            show_chosen([known[run_id] for run_id in chosen], names)


def keep(chosen: list[str]) -> None:
    st.session_state[CHOSEN_KEY] = list(chosen)


def show_chosen(runs: list[Run], names: dict[str, str]) -> None:
    colours = colours_of([run.id for run in runs])
    progresses = {run.id: progress_of(run.history) for run in runs}
    data = [of_run(run) for run in runs]
    kinds, classes = {one.name for one in data}, {len(one.class_names) for one in data}
    texts = texts_about(kinds.pop() if len(kinds) == 1 else OTHER)
    show_both(progresses, names, colours, texts, classes.pop() if len(classes) == 1 else None)
    st.subheader(WORDS["differ"], anchor=False)
    st.html(table(runs, names, colours))


def colours_of(chosen: list[str]) -> dict[str, int]:
    """Return the place of each run's colour, which it keeps while others come and go."""
    kept: dict[str, int] = st.session_state.setdefault(COLOURS_KEY, {})
    colour: dict[str, int] = {}
    for run_id in sorted(chosen, key=lambda run_id: run_id not in kept):
        free = [place for place in range(len(COLOURS)) if place not in colour.values()]
        colour[run_id] = kept[run_id] if kept.get(run_id) in free else free[0]
        # one that comes new does not take the colour of one that may come back, if others are free
        if run_id not in kept:
            unused = [place for place in free if place not in kept.values()]
            colour[run_id] = (unused or free)[0]
    kept |= colour
    return colour


def sign(place: int) -> str:
    shade, symbol = COLOURS[place]
    return f'<b style="color: {shade.css}" aria-hidden="true">{SIGNS[symbol]}</b> '


def show_both(
    progresses: dict[str, Progress],
    names: dict[str, str],
    colours: dict[str, int],
    texts: Mapping[str, Any],
    classes: int | None,
) -> None:
    """Draw the curves of some runs.

    Args:
        texts: of the page, about what all of them learn from.
        classes: how many the data of all of them have; None if not all have as many.
    """
    words = texts["compare"]
    last = (
        f"{names[run_id]} {100 * progress.val.accuracies[-1]:.1f} %"
        for run_id, progress in progresses.items()
        if progress.val.accuracies.size
    )
    lines = [
        curve_of(progress, kind, words[kind].format(name=names[run_id]), *COLOURS[colours[run_id]])
        for run_id, progress in progresses.items()
        for kind in ("train", "val")
    ]
    figure = curves(
        lines,
        epochs=max(progress.epochs for progress in progresses.values()),
        texts=texts["charts"],
        classes=classes,
        alts=(
            words["alt_loss"].format(
                count=len(progresses), names="; ".join(names[run_id] for run_id in progresses)
            ),
            words["alt_accuracy"].format(count=len(progresses), last="; ".join(last)),
        ),
        legend=[
            legend_of(replace(curve, name=name))
            for curve, name in zip(lines[1::2], map(names.__getitem__, progresses), strict=True)
        ],
    )
    show_curves(figure, key="train-compare-curves")
    note(words["key"])


def differing(configs: list[RunConfig]) -> dict[str, list[object]]:
    """Return the settings that are not the same in all runs: name → value in each."""
    parts = [[value_of(config) for config in configs] for value_of in PARTS]
    rows = {
        field.name: [getattr(config, field.name) for config in part]
        for part in parts
        for field in fields(part[0])
        if field.name not in LEFT_OUT
    }
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


# of a run's settings: what stands elsewhere, what follows from the rest, what changes no result
LEFT_OUT = (
    *("model", "train", "preset", "data", "command", "statistics", "is_streamed"),
    *("images", "val_images", "test_images", "taken", "takes_pictures"),
)
PARTS = (lambda config: config.model, lambda config: config.train, lambda config: config)


def table(runs: list[Run], names: dict[str, str], colours: dict[str, int]) -> str:
    """Return what differs, and what came out, as an HTML table with a column for each run."""
    heads = "".join(
        f'<th scope="col">{sign(colours[run.id])}{escape(names[run.id])}</th>' for run in runs
    )
    rows = [
        (TEXTS["settings"].get(name, name), values) for name, values in written_values(runs).items()
    ]
    results = [
        (WORDS["accuracy"], [accuracy(run) for run in runs]),
        (WORDS["time"], [duration(run.history.seconds) for run in runs]),
    ]
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(value)}</td>" for value in values)
        + "</tr>"
        for name, values in (*rows, *results)
    )
    same = "" if rows else f"<p>{escape(WORDS['same'])}</p>"
    return (
        f'{same}<div class="train-differ" role="region" tabindex="0" '
        f'aria-label="{escape(WORDS["differ"])}"><table><thead><tr>'
        f'<th scope="col">{escape(WORDS["setting"])}</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def written_values(runs: list[Run]) -> dict[str, list[str]]:
    """Return the settings that differ, as the table says them, without folders of the server."""
    rows = differing([run.history.config for run in runs])
    texts = {name: [written(value) for value in values] for name, values in rows.items()}
    if "dataset" in rows:
        texts["dataset"] = [of_run(run).title for run in runs]
    if "init" in rows:
        texts["init"] = [written_init(str(value)) for value in rows["init"]]
    return texts


def written_init(init: str) -> str:
    if not init:
        return WORDS["random"]
    return init if init in SOURCES else WORDS["other_model"]


def accuracy(run: Run) -> str:
    test = run.history.test_accuracy
    return share_of_right(test, run.tested) if isinstance(test, float) else WORDS["none"]


def written(value: object) -> str:
    if isinstance(value, bool):
        return WORDS["yes" if value else "no"]
    if isinstance(value, str):
        return TEXTS["options"].get(value, value)
    if isinstance(value, tuple):
        return " × ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
