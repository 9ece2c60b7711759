"""The principal components of the filters."""

from functools import partial

import numpy as np
import streamlit as st

from explainer import embedding
from explainer.export import download_csv, matrix_csv
from explainer.figures.maps import maps
from explainer.notation import percent
from explainer.services import Observation
from explainer.shared import remember
from explainer.state import Choice
from explainer.told import texts_of
from explainer.views.patch_embedding.wording import TEXTS, kind_of, note, numbered, pixel_names

SHOWN_COMPONENTS = 12


def show_principal(choice: Choice, seen: Observation) -> None:
    texts = texts_of("patch_embedding", seen)["parts"]["principal"]
    found = embedding.principal(choice)
    shares = found.shares.numpy()
    if not shares.any():
        st.markdown(texts["none"])
        return
    shown = min(SHOWN_COMPONENTS, len(shares))
    half = int(np.searchsorted(np.cumsum(shares), 0.5)) + 1
    words = {"half": half, "count": len(shares), "shown": shown}
    st.markdown(texts[kind_of(choice)].format(**words))
    st.html(remember(("components", *embedding.model_of(choice)), partial(draw_components, choice)))
    note(texts["note"].format(**words))
    flat = found.filters.flatten(1).numpy()
    download_csv(
        texts["download"],
        partial(
            matrix_csv,
            np.column_stack([shares, flat]),
            numbered(texts["component"], len(shares)),
            ["share", *pixel_names(seen.config)],
            "component",
        ),
        "principal-components.csv",
        "principal-csv",
    )


def draw_components(choice: Choice) -> str:
    texts, found = TEXTS["parts"]["principal"], embedding.principal(choice)
    height, width = choice.config.patch_hw
    pictures = []
    for place, share in enumerate(found.shares[:SHOWN_COMPONENTS].tolist()):
        words = {"number": place + 1, "share": percent(share), "height": height, "width": width}
        pictures.append(
            (
                embedding.drawable(found.filters[place]),
                texts["component"].format(**words),
                texts["share"].format(**words),
                texts["component_alt"].format(**words),
            )
        )
    return maps(pictures, chosen=-1)
