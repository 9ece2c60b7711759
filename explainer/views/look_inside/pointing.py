"""The pointing game: four pictures in one, and which quarter a map of each class points at."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content.numbers import percent
from explainer.content.strangers_words import plain_format
from explainer.figures import theme
from explainer.figures.map_table import MapCell, map_table
from explainer.figures.score_chart import Scores, score_chart
from explainer.figures.theme import Mode
from explainer.observation.look import pointing
from explainer.observation.look.pointing import Pointing
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.shown import show_chart, show_html
from explainer.shell.waiting import awaited
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.look_inside.scoring import (
    TEXTS,
    Names,
    apart,
    map_cell,
    method_names,
    note_refused,
    two_digits,
)
from vit_core.interpret import METHODS
from vit_core.interpret.attribution import TARGETED
from vit_core.interpret.pointing import CHANCE, QUARTERS

WORDS = TEXTS["pointing"]
CLEARLY = 0.02  # of a share above chance


def show_pointing(choice: Choice, seen: Observation, place: Place) -> None:
    games, methods = pointing.plan(choice.config)
    if not games:
        st.markdown(WORDS["too_large"])
        return
    if not len(pointing.chosen_pictures(choice)):
        st.markdown(WORDS["too_few"])
        return
    found = awaited(
        pointing.key_of(choice),
        pointing.prepared(choice),
        WORDS["busy"],
        place,
        "pointing",
        offer="" if pointing.is_cheap(choice) else WORDS["offer"],
    )
    if found is None:
        return
    names = method_names(seen)
    show_html(table(names, seen, found), "pointing-maps", WORDS["table"])
    st.markdown(answers_of(seen, found))
    note(f"{WORDS['reading'].format(chance=two_digits(CHANCE))} {TEXTS['own_scale']}")
    title = chart_title(found)
    st.markdown(f"**{title}**")
    show_chart(
        partial(chart, names, found), place, "pointing-shares", title, alt=alt_of(names, found)
    )
    st.markdown("\n".join(f"- {line}" for line in lessons(names, found)))
    if np.isnan(found.shares).any():
        note(WORDS["no_positive"])
    if len(methods) < len(METHODS):
        note(WORDS["without_slow"])
    note_refused(found.refused, names)
    note(WORDS["paper"])
    with more(place, "pointing"):
        download_csv(
            WORDS["download"], partial(csv, found), "pointing.csv", place.key("pointing-csv")
        )


def chart_title(found: Pointing) -> str:
    if found.games == 1:
        return str(WORDS["chart_one"])
    return str(WORDS["chart"].format(games=found.games))


def shown_names(seen: Observation, found: Pointing) -> list[str]:
    """Return the names of the first game's classes, or of its quarters without classes."""
    if not found.labels:
        return [str(quarter) for quarter in WORDS["quarters"]]
    return [seen.class_names[label] for label in found.labels]


def table(names: Names, seen: Observation, found: Pointing) -> str:
    """Return the four in one, and below it a map of each method for each of the four."""
    shown = shown_names(seen, found)
    column = WORDS["column" if found.labels else "column_features"]
    columns = [
        plain_format(column, quarter=quarter, name=name)
        for quarter, name in zip(WORDS["quarters"], shown, strict=True)
    ]
    picture = found.picture
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    alt = (
        plain_format(WORDS["picture_alt"], classes=", ".join(shown))
        if found.labels
        else WORDS["picture_alt_features"]
    )
    rows: list[tuple[str, list[MapCell]]] = [
        (
            WORDS["picture"],
            [
                MapCell(framed(picture, quarter), "", alt if not quarter else column_name)
                for quarter, column_name in enumerate(columns)
            ],
        )
    ]
    for row, method in enumerate(found.methods):
        cells = []
        for quarter, name in enumerate(shown):
            share = found.shares[row, 0, quarter]
            cells.append(
                map_cell(
                    found.maps[row, quarter],
                    found.grid,
                    found.signed[row],
                    names[method],
                    plain_format(WORDS["where"], what=name),
                    TEXTS["never"] if np.isnan(share) else two_digits(share),
                )
            )
        rows.append((names[method], cells))
    return map_table(
        columns,
        rows,
        corner=TEXTS["method_column"],
        caption=WORDS["table"],
        apart=apart(found.methods),
    )


