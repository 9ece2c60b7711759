"""The filters, and where in the image one of them responds."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.components.filter_grid import filter_grid
from explainer.content.numbers import fixed
from explainer.content.token_names import patch_names
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.over_image import show_over_image
from explainer.views.patch_embedding.principal import show_principal
from explainer.views.patch_embedding.wording import TEXTS, numbered, patch_of, pixel_names

GRID_WIDTH = 360  # pixels at most


def choose_filter(unit: int) -> None:
    # a cell of another row would contradict it
    session.change(unit=unit, cell="")


def show_filters(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = texts_of("patch_embedding", seen)["parts"]["filters"], seen.config
    patch, unit = patch_of(choice, seen, place), measures.unit_of(choice, place)
    grid, response = st.columns(2, gap="large")
    column = seen.tensors["patch_embed"][:, unit]
    with grid, st.container(width=GRID_WIDTH):
        filter_grid(
            key=place.key("filters"),
            group=place.prefix,
            filters=measures.filters_of(choice),
            responses=seen.tensors["patch_embed"][patch],
            chosen=unit,
            on_choose=choose_filter,
            cache=(choice, patch),
        )
    with response:
        st.markdown(f"**{texts['response'].format(number=unit + 1)}**")
        title = texts["response"].format(number=unit + 1)
        show_over_image("response", column, choice, seen, place, (choice, unit), title=title)
        names = patch_names(config)
        values = {
            "number": unit + 1,
            "bias": fixed(measures.bias_of(choice)[unit], 2),
            "high": names[int(column.argmax())],
            "high_value": fixed(column.max(), 2),
            "low": names[int(column.argmin())],
            "low_value": fixed(column.min(), 2),
        }
        is_flat = float(np.ptp(column)) < measures.SAME
        said = texts["response_flat" if is_flat else "response_note"].format(**values)
        note(f"{said} {texts['scale']}")
    with fold(place, "principal", TEXTS["principal"]["label"]) as is_open:
        if is_open:
            show_principal(choice, seen, place)
    with more(place, "filters"):
        download_csv(
            texts["download"],
            partial(
                matrix_csv,
                measures.weight_of(choice),
                numbered(TEXTS["parts"]["multiply"]["dimension"], config.embed_dim),
                pixel_names(config),
                "filter",
            ),
            "filters.csv",
            place.key("filters-csv"),
        )
