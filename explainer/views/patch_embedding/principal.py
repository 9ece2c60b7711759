"""The principal components of the filters."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.content.numbers import percent
from explainer.figures.maps import maps
from explainer.observation.limits import common_limits, key_of
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell import code_panel
from explainer.shell.code_panel import Snippet
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_html
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.wording import TEXTS, kind_of, numbered, pixel_names
from vit_core.interpret.filters import principal_filters

SHOWN_COMPONENTS = 12


def show_principal(choice: Choice, seen: Observation, place: Place) -> None:
    texts = texts_of("patch_embedding", seen)["principal"]
    components = measures.principal(choice)
    shares = components.shares.numpy()
    if not shares.any():
        st.markdown(texts["none"])
        return
    st.markdown(texts["text"].format(width=seen.config.embed_dim))
    shown = min(SHOWN_COMPONENTS, len(shares))
    half = int(np.searchsorted(np.cumsum(shares), 0.5)) + 1
    values = {"half": half, "count": len(shares), "shown": shown}
    st.markdown(texts[kind_of(choice)].format(**values))
    limits = common_limits("components", choice, seen, place, component_limits)
    show_html(
        remember(
            ("components", *measures.model_of(choice), key_of(limits)),
            partial(draw_components, choice, limits),
        ),
        "components",
        texts["label"],
    )
    note_scale(place)
    note(texts["note"].format(**values))
    flat = components.filters.flatten(1).numpy()
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
        place.key("principal-csv"),
    )
    marks = ("spread, directions_RV =", "(variances / total)")
    code_panel.show([Snippet("filters", principal_filters, marks)], place)


def component_limits(choice: Choice, seen: Observation, place: Place) -> list[float]:
    """Return the largest weight of each component that is drawn."""
    filters = measures.principal(choice).filters[:SHOWN_COMPONENTS]
    return [float(one.abs().max()) for one in filters]


def draw_components(choice: Choice, limits: np.ndarray | None = None) -> str:
    texts, components = TEXTS["principal"], measures.principal(choice)
    height, width = choice.config.patch_hw
    pictures = []
    for place, share in enumerate(components.shares[:SHOWN_COMPONENTS].tolist()):
        values = {"number": place + 1, "share": percent(share), "height": height, "width": width}
        pictures.append(
            (
                measures.drawable(components.filters[place]),
                texts["component"].format(**values),
                texts["share"].format(**values),
                texts["component_alt"].format(**values),
            )
        )
    return maps(pictures, -1, None if limits is None else limits.tolist())
