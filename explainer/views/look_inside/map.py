"""The map: many pictures as points after each block, and a probe that says when the model knows."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.caching import remember
from explainer.components.point_map import FEW, pack_map, point_map
from explainer.content import load_texts
from explainer.content.numbers import percent
from explainer.content.strangers_words import distinct
from explainer.figures import drawn, theme
from explainer.figures.cloud import LARGE, Group, cloud
from explainer.figures.steps import Line, line_chart
from explainer.figures.theme import Mode
from explainer.inputs.pictures.galleries import samples
from explainer.inputs.pictures.test_digits import digit_indices
from explainer.inputs.pictures.test_pictures import UNKNOWN, TestPictures
from explainer.observation.look import map as pictures_map
from explainer.observation.look.map import EpochMap, PictureMap
from explainer.observation.naming import sample_name
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.picker.visitor_pictures import leave_pad
from explainer.shell.quiz import Question
from explainer.shell.shown import show_chart
from explainer.shell.waiting import awaited
from explainer.state import session
from explainer.state.choice import DIGITS, Choice
from explainer.state.place import Place
from explainer.views.look_inside.pictures import small_images

TEXTS = load_texts("look_map")
LEAST = 3  # pictures of a map


def show_map(choice: Choice, seen: Observation, place: Place) -> None:
    texts, pictures = TEXTS["map"], pictures_map.pictures_of(choice)
    if len(pictures) < LEAST:
        st.markdown(texts["too_few"].format(pictures=pictures.words))
        return
    show_text(seen, pictures)
    one = awaited(
        pictures_map.key_of(choice),
        pictures_map.maker(choice),
        texts["busy"].format(pictures=pictures.words),
        place,
        "map",
        kept=pictures_map.kept_maps(),
    )
    if one is None:
        return
    drawing, below = st.container(), st.container()
    epochs, of_run = pictures_map.epochs_of(choice), None
    if epochs:
        with below:
            of_run = awaited(
                pictures_map.key_of_run(choice),
                pictures_map.maker_of_run(choice),
                texts["epochs_busy"].format(count=len(epochs)),
                place,
                "map-epochs",
                offer=texts["epochs_offer"].format(count=len(epochs)),
                kept=pictures_map.kept_maps(),
            )
    key = "joined map", pictures_map.key_of(choice), of_run is not None and epochs
    found = remember(key, lambda: pictures_map.joined(choice, one, of_run))
    with drawing:
        draw(choice, seen, place, found)
    with below:
        note(texts["turned_epochs" if len(found.maps) > 1 else "turned"])
        if choice.edits.changes_picture:
            note(texts["own_edited"])
        if choice.is_edited_model:
            note(texts["model_edited"])
        show_probe(place, found)
        with more(place, "map"):
            download_csv(
                texts["download"], partial(map_csv, found), "map.csv", place.key("map-csv")
            )


def ask_start(choice: Choice, seen: Observation) -> list[Question]:
    """Ask where class tokens begin; nothing of a model without them, or without a map."""
    if seen.config.pool != "cls" or len(pictures_map.pictures_of(choice)) < LEAST:
        return []
    texts = TEXTS["map"]["start"]
    options = tuple(texts[name] for name in ("one_place", "groups", "no_order"))
    return [Question("map-start", texts["question"], options, 0, texts["why"], part="map")]


def show_text(seen: Observation, pictures: TestPictures) -> None:
    texts, config = TEXTS["map"], seen.config
    row = "row_mean" if config.pool != "cls" else "row_cls" if seen.has_head else "row_cls_headless"
    is_few = len(pictures) <= FEW
    points = "points_few" if is_few else "points"
    watch = "watch" if pictures.are_labelled and not is_few else "watch_plain"
    st.markdown(
        " ".join(
            (
                texts[row].strip().format(width=config.embed_dim),
                texts[points].strip().format(pictures=pictures.words),
                texts[watch],
            )
        )
    )


def draw(choice: Choice, seen: Observation, place: Place, found: PictureMap) -> None:
    """Draw the points, and tell of them as a picture that can be saved."""
    texts, stage = TEXTS["map"], first_stage(place, found)
    drawn.note("map", texts["label"], lambda: chart(found, stage, "light"))
    point_map(
        partial(packed, found, place, stage),
        key=place.key("point-map"),
        cache=(pictures_map.key_of(choice), found.epochs, stage, place.other is not None),
        count=found.count,
        chosen={
            "own": [round(float(number), 4) for number in found.own_points(seen).ravel()],
            "chosen": index_of(choice, found.pictures),
        },
        on_choose=partial(take, found.pictures),
    )


def first_stage(place: Place, found: PictureMap) -> int:
    """Return the stage with which the map opens: the chosen block's; the last if none is chosen."""
    return place.block + 1 if place.block else found.stages - 1