def framed(picture: np.ndarray, quarter: int) -> np.ndarray:
    """Return the four in one with three of them paler, so that one stands out."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    pale = (96 + picture * 0.3).astype(np.uint8)
    rows = slice(0, height) if quarter < 2 else slice(height, None)
    columns = slice(0, width) if quarter % 2 == 0 else slice(width, None)
    pale[rows, columns] = picture[rows, columns]
    return pale


def answers_of(seen: Observation, found: Pointing) -> str:
    """Return what the model says of the first four in one."""
    size = WORDS["wide" if found.is_wide else "shrunk"]
    if not found.labels:
        cosines = ", ".join(two_digits(one) for one in found.answers[0])
        return str(WORDS["answer_features"].format(answers=cosines, size=size))
    each = [
        WORDS["answer_one"].format(name=seen.class_names[label], share=percent(float(share)))
        for label, share in zip(found.labels, found.answers[0], strict=True)
    ]
    return str(WORDS["answer"].format(answers=", ".join(each), size=size))


def of_method(found: Pointing) -> list[np.ndarray]:
    """Return the shares of each method that are numbers, of all games and quarters."""
    flat = found.shares.reshape(len(found.methods), -1)
    return [values[~np.isnan(values)] for values in flat]


def drawn_methods(found: Pointing) -> list[int]:
    """Return the methods of which at least one map has a positive value."""
    return [row for row, values in enumerate(of_method(found)) if len(values)]


def chart(names: Names, found: Pointing, mode: Mode) -> go.Figure:
    rows = drawn_methods(found)
    values = of_method(found)
    hovers = [
        WORDS["hover"].format(
            method=names[found.methods[row]],
            mean=two_digits(values[row].mean()),
            low=two_digits(np.percentile(values[row], 25)),
            high=two_digits(np.percentile(values[row], 75)),
        )
        for row in rows
    ]
    series = Scores(
        WORDS["series"].format(count=QUARTERS * found.games),
        [values[row] for row in rows],
        theme.ACCENT,
        "circle",
        hovers,
    )
    return score_chart(
        [names[found.methods[row]] for row in rows],
        [series],
        axis=WORDS["axis"],
        mode=mode,
        span=(-0.02, 1.02),
        apart=apart(tuple(found.methods[row] for row in rows)),
        level=(CHANCE, WORDS["chance"].format(chance=two_digits(CHANCE))),
    )


def alt_of(names: Names, found: Pointing) -> str:
    values = of_method(found)
    each = (
        WORDS["alt_one"].format(
            method=names[found.methods[row]], mean=two_digits(values[row].mean())
        )
        for row in drawn_methods(found)
    )
    return str(
        WORDS["alt"].format(
            title=chart_title(found), values=", ".join(each), chance=two_digits(CHANCE)
        )
    )


def lessons(names: Names, found: Pointing) -> list[str]:
    """Return what the shares say, in sentences."""
    values = of_method(found)
    targeted = [row for row in drawn_methods(found) if found.methods[row] in TARGETED]
    said = []
    if targeted:
        best = max(targeted, key=lambda row: values[row].mean())
        mean = float(values[best].mean())
        text = WORDS["best" if mean > CHANCE + CLEARLY else "none_better"]
        said.append(text.format(method=names[found.methods[best]], mean=two_digits(mean)))
    same = ", ".join(names[one] for one in found.methods if one not in TARGETED)
    said.append(WORDS["same"].format(methods=same, chance=two_digits(CHANCE)))
    return said


def csv(found: Pointing) -> str:
    return table_csv(
        WORDS["columns"],
        [
            (method, game + 1, WORDS["quarters"][quarter], float(found.shares[row, game, quarter]))
            for row, method in enumerate(found.methods)
            for game in range(found.games)
            for quarter in range(QUARTERS)
        ],
    )
