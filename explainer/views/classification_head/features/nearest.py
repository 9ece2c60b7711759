"""The pictures that the model finds most similar."""

import streamlit as st

from explainer.content.numbers import fixed
from explainer.figures.gallery import gallery
from explainer.figures.pixels import image_address
from explainer.observation import features
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.shown import show_html
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.features.wording import TEXTS


def show_nearest(choice: Choice, seen: Observation, place: Place) -> None:
    texts, neighbours = TEXTS["parts"]["nearest"], features.neighbours(choice, seen)
    pictures = []
    for one in neighbours:
        cosine = fixed(one.cosine, 3)
        pictures.append(
            (
                image_address(one.pixels),
                texts["alt"].format(name=one.name, cosine=cosine),
                one.name,
                texts["caption"].format(cosine=cosine),
            )
        )
    show_html(gallery(pictures), "gallery")
    note(texts["note"])
    with fold(place, "labels", texts["labels_title"]) as is_open:
        if is_open:
            st.markdown(texts["labels"])
    with more(place, "nearest"):
        download_csv(
            texts["download"],
            lambda: table_csv(
                ("picture", "cosine"), [(one.name, one.cosine) for one in neighbours]
            ),
            "alike.csv",
            place.key("alike-csv"),
        )
