"""The patches' first three principal components as colours, at the end and on the way there."""

from functools import partial

import streamlit as st

from explainer.caching import remember
from explainer.content.token_names import patch_names
from explainer.figures.colour_map import colours_of, strip
from explainer.observation import features
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.patch_colours import show_patch_colours
from explainer.shell.shown import show_html
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.features.wording import TEXTS


def show_colours(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["parts"]["colours"]
    show_patch_colours(seen)
    with fold(place, "strip", texts["strip_title"]) as is_open:
        if is_open:
            st.markdown(texts["strip_text"])
            drawn = remember(("colour strip", choice), partial(draw_strip, seen))
            show_html(drawn, "stages", texts["strip_title"])
    note(texts["note"])
    with more(place, "colours"):
        download_csv(
            texts["download"],
            partial(components_csv, seen),
            "patch-components.csv",
            place.key("components-csv"),
        )


def draw_strip(seen: Observation) -> str:
    texts = TEXTS["parts"]["colours"]
    pictures = [
        (
            colours_of(features.principal(seen, key).scores, seen.config.grid_size),
            stage_name(key),
        )
        for key in features.stages(seen)
    ]
    return strip(pictures, texts["strip_alt"])


def stage_name(key: str) -> str:
    texts = TEXTS["parts"]["colours"]
    if key == features.LAST:
        return texts["stage_last"]
    if key == "embed":
        return texts["stage_start"]
    return texts["stage"].format(block=int(key.split(".")[1]) + 1)


def components_csv(seen: Observation) -> str:
    texts, config = TEXTS["parts"]["colours"], seen.config
    names = patch_names(config)
    columns = [texts["column"].format(number=number) for number in (1, 2, 3)]
    return matrix_csv(features.principal(seen).scores, names, columns, texts["row"])
