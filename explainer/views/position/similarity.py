"""Which places are similar: one place with all others, and all maps at once."""

from html import escape

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components.token_picker import token_picker
from explainer.content.numbers import fixed
from explainer.content.token_names import prefix_names
from explainer.figures.maps import every_map, every_picture
from explainer.observation import positions
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.position.patterns import means
from explainer.views.position.places import place_names, position_of, row_after
from explainer.views.position.wording import TEXTS, areas, show_missing, written


def show_similarity(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["similarity"], seen.config
    kind = place.kind
    cosines = positions.similarity(choice, seen, kind)
    chosen, every = st.columns((2, 3), gap="large")
    with chosen:
        title, picker = areas(2)
    if cosines is None:
        picker.container()
        with every:
            show_missing("similarity", kind, config)
        return
    position, names = position_of(choice, seen, place), place_names(config)
    first = int(config.pool == "cls")
    token = row_after(config, position)
    tokens = np.concatenate([cosines[position, :first], np.zeros(config.num_registers, np.float32)])
    title.markdown(f"**{texts['picture'].format(query=names[position])}**")
    with picker:
        token_picker(
            key=place.key("alike"),
            group=place.prefix,
            image=seen.pixels,
            grid=config.grid_size,
            prefix_names=prefix_names(config),
            query=token,
            on_choose=lambda clicked: session.set_query(clicked["query"]),
            values=np.concatenate([tokens, cosines[position, first:]]),
            scale="diverging",
            limit=1.0,
            width=260,
            title=texts["picture"].format(query=names[position]),
            # the image is drawn below the values
            cache=(choice, kind, position),
        )
    rows, columns = config.grid_size
    about = texts["note"].format(count=config.num_patches, rows=rows, columns=columns)
    with every:
        show_html(
            remember(
                ("every map", *positions.table_key(choice, kind), position),
                lambda: draw_every(choice, kind, cosines, position),
            ),
            "every-map",
            texts["all"],
        )
        st.markdown(nearest_words(cosines, position, first, names))
        note(about)
    with more(place, "similarity"):
        download_csv(
            texts["download"],
            lambda: matrix_csv(cosines, names, names, "place"),
            f"position-{kind}-cosines.csv",
            place.key("cosines-csv"),
        )


def draw_every(choice: Choice, kind: str, cosines: np.ndarray, position: int) -> str:
    """All maps in one picture, which is the same whichever place is framed in it."""
    config, texts = choice.config, TEXTS["parts"]["similarity"]
    first = int(config.pool == "cls")

    def draw() -> tuple[str, str]:
        patches = cosines[first:, first:]
        near, mean = means(patches, config.grid_size)
        alt = texts["all_alt"].format(count=len(patches), near=fixed(near, 2), mean=fixed(mean, 2))
        return every_picture(patches, config.grid_size), alt

    address, alt = remember(("every picture", *positions.table_key(choice, kind)), draw)
    chosen = position - first if position >= first else None
    title, picture = escape(texts["all"]), every_map(address, config.grid_size, chosen, alt)
    return f'<b>{title}</b><div style="max-width:18rem;margin-top:0.5rem">{picture}</div>'


def nearest_words(cosines: np.ndarray, position: int, first: int, names: list[str]) -> str:
    """Say which patches' positions are most and least like that of ``position``."""
    texts = TEXTS["parts"]["similarity"]
    others = [other for other in range(first, len(names)) if other != position]
    if not others:
        return texts["single"]
    if not cosines[position].any():
        return texts["zero_line"].format(query=names[position])
    nearest = max(others, key=lambda other: cosines[position, other])
    farthest = min(others, key=lambda other: cosines[position, other])
    return texts["chosen_line"].format(
        nearest=names[nearest],
        value=f"{cosines[position, nearest]:.3f}",
        farthest=names[farthest],
        least=written(float(cosines[position, farthest]), 3),
    )
