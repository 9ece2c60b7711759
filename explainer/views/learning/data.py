"""How much data a Vision Transformer, a CNN and a linear classifier need: recorded trainings."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content import load_texts
from explainer.content.numbers import percent, written
from explainer.figures import theme
from explainer.figures.theme import Mode, Shade
from explainer.figures.trends import Trend, trend_chart
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.quiz import Question, compared
from explainer.shell.shown import show_chart
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.learning.recorded import load

TEXTS = load_texts("learning_data")
SHADES: Mapping[str, Shade] = {
    "vit": theme.ACCENT,
    "cnn": theme.PATCH,
    "linear": theme.CLASS_TOKEN,
}
WAYS = {"plain": False, "augmented": True}  # name in the texts → whether digits are changed
PASSES = (1, 3, 10, 30, 100, 300)
VALIDATION, TEST = 5_000, 10_000  # digits of MNIST's parts


def show_data(choice: Choice, seen: Observation, place: Place) -> None:
    if place.half == "b":
        st.markdown(TEXTS["same"])
        return
    numbers = facts()
    st.markdown(TEXTS["recorded"].format(**numbers))
    st.markdown(f"**{TEXTS['who']}**\n\n{TEXTS['who_table'].format(**numbers)}")
    for column, way in zip(st.columns(2, gap="large"), WAYS, strict=True):
        column.markdown(f"**{TEXTS[way]}**")
        show_chart(partial(chart, way), place, f"data-{way}", TEXTS[way], alt=alt(way), into=column)
    note(TEXTS["dots"].format(**numbers))
    st.markdown(TEXTS["words"].format(**numbers))
    with fold(place, "data-numbers", TEXTS["number_table"]) as is_open:
        if is_open:
            st.markdown(number_table())
    st.subheader(TEXTS["free_title"], anchor=False)
    st.markdown(TEXTS["free"])
    show_by_heart(place, numbers)
    st.subheader(TEXTS["paper_title"], anchor=False)
    st.markdown(TEXTS["paper"])
    note(TEXTS["made"].format(**numbers))
    with more(place, "data"):
        download_csv(TEXTS["download"], runs_csv, "how-much-data.csv", place.key("data-csv"))
        download_csv(
            TEXTS["download_curves"], curves_csv, "by-heart-300.csv", place.key("data-curves-csv")
        )


def show_by_heart(place: Place, numbers: Mapping[str, object]) -> None:
    """Draw training beside validation with 300 digits."""
    st.subheader(TEXTS["heart_title"], anchor=False)
    st.markdown(TEXTS["heart"].format(**numbers))
    for column, kind in zip(st.columns(2, gap="large"), ("loss", "accuracy"), strict=True):
        title = TEXTS[f"heart_{kind}"]
        column.markdown(f"**{title}**")
        show_chart(
            partial(heart_chart, kind),
            place,
            f"data-heart-{kind}",
            title,
            alt=heart_alt(kind),
            into=column,
        )
    st.markdown(TEXTS["heart_words"].format(**numbers))


def runs_of(model: str, digits: int, augment: bool) -> list[dict[str, Any]]:
    """Return the recorded trainings of one kind, in the order of their seeds."""
    found = [
        run
        for run in load("data_hunger")["runs"]
        if (run["model"], run["digits"], run["augment"]) == (model, digits, augment)
    ]
    return sorted(found, key=lambda run: run["seed"])


@cache
def sizes() -> tuple[int, ...]:
    """Return how many digits the trainings had, the fewest first."""
    return tuple(sorted({run["digits"] for run in load("data_hunger")["runs"]}))


def mean_accuracy(model: str, digits: int, way: str) -> float:
    """Return the share of test digits read right, the mean over the seeds."""
    return statistics.mean(run["test_accuracy"] for run in runs_of(model, digits, WAYS[way]))


@cache
def facts() -> Mapping[str, object]:
    """Return the numbers that the texts name."""
    content, least, most = load("data_hunger"), sizes()[0], sizes()[-1]
    found: dict[str, object] = {
        "steps": content["steps"],
        "batch": content["batch_size"],
        "validation": f"{VALIDATION:,}",
        "test": f"{TEST:,}",
        "least": f"{least:,}",
        "most": f"{most:,}",
        "seeds": ", ".join(map(str, sorted({run["seed"] for run in content["runs"]}))),
        "digits": curve_size(),
        "overtakes": f"{overtakes():,}",
    }
    for key in ("date", "threads", "hardware", "command"):
        found[key] = content[key]
    for model in SHADES:
        seconds = statistics.median(r["seconds"] for r in content["runs"] if r["model"] == model)
        found |= {
            f"{model}_parameters": f"{content['parameters'][model]:,}",
            f"{model}_seconds": f"{seconds:.0f}" if seconds >= 2 else f"{seconds:.1f}",
            f"{model}_least": percent(mean_accuracy(model, least, "plain")),
            f"{model}_most": percent(mean_accuracy(model, most, "plain")),
            f"{model}_least_augmented": percent(mean_accuracy(model, least, "augmented")),
        }
    return found | heart_facts()


def overtakes() -> int:
    """Return the number of digits from which on the ViT reads more than the linear classifier."""
    behind = [
        digits
        for digits in sizes()
        if mean_accuracy("vit", digits, "plain") <= mean_accuracy("linear", digits, "plain")
    ]
    return next(digits for digits in sizes() if digits > max(behind, default=0))


def chart(way: str, mode: Mode) -> go.Figure:
    return trend_chart(
        [accuracy_trend(model, way) for model in SHADES],
        axes=(TEXTS["digits_axis"], TEXTS["accuracy_axis"]),
        ticks=sizes(),
        y_range=(lowest(), 101),
        hover=TEXTS["hover"],
        mode=mode,
    )


def accuracy_trend(model: str, way: str) -> Trend:
    rows = [
        [100 * run["test_accuracy"] for run in runs_of(model, digits, WAYS[way])]
        for digits in sizes()
    ]
    return Trend(
        TEXTS["models"][model],
        np.array(sizes(), float),
        filled(rows),
        [percent(mean_accuracy(model, digits, way)) for digits in sizes()],
        SHADES[model],
    )


def filled(rows: Sequence[Sequence[float]]) -> np.ndarray:
    """Return rows of unlike lengths as one array, filled up with what is not a number."""
    most = max(map(len, rows))
    return np.array([[*row, *[np.nan] * (most - len(row))] for row in rows])


def lowest() -> float:
    """Return where both charts of the accuracy begin, so that they can be compared."""
    least = min(run["test_accuracy"] for run in load("data_hunger")["runs"])
    return 10 * np.floor(10 * least) - 2


def alt(way: str) -> str:
    least, most = sizes()[0], sizes()[-1]
    lines = [
        TEXTS["alt_line"].format(
            model=name,
            first=percent(mean_accuracy(model, least, way)),
            last=percent(mean_accuracy(model, most, way)),
            least=f"{least:,}",
            most=f"{most:,}",
        )
        for model, name in TEXTS["models"].items()
    ]
    return str(TEXTS["alt"].format(lines="; ".join(lines)))


def number_table() -> str:
    """Return the mean accuracies as a table of Markdown."""
    kinds = [(model, way) for way in WAYS for model in SHADES]
    names = [f"{TEXTS['models'][model]}, {TEXTS['number_title'][way]}" for model, way in kinds]
    lines = [
        TEXTS["number_head"].format(names=" | ".join(names)),
        "|---" * (1 + len(kinds)) + "|",
    ]
    for digits in sizes():
        cells = [percent(mean_accuracy(model, digits, way)) for model, way in kinds]
        lines.append(f"| {digits:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


# 300 digits, pass after pass


@cache
def curve_size() -> int:
    """Return how many digits the trainings had whose curves were kept."""
    (size,) = {run["digits"] for run in load("data_hunger")["runs"] if "curve" in run}
    return int(size)


def curve_means(model: str, augment: bool, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the passes and, at each, the mean over the seeds of one value of the curves."""
    curves = [run["curve"] for run in runs_of(model, curve_size(), augment)]
    passes = np.array([point["epoch"] for point in curves[0]])
    values = np.array([[point[key] for point in curve] for curve in curves])
    return passes, values.mean(axis=0)


