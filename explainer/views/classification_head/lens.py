"""What every block would have answered: the logit lens."""

from explainer.figures.matrix import Matrix
from explainer.observation.lens import lens
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of, shown_classes
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.classification_head.cells import show_matrices
from explainer.views.classification_head.wording import TEXTS, settled, stage_names


def show_lens(choice: Choice, seen: Observation, place: Place) -> None:
    texts, names = TEXTS["parts"]["lens"], seen.class_names
    start = Cell("lens", settled(choice, seen), shown_classes(seen).index(seen.prediction))
    show_matrices("lens", lens_matrices, choice, seen, place, start)
    note(texts["note" if choice.trained else "note_untrained"])
    with more(place, "lens"):
        download_csv(
            texts["download"],
            lambda: matrix_csv(
                lens(choice, seen).probabilities, stage_names(seen.config), names, "stage"
            ),
            "logit-lens.csv",
            place.key("head-lens-csv"),
        )


def lens_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, places = TEXTS["parts"]["lens"], shown_classes(seen)
    return [
        Matrix(
            "lens",
            lens(choice, seen).probabilities[:, places],
            texts["lens"],
            stage_names(seen.config),
            names_of(seen, places),
            row_axis="stage",
            column_axis="class",
            scale="sequential",
            limit=1.0,
        )
    ]