def take(pictures: TestPictures, index: int) -> None:
    """Look at one of the pictures on every page."""
    leave_pad()
    session.change(**pictures.values(index))


def index_of(choice: Choice, pictures: TestPictures) -> int:
    """Return which of the pictures is in hand; -1 if none is."""
    if choice.is_own:
        return -1
    if pictures.kind == DIGITS:
        at = np.flatnonzero(pictures.places == digit_indices()[choice.digit][choice.index])
    else:
        at = np.flatnonzero(pictures.samples == choice.sample)
    return int(at[0]) if len(at) else -1


def names_of_classes(pictures: TestPictures) -> list[str]:
    return [str(name) for name in distinct(pictures.class_names, load_texts("frame")["nameless"])]


def stage_names(found: PictureMap) -> list[str]:
    texts, depth = TEXTS["map"]["browser"], found.stages - 1
    after = [texts["after"].format(block=block + 1, depth=depth) for block in range(depth)]
    return [texts["before"], *after]


def epoch_names(found: PictureMap) -> list[str]:
    texts = TEXTS["map"]["browser"]
    return [
        texts["epoch"].format(epoch=epoch) if epoch else texts["epoch_untrained"]
        for epoch in found.epochs
    ] or [""]


def packed(found: PictureMap, place: Place, stage: int) -> bytes:
    """Return what the browser needs of a map."""
    pictures = found.pictures
    named = samples(pictures.gallery) if found.count <= FEW else ()
    return pack_map(
        channel=place.key("point-map"),
        images=small_images(pictures.images),
        labels=pictures.labels,
        class_names=names_of_classes(pictures),
        names=[sample_name(named[index]) if index >= 0 else "" for index in pictures.samples]
        if named
        else [],
        points=found.points,
        predicted=np.stack([one.predicted for one in found.maps]),
        told=[told_of(one) for one in found.maps],
        stages=stage_names(found),
        epochs=epoch_names(found),
        shown=found.shown,
        stage=stage,
        texts={**TEXTS["map"]["browser"], "legend": legend_of(found)},
        step="point-map-step" if place.other is not None else "",
    )


def told_of(one: EpochMap) -> list[list[str]]:
    """Return what is said of each stage: what its directions hold, and how good the probe is."""
    texts, told = TEXTS["map"]["browser"], []
    for shares, probe in zip(one.shares.tolist(), one.probes.tolist(), strict=True):
        first, second = map(percent, shares)
        lines = [texts["shares"].format(sum=percent(sum(shares)), first=first, second=second)]
        if not any(shares):
            lines = [texts["one_place"]]
        if not np.isnan(probe):
            lines.append(texts["probe"].format(share=percent(probe)))
        told.append(lines)
    return told


def legend_of(found: PictureMap) -> str:
    """Say what forms and colours mean, of those that this map has."""
    texts, labels = TEXTS["map"]["browser"], found.pictures.labels
    few = "legend_few" if found.count <= FEW else "legend"
    can_be_wrong = bool((labels != UNKNOWN).all() and (found.maps[0].predicted >= 0).all())
    name = {"legend": "legend_right"}.get(few, few) if can_be_wrong else f"{few}_plain"
    lines = [texts[name]]
    classes = len(np.unique(labels[labels != UNKNOWN]))
    if classes:
        is_shared = classes > len(theme.CLASSES)
        lines.append(texts["legend_classes_again" if is_shared else "legend_classes"])
    return " ".join(lines)


def chart(found: PictureMap, stage: int, mode: Mode) -> go.Figure:
    """Return the points of one stage for paper."""
    points, labels = found.points[found.shown, stage], found.pictures.labels
    names, right = names_of_classes(found.pictures), found.right[found.shown]
    has_answer = found.maps[found.shown].predicted[0] >= 0
    groups: list[Group] = []
    wrong: list[Group] = []
    for label in np.unique(labels):
        is_known = 0 <= label < len(names)
        shade = theme.CLASSES[label % len(theme.CLASSES)] if is_known else theme.MUTED
        name = names[label] if is_known else ""
        of_class = labels == label
        is_wrong = of_class & ~right if is_known and has_answer else np.zeros_like(of_class)
        groups.append(Group(name, points[of_class & ~is_wrong], shade))
        if is_wrong.any():
            wrong.append(Group("", points[is_wrong], shade, LARGE))
    return cloud([*groups, *wrong], mode, TEXTS["map"]["large"] if wrong else "")


