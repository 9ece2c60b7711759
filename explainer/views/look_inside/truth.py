"""Is a map true? Its patches go first, and the answer should fall."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.components.deletion_film import deletion_film, pack_film
from explainer.content.numbers import fixed, percent
from explainer.figures.look import ScoreCurve, score_curves
from explainer.figures.score_table import ScoreCell, score_table
from explainer.figures.theme import Mode
from explainer.inputs.models.load import source_of
from explainer.observation.look.attributions import (
    BASELINES,
    BY_ITSELF,
    Attributed,
    explained,
    found_at_once,
    maps_there,
    methods,
)
from explainer.observation.look.scores import (
    Scores,
    compute,
    kept_scores,
    scores_key,
    scores_there,
    work_of,
)
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.controls import pick
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.quiz import Question, compared
from explainer.shell.shown import show_chart, show_html
from explainer.shell.waiting import awaited
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import FILLS
from explainer.state.place import Place

LEAST = 0.1  # probability that can be seen to fall
FEWEST = 3  # maps that are worth a race
IN_STEP = "look-inside-film"  # channel of the films of two halves
PAINTED = ("mean", "black")
Texts = Mapping[str, Any]


def show_truth(choice: Choice, seen: Observation, place: Place) -> None:
    texts = texts_of("look_inside", seen)
    words, target = texts["parts"]["truth"], explained(seen, place)
    pick(
        words["fill"],
        FILLS,
        place.fill,
        lambda fill: session.change(fill=fill),
        key=place.key("fill"),
        format_func=words["fills"].__getitem__,
    )
    maps = maps_there(choice, target)
    if len(maps) < FEWEST:
        st.markdown(words["no_maps"])
        return
    is_whole = not waits(choice, target)
    if not is_whole:
        note(words["some_maps"])
    found = tested(choice, target, place.fill, maps, place, words, is_whole)
    if found is None:
        return
    show_film(choice, seen, place, found, texts)
    show_result(seen, found, texts)
    show_curves(seen, place, found, texts)
    other = other_fill(place.fill)
    with_other = tested(choice, target, other, maps, place, words, is_whole)
    if with_other is not None:
        show_areas(place, {place.fill: found, other: with_other}, texts)


def tested(
    choice: Choice,
    target: int | None,
    fill: str,
    maps: Sequence[Attributed],
    place: Place,
    words: Texts,
    is_whole: bool,
) -> Scores | None:
    """Return the test of these maps; None while it is made beside the page.

    Args:
        is_whole: whether these are all the maps that there will be.
    """
    found = scores_there(choice, target, fill, maps)
    if found is not None:
        return found
    is_offered = not is_whole or work_of(choice.config, maps) > BY_ITSELF
    return awaited(
        scores_key(choice, target, fill, maps),
        lambda report: compute(choice, target, fill, maps, report),
        words["making"].format(fill=words["fills"][fill], done="{done}", total="{total}"),
        place,
        f"scores-{fill}",
        offer=words["offer"].format(fill=words["fills"][fill]) if is_offered else "",
        kept=kept_scores(),
    )


def waits(choice: Choice, target: int | None) -> bool:
    """Return whether there will be more maps than there are now."""
    return any(found_at_once(choice, target, name) is None for name in methods())


def other_fill(fill: str) -> str:
    """Return a filling to compare with: painted where tokens were left out, and the other way."""
    return "drop" if fill in PAINTED else "black"


def show_film(choice: Choice, seen: Observation, place: Place, found: Scores, texts: Texts) -> None:
    """Show the race of all maps, and the picture without the patches of one of them."""
    words, target = texts["parts"]["truth"], explained(seen, place)
    kind = "class" if seen.has_head else "features"
    of_film = words["film"] | words["film"][kind]
    name = seen.class_names[target] if target is not None else ""
    titles = titles_of(found, texts)
    told = {
        key: value.replace("{name}", str(name))
        for key, value in of_film.items()
        if isinstance(value, str)
    }

    def make() -> bytes:
        return pack_film(
            channel=place.key("deletion-film"),
            image=seen.pixels,
            grid=seen.config.grid_size,
            titles=titles,
            baselines=[one in BASELINES for one in found.methods],
            orders=found.orders,
            counts=found.counts,
            deletion=found.deletion,
            insertion=found.insertion,
            fill=place.fill,
            mean=mean_colour(choice),
            is_share=seen.has_head,
            texts=told,
            step=IN_STEP if place.half else "",
        )

    deletion_film(
        make,
        key=place.key("deletion-film"),
        methods=len(titles),
        method=chosen_method(place, found),
        on_choose=lambda index: session.change(method=found.methods[index]),
        cache=(choice, target, place.fill, found.methods, place.half),
    )


def chosen_method(place: Place, found: Scores) -> int:
    """Return the index of the method that is looked at; the first, if there is no map of it."""
    return found.methods.index(place.method) if place.method in found.methods else 0


def titles_of(found: Scores, texts: Texts) -> list[str]:
    return [texts["methods"][name]["name"] for name in found.methods]


def mean_colour(choice: Choice) -> list[int]:
    """Return the mean pixel of the model's data as red, green and blue."""
    mean = [round(255 * one) for one in source_of(choice).info.mean]
    return mean * 3 if len(mean) == 1 else mean


