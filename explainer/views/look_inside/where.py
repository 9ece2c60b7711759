"""Which patches each method says the answer relied on, side by side."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from explainer.components.heat_maps import HeatMap, heat_maps
from explainer.content.numbers import written
from explainer.content.token_names import patch_names
from explainer.observation.look.attributions import (
    BASELINES,
    BY_ITSELF,
    Attributed,
    attributions,
    compute,
    depends_on_class,
    explained,
    found_at_once,
    key_of,
    methods,
    runner_up,
    work_of,
)
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of
from explainer.observation.text_variants import texts_of
from explainer.shell.controls import choose
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.more import more
from explainer.shell.waiting import awaited
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place

Found = Attributed | str | None  # as ``found_at_once`` returns it


def show_where(choice: Choice, seen: Observation, place: Place) -> None:
    texts = texts_of("look_inside", seen)
    words, config = texts["parts"]["where"], seen.config
    if seen.has_head:
        choose_class(seen, place, words)
    target = explained(seen, place)
    found = {name: found_at_once(choice, target, name) for name in methods()}
    maps = [heat_map(name, one, seen, texts) for name, one in found.items()]
    heat_maps(
        key=place.key("heat-maps"),
        group=place.prefix,
        image=seen.pixels,
        grid=config.grid_size,
        maps=maps,
        patch=place.patch(seen.telling_patch),
        on_choose=partial(session.set_patch, choice),
        texts=words["maps"],
        title=words["saved"],
        cache=(choice, target, tuple(one.absent or one.values is not None for one in maps)),
    )
    for name, one in found.items():
        if one is None:
            make_beside(choice, target, name, seen, place, texts)
    with more(place, "where"):
        download_csv(
            words["download"],
            partial(maps_csv, maps, patch_names(config)),
            "heat-maps.csv",
            place.key("where-csv"),
        )


def choose_class(seen: Observation, place: Place, words: Mapping[str, Any]) -> None:
    """Ask for the class whose score is explained; the predicted one stays out of the link."""
    names = names_of(seen, range(seen.config.num_classes))
    marks = {runner_up(seen): words["runner_up"], seen.prediction: words["predicted"]}

    def keep(chosen: int) -> None:
        session.change(explain=None if chosen == seen.prediction else chosen)

    target = explained(seen, place)
    choose(
        words["explain"],
        range(len(names)),
        seen.prediction if target is None else target,
        keep,
        key=place.key("explain"),
        format_func=lambda index: marks.get(index, "{name}").format(name=str(names[index])),
        width=320,
    )


def make_beside(
    choice: Choice,
    target: int | None,
    name: str,
    seen: Observation,
    place: Place,
    texts: Mapping[str, Any],
) -> None:
    """Have a map made beside the page; the slowest ones only if somebody asks for them."""
    words = texts["parts"]["where"]
    title = texts["methods"][name]["name"]
    awaited(
        key_of(choice, target, name),
        lambda report: compute(choice, target, name, report),
        words["making"].format(name=title, done="{done}", total="{total}"),
        place,
        f"map-{name}",
        offer=words["offer"].format(name=title) if work_of(seen.config, name) > BY_ITSELF else "",
        kept=attributions(),
    )


def heat_map(name: str, found: Found, seen: Observation, texts: Mapping[str, Any]) -> HeatMap:
    told = texts["methods"][name]
    absent = replace(
        HeatMap(name, told["name"], None, False, name in BASELINES, told["text"]),
        source=told.get("source", ""),
        address=told.get("address", ""),
        absent=found if isinstance(found, str) else texts["parts"]["where"]["not_yet"],
    )
    if not isinstance(found, Attributed):
        return absent
    return replace(
        absent,
        values=found.patches,
        is_signed=found.is_signed,
        facts=facts_of(found, seen, texts),
        absent="",
    )


def facts_of(found: Attributed, seen: Observation, texts: Mapping[str, Any]) -> list[str]:
    """Return short remarks on a map: whose it is, its unit, and by how much its sum misses."""
    words = texts["parts"]["where"]["facts"]
    facts = []
    if found.method not in BASELINES:
        kind = "class" if seen.has_head else "features"
        facts.append(words[kind if depends_on_class(found.method) else f"no_{kind}"])
    told, features = texts["methods"][found.method], "" if seen.has_head else "_features"
    if unit := told.get(f"unit{features}") or told.get("unit"):
        facts.append(unit)
    if found.error is not None:
        facts.append(told[f"error{features}"].format(error=written(found.error)))
    return facts


def maps_csv(maps: list[HeatMap], names: list[str]) -> str:
    there = [one for one in maps if one.values is not None]
    values = np.stack([one.values for one in there if one.values is not None], axis=1)
    return matrix_csv(values, names, [one.name for one in there], "patch")
