"""Queries and keys of one head for many pictures, in one drawing."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.components.query_map import pack_queries, query_map
from explainer.content.numbers import percent, written
from explainer.content.strangers_words import plain_format
from explainer.figures import drawn, theme
from explainer.figures.cloud import Group, cloud
from explainer.figures.theme import Mode
from explainer.observation.look import queries
from explainer.observation.look.queries import STRONGEST, QueryMap
from explainer.observation.observe import Observation
from explainer.shell import controls
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.waiting import awaited
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.look_inside.map import TEXTS as ALL_TEXTS
from explainer.views.look_inside.map import names_of_classes, take
from explainer.views.look_inside.pictures import small_images

TEXTS = ALL_TEXTS["queries"]
LITTLE, MUCH = 2.0, 0.5  # times chance, and share of the queries


def show_queries(choice: Choice, seen: Observation, place: Place) -> None:
    config = seen.config
    if config.num_patches < 2:
        st.markdown(TEXTS["one_patch"])
        return
    with st.container(horizontal=True, gap="medium"):
        for name, count, chosen, keep in (
            ("block", config.depth, place.block, session.set_block),
            ("head", config.num_heads, place.head, session.set_head),
        ):
            key = place.key(f"queries-{name}")
            controls.pick_number(name, count, chosen, keep, key=key)
    found = awaited(
        queries.key_of(choice, place),
        queries.maker(choice, place),
        TEXTS["busy"],
        place,
        "queries",
    )
    if found is None:
        return
    pictures, patches = found.strongest.shape[:2]
    text = TEXTS["text"].strip().format(pictures=pictures, count=f"{pictures * patches:,}")
    st.markdown(f"{text} {TEXTS['point_at'].strip()}")
    share = percent(float(found.shares.sum()))
    drawn.note("queries", TEXTS["label"], lambda: chart(found, "light"))
    query_map(
        partial(packed, choice, found, config.grid_size, config.num_prefix_tokens > 0, share),
        key=place.key("query-map"),
        cache=queries.key_of(choice, place),
        sizes=(pictures, patches),
        on_choose=partial(look_at, choice, found),
    )
    st.markdown(TEXTS["made"].strip().format(factor=written(found.factor), share=share))
    st.markdown(" ".join(near_words(found)))
    note(TEXTS["source"])
    with more(place, "queries"):
        download_csv(
            TEXTS["download"], partial(points_csv, found), "queries.csv", place.key("queries-csv")
        )


def look_at(choice: Choice, found: QueryMap, picture: int, patch: int) -> None:
    """Look at one of the pictures, and one of its patches, on every page."""
    pictures, _ = queries.pictures_of(choice)
    take(pictures, int(found.chosen[picture]))
    session.set_patch(choice, patch)


def near_words(found: QueryMap) -> list[str]:
    """Say how much distance in the drawing tells of attention."""
    kind = "some"
    if found.near < LITTLE * found.by_chance:
        kind = "little"
    elif found.near > MUCH:
        kind = "much"
    numbers = {
        "near": percent(found.near),
        "most": min(STRONGEST, found.strongest.shape[1]),
        "chance": percent(found.by_chance),
    }
    return [TEXTS["near"].strip().format(**numbers), TEXTS[f"near_{kind}"]]


def picture_names(choice: Choice, found: QueryMap) -> list[str]:
    """Name each picture by its number, and its class where that is known."""
    pictures, _ = queries.pictures_of(choice)
    names, labels = names_of_classes(pictures), pictures.labels[found.chosen]
    return [
        plain_format(TEXTS["picture_class"], number=number + 1, name=names[label])
        if 0 <= label < len(names)
        else TEXTS["picture"].format(number=number + 1)
        for number, label in enumerate(labels.tolist())
    ]


def packed(
    choice: Choice, found: QueryMap, grid: tuple[int, int], has_prefix: bool, share: str
) -> bytes:
    """Return what the browser needs of a head's map."""
    count = f"{found.queries.shape[0] * found.queries.shape[1]:,}"
    alt = TEXTS["browser"]["alt"].format(count=count, share=share)
    return pack_queries(
        images=small_images(found.images),
        pictures=picture_names(choice, found),
        grid=grid,
        queries=found.queries,
        keys=found.keys,
        strongest=found.strongest,
        weights=found.weights,
        other=found.other,
        has_prefix=has_prefix,
        texts={**TEXTS["browser"], "alt": alt},
    )


def chart(found: QueryMap, mode: Mode) -> go.Figure:
    """Return the points for paper."""
    return cloud(
        [
            Group(TEXTS["query_name"], found.queries.reshape(-1, 2), theme.QUERY),
            Group(TEXTS["key_name"], found.keys.reshape(-1, 2), theme.KEY),
        ],
        mode,
    )


def points_csv(found: QueryMap) -> str:
    points = np.concatenate((found.queries, found.keys), axis=-1)
    return table_csv(
        TEXTS["columns"],
        [
            (picture + 1, patch, *(round(float(value), 5) for value in row))
            for picture, rows in enumerate(points)
            for patch, row in enumerate(rows)
        ],
    )