def show_result(seen: Observation, found: Scores, texts: Texts) -> None:
    """Say whose order makes the answer fall fastest, and how many do better than the baselines."""
    words = texts["parts"]["truth"]
    if seen.has_head and not can_fall(found):
        st.markdown(words["little"].format(share=percent(float(found.deletion[0, 0]))))
        return
    areas = dict(zip(found.methods, found.deletion_areas, strict=True))
    own = [name for name in found.methods if name not in BASELINES]
    lines = [
        words["fastest" if seen.has_head else "fastest_features"].format(
            method=texts["methods"][found.fastest()]["name"], area=fixed(min(areas.values()), 3)
        )
    ]
    for name in BASELINES:
        if name in areas:
            better = sum(areas[one] < areas[name] for one in own)
            lines.append(
                words["better_than"].format(
                    baseline=texts["methods"][name]["name"],
                    area=fixed(float(areas[name]), 3),
                    better=better,
                    count=len(own),
                )
            )
    st.markdown(" ".join(lines))


def can_fall(found: Scores) -> bool:
    """Return whether the whole picture's height leaves a deletion something to take away."""
    return bool(found.deletion[0, 0] >= LEAST)


def show_curves(seen: Observation, place: Place, found: Scores, texts: Texts) -> None:
    words = texts["parts"]["truth"]
    for column, name in zip(st.columns(2, gap="large"), ("deletion", "insertion"), strict=True):
        areas = getattr(found, f"{name}_areas")
        pairs = zip(titles_of(found, texts), areas, strict=True)
        with column:
            st.markdown(f"**{words[name]}**")
            show_chart(
                partial(chart, name, seen, place, found, texts),
                place,
                f"{name}-curves",
                words[name],
                alt=words["curves_alt"].format(
                    areas=", ".join(f"{title} {fixed(float(area), 3)}" for title, area in pairs)
                ),
            )


def chart(
    name: str, seen: Observation, place: Place, found: Scores, texts: Texts, mode: Mode
) -> go.Figure:
    words, values = texts["parts"]["truth"], getattr(found, name)
    chosen = chosen_method(place, found)
    curves = [
        ScoreCurve(title, values[index], found.methods[index] in BASELINES, index == chosen)
        for index, title in enumerate(titles_of(found, texts))
    ]
    height = words["height" if seen.has_head else "height_features"]
    return score_curves(
        curves,
        found.counts / seen.config.num_patches,
        axes=(words[f"{name}_axis"], height),
        hover=words["hover"],
        mode=mode,
        lowest=min(0.0, float(values.min())),
    )


def show_areas(place: Place, by_fill: Mapping[str, Scores], texts: Texts) -> None:
    """Show the areas under all curves, for both fillings."""
    words = texts["parts"]["truth"]
    st.markdown(f"**{words['areas']}**")
    show_html(area_table(place, by_fill, texts), "areas", words["areas"])
    first, second = by_fill.values()
    same = bool((np.argsort(first.deletion_areas) == np.argsort(second.deletion_areas)).all())
    note(words["same_ranking" if same else "other_ranking"])
    with more(place, "truth"):
        download_csv(
            words["download"],
            partial(areas_csv, by_fill),
            "deletion-insertion.csv",
            place.key("truth-csv"),
        )


def area_table(place: Place, by_fill: Mapping[str, Scores], texts: Texts) -> str:
    words, shown = texts["parts"]["truth"], by_fill[place.fill]
    heads: list[tuple[str, str]] = []
    columns: list[np.ndarray] = []
    for fill, found in by_fill.items():
        for name in ("deletion", "insertion"):
            heads.append((words[f"{name}_column"], words["fills"][fill]))
            columns.append(getattr(found, f"{name}_areas"))
    rows = [
        (title, [ScoreCell(fixed(float(areas[row]), 3)) for areas in columns])
        for row, title in enumerate(titles_of(shown, texts))
    ]
    return score_table(
        heads,
        rows,
        corner=words["method"],
        caption=words["areas"],
        apart=sum(method in BASELINES for method in shown.methods),
    )


def ask_fastest(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    """Ask whose order makes the answer fall fastest; nothing while that is not known."""
    target = explained(seen, place)
    maps = maps_there(choice, target)
    found = scores_there(choice, target, place.fill, maps) if len(maps) >= FEWEST else None
    if found is None or not can_fall(found):
        return []
    texts = texts_of("look_inside", seen)
    words, best = texts["questions"]["fastest"], int(found.deletion_areas.argmin())
    shown = [
        (title, fixed(float(area), 3))
        for title, area in zip(titles_of(found, texts), found.deletion_areas, strict=True)
    ]
    kind = "" if seen.has_head else "_features"
    name = seen.class_names[target] if target is not None else ""
    return [
        compared(
            "fastest",
            words[f"text{kind}"].format(name=name, fill=words[place.fill]),
            shown,
            best,
            words["why"],
            part="truth",
        )
    ]


def areas_csv(by_fill: Mapping[str, Scores]) -> str:
    rows = [
        (name, fill, found.deletion_areas[index], found.insertion_areas[index])
        for fill, found in by_fill.items()
        for index, name in enumerate(found.methods)
    ]
    return table_csv(("method", "filling", "deletion_area", "insertion_area"), rows)
