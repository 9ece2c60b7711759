"""Deletion and insertion of all methods over many pictures: mean and spread."""

from functools import partial
from itertools import combinations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.figures import theme
from explainer.figures.score_chart import Scores, score_chart
from explainer.figures.score_table import ScoreCell, score_table
from explainer.figures.theme import Mode
from explainer.observation.look import many
from explainer.observation.look.attributions import BASELINES
from explainer.observation.look.many import FEWEST, SHOWN_FILLS, Many, Plan
from explainer.observation.observe import Observation
from explainer.observation.tasks import known
from explainer.shell import quiz
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.quiz import Question
from explainer.shell.shown import show_chart, show_html
from explainer.shell.waiting import awaited, is_asked
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.look_inside.scoring import (
    TEXTS,
    VIEW,
    Names,
    apart,
    baselines,
    method_names,
    note_refused,
    two_digits,
)

WORDS = TEXTS["many"]
LOOKS = {"drop": (theme.ACCENT, "circle"), "black": (theme.QUERY, "diamond")}
CLEARLY = 0.01  # of an area, for one method to beat another


def show_many(choice: Choice, seen: Observation, place: Place) -> None:
    key = many.key_of(choice)
    planned = many.plan_of(choice)
    if not planned.count:
        say_why_not(choice, planned)
        return
    if known(key) is None:
        note(WORDS["cost"].format(passes=f"{round(planned.passes, -2):,}", time=time_of(planned)))
    found = awaited(
        key,
        many.prepared(choice),
        WORDS["busy"],
        place,
        "many",
        offer=WORDS["offer"].format(count=planned.count),
    )
    if found is None:
        return
    names = method_names(seen)
    question = ask_beaten(names, found)
    if question is not None:
        quiz.show_question(VIEW, question, place)
        is_answered = quiz.fingerprint(VIEW, question) in quiz.answers()
        if not (is_answered or is_asked(key, WORDS["show"], place, "many-answer")):
            return
    show_scores(seen, place, names, found)


def say_why_not(choice: Choice, planned: Plan) -> None:
    there = many.pictures_there(choice)
    if there < FEWEST:
        st.markdown(WORDS["too_few"].format(fewest=FEWEST, count=there))
        return
    st.markdown(
        WORDS["too_large"].format(
            passes=f"{round(many.passes_of(choice.config, planned.steps) * FEWEST, -2):,}",
            numbers=f"{choice.config.num_parameters:,}",
            count=FEWEST,
        )
    )


def time_of(planned: Plan) -> str:
    """Return in words how long it takes, roughly."""
    seconds = planned.seconds
    if seconds < 50:
        return str(WORDS["seconds"].format(count=max(5, round(seconds / 5) * 5)))
    minutes = round(seconds / 60)
    return str(WORDS["minute"] if minutes < 2 else WORDS["minutes"].format(count=minutes))


def ask_beaten(names: Names, found: Many) -> Question | None:
    """Ask how many methods beat brightness; None if there is no brightness, or no method."""
    methods = [method for method in found.methods if method not in BASELINES]
    if not methods or not {*BASELINES} <= {*found.methods}:
        return None
    means = mean_areas(found)["deletion"][0]
    means_of = dict(zip(found.methods, means.tolist(), strict=True))
    winners = [method for method in methods if means_of["ink"] - means_of[method] >= CLEARLY]
    count, most = len(winners), len(methods)
    texts = {0: WORDS["option_none"], most: WORDS["option_all"].format(most=most)}
    options = [(0, 0, texts[0])]
    if most > 2:
        options.append((1, min(2, most - 1), WORDS["option_few"]))
    if most == 4:
        options.append((3, 3, "3"))
    elif most > 4:
        options.append((3, most - 1, WORDS["option_some"].format(most=most - 1)))
    elif most == 2:
        options.append((1, 1, "1"))
    options.append((most, most, texts[most]))
    answer = next(i for i, (low, high, _) in enumerate(options) if low <= count <= high)
    told = ", ".join(f"{names[one]} ({two_digits(means_of[one])})" for one in winners)
    which = "none" if not winners else "one" if count == 1 else "some"
    return Question(
        "many",
        WORDS["question"]
        .strip()
        .format(pictures=found.pictures, methods=most, ink=names["ink"].lower()),
        tuple(text for _, _, text in options),
        answer,
        WORDS["question_why"].format(
            name=names["ink"],
            ink=two_digits(means_of["ink"]),
            random=two_digits(means_of["random"]),
            winners=WORDS[f"winners_{which}"].format(count=count, names=told),
        ),
        shows="many-deletion",
    )


def mean_areas(found: Many) -> dict[str, np.ndarray]:
    """Return the mean areas of deletion and insertion, (F, M) each."""
    return {
        "deletion": found.deletion_areas.mean(axis=-1),
        "insertion": found.insertion_areas.mean(axis=-1),
    }


