"""Which class the model takes for which: press a cell for its pictures, and one for all pages."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st
import torch

from explainer.components.confusions import confusion_table
from explainer.components.sight import repaints
from explainer.components.thumbnails import thumbnails
from explainer.content import load_texts
from explainer.content.numbers import percent, share_of_right
from explainer.content.strangers_words import plain_format
from explainer.figures.pixels import image_address
from explainer.inputs.models.memory import is_large
from explainer.inputs.pictures.batches import pixels_of
from explainer.inputs.pictures.test_pictures import IN_NO_GALLERY, SHOWN, TestPictures
from explainer.observation.look import confusions as numbers
from explainer.observation.look.confusions import Confusions
from explainer.observation.look.units import pictures_of
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of
from explainer.shell import routes
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.picker.gallery import thumbnail
from explainer.shell.waiting import awaited
from explainer.state import session
from explainer.state.choice import DIGITS, Choice
from explainer.state.place import Cell, Place

TEXTS = load_texts("look_map")["confusions"]
MATRIX = "confusions"  # what a link calls the table
MOST_CLASSES = 12  # in the table
MOST_PICTURES = 24  # of a cell
COLUMNS = 6
WIDTH = 440  # pixels of the table, and of the pictures beside it


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return the matrix of the page whose cells can be chosen."""
    side = seen.config.num_classes
    return {MATRIX: (side, side)} if side else {}


def show_confusions(choice: Choice, seen: Observation, place: Place) -> None:
    if not seen.has_head:
        st.markdown(TEXTS["headless"])
        return
    pictures = pictures_of(choice)
    known = len(numbers.labelled(choice, pictures))
    if not known:
        st.markdown(TEXTS["unlabelled"])
        return
    found = awaited(
        numbers.key_of(choice),
        numbers.prepared(choice),
        TEXTS["busy"],
        place,
        MATRIX,
        offer=TEXTS["ask"].format(count=f"{known:,}") if is_large(choice.config) else "",
        kept=numbers.kept(),
    )
    if found is None:
        return
    counts = found.counts(seen.config.num_classes)
    classes = numbers.most_confused(counts, MOST_CLASSES)
    chosen = chosen_cell(place, found, counts, classes)
    with st.container(horizontal=True, gap="large"):  # below each other where there is no room
        table, beside = st.container(width=WIDTH), st.container(width=WIDTH)
    with table:
        show_table(seen, place, counts, classes, chosen)
        st.markdown(words(seen, pictures, found, counts))
        show_notes(choice, pictures, found, counts, classes)
    with beside:
        show_cell(choice, seen, place, pictures, found, chosen)
    with more(place, MATRIX):
        download_csv(
            TEXTS["download"],
            partial(answers_csv, seen, pictures, found),
            "confusions.csv",
            place.key("confusions-csv"),
        )


def chosen_cell(
    place: Place, found: Confusions, counts: np.ndarray, classes: np.ndarray
) -> tuple[int, int]:
    """Return the true class and the answer that were chosen; else those of the worst mistake.

    Where there is no mistake, they are those of the least sure answer.

    Args:
        classes: of the table.
    """
    cell = place.cell_in({MATRIX: counts.shape})
    if cell and counts[cell.row, cell.column] and {cell.row, cell.column} <= set(classes.tolist()):
        return cell.row, cell.column
    least = int(found.of_answer.argmin())
    return numbers.worst_cell(counts) or (int(found.labels[least]), int(found.answers[least]))


def show_table(
    seen: Observation,
    place: Place,
    counts: np.ndarray,
    classes: np.ndarray,
    chosen: tuple[int, int],
) -> None:
    indices = classes.tolist()

    def choose(row: int, column: int) -> None:
        session.change(cell=str(Cell(MATRIX, indices[row], indices[column])))

    st.markdown(f"**{TEXTS['title']}**")
    confusion_table(
        key=place.key("confusion-table"),
        counts=counts[np.ix_(classes, classes)],
        names=names_of(seen, indices),
        texts=TEXTS["table"],
        chosen=cell_of(indices, chosen),
        on_choose=repaints(choose),
    )


def cell_of(indices: list[int], chosen: tuple[int, int]) -> tuple[int, int] | None:
    """Return row and column of a true class and an answer; None where the table has them not."""
    if not set(chosen) <= set(indices):
        return None
    return indices.index(chosen[0]), indices.index(chosen[1])