# line → model, whether its digits were changed, which of its two curves, shade, dash
HEART_LINES: Mapping[str, tuple[str, bool, str, Shade, str]] = {
    "train": ("vit", False, "train", theme.MUTED, "solid"),
    "val": ("vit", False, "val", theme.ACCENT, "solid"),
    "augmented": ("vit", True, "val", theme.ACCENT, "dash"),
    "cnn": ("cnn", False, "val", theme.PATCH, "solid"),
}


def heart_line(line: str, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return passes and losses, or passes and accuracies in percent."""
    model, augment, part, _, _ = HEART_LINES[line]
    passes, values = curve_means(model, augment, f"{part}_{kind}")
    return passes, values if kind == "loss" else 100 * values


def texts_for(kind: str) -> Callable[[float], str]:
    return written if kind == "loss" else lambda value: percent(value / 100)


def heart_chart(kind: str, mode: Mode) -> go.Figure:
    trends = []
    for line, (_, _, _, shade, dash) in HEART_LINES.items():
        passes, values = heart_line(line, kind)
        trends.append(
            Trend(
                TEXTS["heart_lines"][line],
                passes,
                values[:, None],
                [texts_for(kind)(float(value)) for value in values],
                shade,
                has_dots=False,
                dash=dash,
            )
        )
    most = max(float(trend.means.max()) for trend in trends)
    return trend_chart(
        trends,
        axes=(TEXTS["passes_axis"], TEXTS["loss_axis" if kind == "loss" else "right_axis"]),
        ticks=PASSES,
        y_range=(-0.03 * most, 1.05 * most),
        hover=TEXTS["heart_hover"],
        mode=mode,
    )


def heart_alt(kind: str) -> str:
    write, lines = texts_for(kind), []
    for line, name in TEXTS["heart_lines"].items():
        _, values = heart_line(line, kind)
        said = TEXTS["heart_alt_values"].format(
            first=write(float(values[0])), last=write(float(values[-1]))
        )
        lines.append(TEXTS["heart_alt_line"].format(name=name, values=said))
    return str(TEXTS[f"heart_{kind}_alt"].format(lines="; ".join(lines)))


def heart_facts() -> dict[str, object]:
    passes, known = heart_line("train", "accuracy")
    _, losses = heart_line("val", "loss")
    best = int(losses.argmin())
    return {
        "known": f"{passes[int((known >= 100).argmax())]:.0f}",
        "best": f"{passes[best]:.0f}",
        "lowest": f"{losses[best]:.2f}",
        "end": f"{losses[-1]:.2f}",
        "end_augmented": f"{heart_line('augmented', 'loss')[1][-1]:.2f}",
        "accuracy": percent(heart_line("val", "accuracy")[1][-1] / 100),
        "accuracy_best": percent(heart_line("val", "accuracy")[1][best] / 100),
        "accuracy_augmented": percent(heart_line("augmented", "accuracy")[1][-1] / 100),
    }


def ask_data() -> Question:
    """Ask which model needs the fewest digits, before the picture that shows it."""
    texts, least = TEXTS["question"], sizes()[0]
    found = [mean_accuracy(model, least, "plain") for model in SHADES]
    shown = [
        (name, percent(value)) for name, value in zip(TEXTS["models"].values(), found, strict=True)
    ]
    return compared(
        "data",
        texts["text"].format(least=f"{least:,}"),
        shown,
        int(np.argmax(found)),
        texts["why"],
        part="data",
        shows="data-plain",
    )


def runs_csv() -> str:
    keys = ("model", "digits", "augment", "seed")
    scores = ("train_accuracy", "validation_accuracy", "test_accuracy", "seconds")
    rows = [[run[key] for key in (*keys, *scores)] for run in load("data_hunger")["runs"]]
    return table_csv(TEXTS["csv_columns"], rows)


def curves_csv() -> str:
    keys = ("step", "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy")
    rows = [
        (run["model"], run["augment"], run["seed"], *(point[key] for key in keys))
        for run in load("data_hunger")["runs"]
        for point in run.get("curve", ())
    ]
    return table_csv(TEXTS["curve_columns"], rows)