def show_scores(seen: Observation, place: Place, names: Names, found: Many) -> None:
    for column, which in zip(st.columns(2, gap="large"), ("deletion", "insertion"), strict=True):
        title = WORDS[which]
        column.markdown(f"**{title}**")
        show_chart(
            partial(chart, names, found, which),
            place,
            f"many-{which}",
            title,
            alt=alt_of(names, found, which),
            into=column,
        )
    cosine = "" if seen.has_head else f"{WORDS['bars_cosine']} "
    note(f"{WORDS['bars'].format(pictures=found.pictures)} {cosine}{baselines(names)}")
    title = WORDS["table"].format(ink=names["ink"].lower())
    st.markdown(f"**{title}**")
    show_html(table(names, found), "many-table", title)
    note(WORDS["best"])
    st.markdown("\n".join(f"- {line}" for line in lessons(names, found)))
    note_refused(found.refused, names)
    note(WORDS["steps"].format(steps=len(found.shares) - 1))
    with more(place, "many"):
        download_csv(WORDS["download"], partial(csv, found), "scores.csv", place.key("many-csv"))


def areas_of(found: Many, which: str) -> np.ndarray:
    return found.deletion_areas if which == "deletion" else found.insertion_areas


def chart(names: Names, found: Many, which: str, mode: Mode) -> go.Figure:
    titles = [names[method] for method in found.methods]
    areas = areas_of(found, which)
    series = []
    for index, fill in enumerate(SHOWN_FILLS):
        shade, symbol = LOOKS[fill]
        hovers = [
            WORDS["hover"].format(
                method=name,
                fill=WORDS[fill],
                mean=two_digits(values.mean()),
                low=two_digits(np.percentile(values, 25)),
                high=two_digits(np.percentile(values, 75)),
            )
            for name, values in zip(titles, areas[index], strict=True)
        ]
        series.append(Scores(WORDS[fill], areas[index], shade, symbol, hovers))
    low = min(0.0, float(np.floor(10 * np.percentile(areas, 25, axis=-1).min()) / 10))
    return score_chart(
        titles,
        series,
        axis=WORDS[f"{which}_axis"],
        mode=mode,
        span=(low - 0.02, 1.02),
        apart=apart(found.methods),
    )


def alt_of(names: Names, found: Many, which: str) -> str:
    means = mean_areas(found)[which]
    each = (
        WORDS["alt_one"].format(
            method=names[method],
            drop=two_digits(means[0, index]),
            black=two_digits(means[1, index]),
        )
        for index, method in enumerate(found.methods)
    )
    return str(WORDS["alt"].format(title=WORDS[which], values=", ".join(each)))


def table(names: Names, found: Many) -> str:
    """Return the mean areas, the best of each column bold, and who beats brightness."""
    means = mean_areas(found)
    columns: list[tuple[str, str, np.ndarray]] = []
    best: list[float] = []
    for index, fill in enumerate(SHOWN_FILLS):
        for which, better in (("deletion", min), ("insertion", max)):
            values = means[which][index].round(2)
            columns.append((WORDS[f"table_{which}"], WORDS[fill], values))
            best.append(better(values.tolist()))
    beats = beaten(found)
    rows = []
    for row, method in enumerate(found.methods):
        cells = [
            ScoreCell(two_digits(values[row]), is_strong=values[row] == most)
            for (_, _, values), most in zip(columns, best, strict=True)
        ]
        if beats is not None:
            text = WORDS["of"].format(count=int(beats[row]), total=found.count)
            cells.append(ScoreCell("" if method == "ink" else text))
        rows.append((names[method], cells))
    heads = [(top, below) for top, below, _ in columns]
    if beats is not None:
        heads.append((WORDS["table_beats"].format(ink=names["ink"].lower()), WORDS["drop"]))
    return score_table(
        heads,
        rows,
        corner=TEXTS["method_column"],
        caption=WORDS["table"].format(ink=names["ink"].lower()),
        apart=apart(found.methods),
    )


def beaten(found: Many) -> np.ndarray | None:
    """Return on how many pictures each method beats brightness in deletion, (M,)."""
    if "ink" not in found.methods:
        return None
    areas = found.deletion_areas[0]
    return (areas < areas[found.methods.index("ink")]).sum(axis=-1)


def lessons(names: Names, found: Many) -> list[str]:
    """Return what the scores say, in sentences."""
    areas = mean_areas(found)["deletion"]
    methods = [i for i, method in enumerate(found.methods) if method not in BASELINES]
    said = []
    if len(methods) > 1:
        drop, black = (
            names[found.methods[min(methods, key=values.__getitem__)]] for values in areas
        )
        text = WORDS["same_winner" if drop == black else "other_winner"]
        said.append(text.format(drop=drop, black=black))
    pairs = list(combinations(range(len(found.methods)), 2))
    turned = sum(
        (areas[0, one] - areas[0, other]) * (areas[1, one] - areas[1, other]) < 0
        for one, other in pairs
    )
    text = WORDS["order_differs" if turned else "order_same"]
    said.append(text.format(pairs=int(turned), all=len(pairs)))
    return said


def csv(found: Many) -> str:
    return table_csv(
        WORDS["columns"],
        [
            (
                picture + 1,
                method,
                fill,
                float(found.deletion_areas[f, m, picture]),
                float(found.insertion_areas[f, m, picture]),
            )
            for picture in range(found.count)
            for m, method in enumerate(found.methods)
            for f, fill in enumerate(SHOWN_FILLS)
        ],
    )
