"""Which maps change when the model's weights become random?"""

from functools import partial

import numpy as np
import streamlit as st

from explainer.figures.map_table import MapCell, map_table
from explainer.observation.look import sanity
from explainer.observation.look.attributions import BASELINES, explained
from explainer.observation.look.sanity import WAYS, Sanity
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.shown import show_html
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
from vit_core.interpret.sanity import TRAINED

WORDS = TEXTS["sanity"]
MOST_STAGES = 8  # columns of the table
FEWEST_PATCHES = 9  # that can be ranked
WIDTH = 1.96  # standard deviations that 95 of 100 normal numbers keep to


def show_sanity(choice: Choice, seen: Observation, place: Place) -> None:
    config = seen.config
    if config.num_patches < FEWEST_PATCHES:
        told = WORDS["few_patches"]
        st.markdown(told.format(fewest=FEWEST_PATCHES, patches=config.num_patches))
        return
    if not sanity.can_be_checked(choice):
        st.markdown(WORDS["too_large"])
        return
    how = choose_way(place)
    target = explained(seen, place)
    found = awaited(
        sanity.key_of(choice, target, how),
        sanity.prepared(choice, target, how),
        WORDS["busy"],
        place,
        "sanity",
        offer="" if sanity.is_cheap(choice) else WORDS["offer"],
    )
    if found is None:
        return
    names = method_names(seen)
    show_html(table(names, choice, seen, found), "sanity-maps", WORDS["table"])
    note(TEXTS["own_scale"])
    chance = chance_of(config.num_patches)
    text = WORDS["reading"].format(chance=two_digits(chance), patches=config.num_patches)
    st.markdown(text)
    st.markdown("\n".join(f"- {line}" for line in lessons(names, choice, found, chance)))
    if np.isnan(found.correlations).any():
        note(WORDS["constant"])
    if len(sanity.methods_for(config)) < len(METHODS):
        note(WORDS["without_slow"])
    note_refused(found.refused, names)
    note(WORDS["paper"])
    with more(place, "sanity"):
        download_csv(WORDS["download"], partial(csv, found), "sanity.csv", place.key("sanity-csv"))


def choose_way(place: Place) -> str:
    """Ask whether new weights are drawn, or the old ones shuffled; no link says it."""
    chosen = st.segmented_control(
        WORDS["way"],
        WAYS,
        default=WAYS[0],
        required=True,
        key=place.key("sanity-way"),
        format_func=lambda way: WORDS[way],
    )
    return chosen if chosen in WAYS else WAYS[0]


def chance_of(patches: int) -> float:
    """Return how far from 0 the rank correlation of two random orders lies, 95 times in 100."""
    return WIDTH / float(np.sqrt(patches - 1))


def shown_stages(count: int) -> list[int]:
    """Return which stages are shown: the first and the last, and others evenly between them."""
    if count <= MOST_STAGES:
        return list(range(count))
    return np.linspace(0, count - 1, MOST_STAGES).round().astype(int).tolist()


def stage_name(stage: str, choice: Choice) -> str:
    kind, _, block = stage.partition(".")
    if kind == TRAINED:
        return str(WORDS["trained" if choice.trained else "trained_untrained"])
    if kind == "head":
        return str(WORDS["head" if choice.config.num_classes else "head_features"])
    return str(WORDS["block"].format(number=int(block) + 1) if block else WORDS["embedding"])


def table(names: Names, choice: Choice, seen: Observation, found: Sanity) -> str:
    stages = shown_stages(len(found.stages))
    rows = []
    for row, method in enumerate(found.methods):
        cells: list[MapCell] = []
        for stage in stages:
            number = found.correlations[row, stage]
            text = TEXTS["never"] if np.isnan(number) else two_digits(number)
            stage_is = stage_name(found.stages[stage], choice).removeprefix("+ ")
            where = WORDS["where"].format(stage=stage_is) if stage else WORDS["where_first"]
            cells.append(
                map_cell(
                    found.maps[row, stage],
                    seen.config.grid_size,
                    found.signed[row],
                    names[method],
                    where,
                    text if stage else "",
                )
            )
        rows.append((names[method], cells))
    return map_table(
        [stage_name(found.stages[stage], choice) for stage in stages],
        rows,
        corner=TEXTS["method_column"],
        caption=WORDS["table"],
        apart=apart(found.methods),
    )


def lessons(names: Names, choice: Choice, found: Sanity, chance: float) -> list[str]:
    """Return what the correlations say, in sentences."""
    last = found.correlations[:, -1]
    like = [
        f"{names[method]} ({two_digits(last[row])})"
        for row, method in enumerate(found.methods)
        if method not in BASELINES and last[row] > chance
    ]
    said = [
        WORDS["fails_some"].format(names=", ".join(like))
        if like
        else WORDS["fails_none"].format(chance=two_digits(chance))
    ]
    if apart(found.methods):
        said.append(WORDS["ink"].format(ink=names["ink"], random=names["random"].lower()))
    if not choice.trained:
        said.append(WORDS["untrained"])
    shown = len([stage for stage in shown_stages(len(found.stages)) if is_block(found, stage)])
    if shown < choice.config.depth:
        said.append(WORDS["skipped"].format(depth=choice.config.depth, shown=shown))
    return said


def is_block(found: Sanity, stage: int) -> bool:
    return "." in found.stages[stage]


def csv(found: Sanity) -> str:
    return table_csv(
        WORDS["columns"],
        [
            (method, stage, float(found.correlations[row, column]))
            for row, method in enumerate(found.methods)
            for column, stage in enumerate(found.stages)
        ],
    )