def words(seen: Observation, pictures: TestPictures, found: Confusions, counts: np.ndarray) -> str:
    """Say how many answers are right, and what the most frequent mistake is."""
    total = len(found.labels)
    said = TEXTS["right"].format(
        pictures=pictures.words,
        right=f"{found.right:,}",
        total=f"{total:,}",
        share=share_of_right(found.right / total, total),
    )
    worst = numbers.worst_cell(counts)
    if worst is None:
        return f"{said} {TEXTS['none']}"
    names = seen.class_names
    times = int(counts[worst])
    often = TEXTS["worst_one" if times == 1 else "worst"].format(
        truth=names[worst[0]], answer=names[worst[1]], times=f"{times:,}"
    )
    return f"{said} {often}"


def show_notes(
    choice: Choice,
    pictures: TestPictures,
    found: Confusions,
    counts: np.ndarray,
    classes: np.ndarray,
) -> None:
    """Say what the table leaves out."""
    said = [TEXTS["note"]]
    if len(classes) < len(counts):
        inside = int(counts[np.ix_(classes, classes)].sum())
        said.append(
            TEXTS["some_classes"].format(
                shown=len(classes),
                classes=f"{len(counts):,}",
                outside=f"{len(found.labels) - inside:,}",
            )
        )
    if len(found.labels) < len(pictures):
        said.append(TEXTS["some_labels"].format(count=f"{len(pictures) - len(found.labels):,}"))
    if choice.edits.changes_picture:
        said.append(TEXTS["unchanged"])
    note(" ".join(said))


def show_cell(
    choice: Choice,
    seen: Observation,
    place: Place,
    pictures: TestPictures,
    found: Confusions,
    chosen: tuple[int, int],
) -> None:
    """Offer the pictures of one cell."""
    truth, answer = (seen.class_names[index] for index in chosen)
    is_right = chosen[0] == chosen[1]
    of_cell = found.of_cell(*chosen)
    shown = of_cell[:MOST_PICTURES]
    indices = found.pictures[shown].tolist()
    title = TEXTS["cell_right" if is_right else "cell_wrong"]
    st.markdown(title.format(truth=truth, answer=answer, count=f"{len(of_cell):,}"))
    thumbnails(
        key=place.key(f"confusion-pictures-{chosen[0]}-{chosen[1]}"),
        label=plain_format(TEXTS["pictures"], truth=truth, answer=answer),
        pictures=[
            (
                address_of(pictures, index),
                plain_format(
                    TEXTS["picture_right" if is_right else "picture"],
                    truth=truth,
                    answer=answer,
                    share=percent(float(found.of_answer[one])),
                    own=percent(float(found.of_label[one])),
                    number=f"{pictures.places[index] + 1:,}",
                ),
            )
            for one, index in zip(shown.tolist(), indices, strict=True)
        ],
        chosen=next(
            (at for at, one in enumerate(indices) if is_shown(choice, pictures, one)), None
        ),
        columns=COLUMNS,
        captions=[percent(float(found.of_answer[one])) for one in shown.tolist()],
        on_choose=repaints(lambda at: session.change(**pictures.values(indices[at]))),
    )
    order = TEXTS["order_right" if is_right else "order_wrong"]
    if len(shown) < len(of_cell):
        order = TEXTS["shown_of"].format(shown=len(shown), count=f"{len(of_cell):,}", order=order)
    note(f"{TEXTS['press']} {order}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(TEXTS["pages"], width="content")
        for view in ("self_attention", "classification_head"):
            routes.link(view, routes.title_of(view))


def is_shown(choice: Choice, pictures: TestPictures, index: int) -> bool:
    """Return whether this is the picture that all pages show, as far as its link says."""
    if choice.picture or choice.photo:
        return False
    if pictures.kind == DIGITS:
        values = pictures.values(index)
        return (choice.digit, choice.index) == (values["digit"], values["index"])
    sample = int(pictures.samples[index])
    return sample != IN_NO_GALLERY and choice.sample == sample


def address_of(pictures: TestPictures, index: int) -> str:
    """Return the address of one picture, or of a small version of a photograph."""
    if pictures.kind == SHOWN:
        return thumbnail(pictures.gallery, int(pictures.samples[index]))
    return image_address(pixels_of(torch.from_numpy(pictures.images[index : index + 1].copy())))


def answers_csv(seen: Observation, pictures: TestPictures, found: Confusions) -> str:
    names = seen.class_names
    return table_csv(
        TEXTS["columns"],
        [
            (
                int(pictures.places[index]) + 1,
                names[label],
                names[answer],
                float(of_answer),
                float(of_label),
            )
            for index, label, answer, of_answer, of_label in zip(
                found.pictures.tolist(),
                found.labels.tolist(),
                found.answers.tolist(),
                found.of_answer,
                found.of_label,
                strict=True,
            )
        ],
    )
