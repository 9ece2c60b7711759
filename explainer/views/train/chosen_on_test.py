"""How much a model is flattered by the test digits that chose it: measured, not a flag of a run."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content import load_texts
from explainer.content.numbers import fixed, percent
from explainer.figures import theme
from explainer.figures.theme import Mode
from explainer.figures.trends import Trend, trend_chart
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.notes import note
from explainer.shell.shown import show_chart
from explainer.training.recorded import chosen_on_test
from explainer.views.train.saving import pictured
from explainer.views.train.wording import PLACE

CHOSEN_ON_TEST = "chosen_on_test"  # its name among the mistakes
TEXTS = load_texts("mistakes")[CHOSEN_ON_TEST]
SHADES = (theme.BAD, theme.CLASS_TOKEN, theme.PATCH, theme.ACCENT)  # fewest digits first


def show_chosen_on_test() -> None:
    numbers = facts()
    for name in ("why", "look", "cure"):
        st.markdown(TEXTS[name].format(**numbers))
    st.markdown(f"**{TEXTS['chart']}**")
    with pictured(CHOSEN_ON_TEST, TEXTS["chart"]):
        show_chart(chart, PLACE, "chosen-on-test", TEXTS["chart"], alt=alt())
    download_csv(TEXTS["download"], as_csv, "chosen-on-test.csv", "chosen-on-test-csv")
    note(TEXTS["command"])
    st.code(chosen_on_test()["command"], language=None, wrap_lines=True)


def flattery() -> Mapping[int, Mapping[int, float]]:
    """Return percentage points too much, by the digits that choose and the number of models."""
    found: dict[int, dict[int, float]] = {}
    for row in chosen_on_test()["table"]:
        points = 100 * (row["on_seen"] - row["on_fresh"])
        found.setdefault(row["seen"], {})[row["models"]] = points
    return found


def facts() -> Mapping[str, object]:
    """Return the numbers that the texts name; the extreme case is few digits and all models."""
    content = chosen_on_test()
    few, many = (end(row["seen"] for row in content["table"]) for end in (min, max))
    models = max(row["models"] for row in content["table"])
    (most,) = [r for r in content["table"] if (r["seen"], r["models"]) == (few, models)]
    return {
        "models": models,
        "parameters": f"{content['parameters']:,}",
        "steps": content["steps"],
        "digits": f"{content['digits']:,}",
        "draws": f"{content['draws']:,}",
        "worst": percent(min(content["accuracies"])),
        "best": percent(max(content["accuracies"])),
        "few": few,
        "seen_most": percent(most["on_seen"]),
        "fresh_most": percent(most["on_fresh"]),
        "most": fixed(flattery()[few][models], 1),
        "many": f"{many:,}",
        "least": fixed(flattery()[many][models], 1),
    }


def chart(mode: Mode) -> go.Figure:
    trends = [
        Trend(
            TEXTS["line"].format(seen=f"{seen:,}"),
            np.array([*points], float),
            np.array([*points.values()])[:, None],
            [fixed(value, 1) for value in points.values()],
            shade,
        )
        for (seen, points), shade in zip(flattery().items(), SHADES, strict=True)
    ]
    most = max(max(points.values()) for points in flattery().values())
    return trend_chart(
        trends,
        axes=(TEXTS["x_axis"], TEXTS["y_axis"]),
        ticks=[*next(iter(flattery().values()))],
        y_range=(-0.05 * most, 1.1 * most),
        hover=TEXTS["hover"],
        mode=mode,
    )


def alt() -> str:
    lines = [
        TEXTS["alt_line"].format(
            seen=f"{seen:,}", points=", ".join(fixed(value, 1) for value in points.values())
        )
        for seen, points in flattery().items()
    ]
    return str(TEXTS["alt"].format(models=facts()["models"], values="; ".join(lines)))


def as_csv() -> str:
    rows = [
        (
            row["models"],
            row["seen"],
            row["on_seen"],
            row["on_fresh"],
            100 * (row["on_seen"] - row["on_fresh"]),
            row["spread"],
        )
        for row in chosen_on_test()["table"]
    ]
    return table_csv(TEXTS["csv_columns"], rows)