def map_csv(found: PictureMap) -> str:
    """Return every point of the model in hand at every stage."""
    names, labels = names_of_classes(found.pictures), found.pictures.labels
    predicted, stops = found.maps[found.shown].predicted, stage_names(found)

    def name(index: int) -> str:
        return names[index] if 0 <= index < len(names) else ""

    return table_csv(
        TEXTS["map"]["columns"],
        [
            (
                stops[stage],
                index,
                name(int(labels[index])),
                name(int(predicted[index])),
                *(round(float(value), 5) for value in found.points[found.shown, stage, index]),
            )
            for stage in range(found.stages)
            for index in range(found.count)
        ],
    )


def show_probe(place: Place, found: PictureMap) -> None:
    """Draw after which block a linear layer could read the class."""
    texts, probes = TEXTS["map"]["probe"], found.maps[found.shown].probes
    st.subheader(texts["title"], anchor=False)
    if np.isnan(probes).any():
        st.markdown(texts["none"])
        return
    known, asked, guess = pictures_map.halves(found)
    st.markdown(
        " ".join(
            (
                texts["text"].strip().format(known=f"{known:,}", asked=f"{asked:,}"),
                texts["guess"].format(guess=percent(guess)),
            )
        )
    )
    stops = stage_names(found)
    values = "; ".join(
        texts["value"].format(stop=stop, share=percent(share))
        for stop, share in zip(stops, probes.tolist(), strict=True)
    )
    show_chart(
        partial(probe_chart, found),
        place,
        "probes",
        texts["title"],
        alt=texts["alt"].format(values=values),
        into=st.container(width=640),
    )
    st.markdown(" ".join(probe_words(found)))
    note(texts["careful"])
    with more(place, "probes"):
        download_csv(
            texts["download"],
            lambda: table_csv(texts["columns"], list(zip(stops, probes.tolist(), strict=True))),
            "probes.csv",
            place.key("probes-csv"),
        )


def probe_words(found: PictureMap) -> list[str]:
    """Say which block helped most, and how good the model itself is."""
    texts, one = TEXTS["map"]["probe"], found.maps[found.shown]
    gains = np.diff(one.probes)
    block = int(gains.argmax())
    if gains[block] > 0:
        before, after = (percent(float(share)) for share in one.probes[block : block + 2])
        words = [texts["rise"].format(block=block + 1, before=before, after=after)]
    else:
        before, after = percent(float(one.probes[0])), percent(float(one.probes[1:].max()))
        words = [texts["flat"].format(before=before, after=after)]
    if one.predicted[0] >= 0:
        words.append(texts["itself"].format(own=percent(pictures_map.model_accuracy(found))))
    return words


def probe_chart(found: PictureMap, mode: Mode) -> go.Figure:
    """Return the accuracy of the probes over the blocks, and that of the first epoch if known."""
    texts, stages = TEXTS["map"]["probe"], np.arange(found.stages)

    def line(probes: np.ndarray, name: str, shade: theme.Shade, dash: str = "solid") -> Line:
        shares = [percent(share) for share in probes.tolist()]
        return Line(name, stages, 100 * probes, shade, shares, dash == "solid", dash)

    one = found.maps[found.shown]
    name = texts["line"]
    if found.epochs:
        name = texts["line_epoch"].format(epoch=found.epochs[found.shown])
    lines = [line(one.probes, name, theme.ACCENT)]
    if found.shown > 0:
        first = texts["line_epoch"].format(epoch=found.epochs[0])
        lines.append(line(found.maps[0].probes, first, theme.VALUE))
    if one.predicted[0] >= 0:
        own = np.full(found.stages, pictures_map.model_accuracy(found))
        lines.append(line(own, texts["own_line"], theme.MUTED, "dot"))
    figure = line_chart(
        lines,
        axes=(texts["block_axis"], texts["axis"]),
        hover=texts["hover"],
        mode=mode,
        y_range=(-3, 103),
    )
    figure.layout.xaxis.update(tickvals=stages.tolist())
    return figure
