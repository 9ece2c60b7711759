"""Who wrote each logit."""

import streamlit as st

from explainer.content.numbers import fixed
from explainer.content.strangers_words import plain_format
from explainer.figures.matrix import Matrix
from explainer.observation.lens import attribution
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of, shown_classes
from explainer.observation.text_variants import texts_of
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.cells import show_matrices
from explainer.views.classification_head.values import contributions
from explainer.views.classification_head.wording import TEXTS, rival_of, writer_names


def show_parts(choice: Choice, seen: Observation, place: Place) -> None:
    texts = texts_of("classification_head", seen)["parts"]["parts"]
    split, names = attribution(choice, seen), seen.class_names
    best, rival = seen.prediction, rival_of(seen)
    show_matrices("parts", written_matrices, choice, seen, place)
    writers, margin = writer_names(split), split.logits[:, best] - split.logits[:, rival]
    most, least = int(margin.argmax()), int(margin.argmin())
    total = texts["total" if margin[least] < 0 else "total_one_side"]
    st.markdown(
        total.format(
            total=fixed(float(seen.logits[best] - seen.logits[rival]), 2, signed=True),
            most=writers[most],
            most_value=fixed(float(margin[most]), 2, signed=True),
            least=writers[least],
            least_value=fixed(float(margin[least]), 2, signed=True),
            answer=names[best],
            rival=names[rival],
        )
    )
    with fold(place, "split", texts["note_title"]) as is_open:
        if is_open:
            st.markdown(texts["note"].format(difference=f"{split.difference:.1e}"))
    with more(place, "parts"):
        download_csv(
            texts["download"],
            lambda: matrix_csv(contributions(split), writer_names(split, True), names, "part"),
            "contributions.csv",
            place.key("head-parts-csv"),
        )


def written_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, split, names = TEXTS["parts"]["parts"], attribution(choice, seen), seen.class_names
    best, rival = seen.prediction, rival_of(seen)
    table, writers = contributions(split), writer_names(split, True)
    places = shown_classes(seen)
    classes = {"answer": names[best], "rival": names[rival]}
    return [
        Matrix(
            "written",
            table[:, places],
            texts["written"],
            writers,
            names_of(seen, places),
            row_axis="writer",
            column_axis="class",
        ),
        Matrix(
            "margin",
            table[:, best : best + 1] - table[:, rival : rival + 1],
            plain_format(texts["margin"], **classes),
            writers,
            [plain_format(texts["margin_column"], **classes)],
            row_axis="writer",
        ),
    ]
