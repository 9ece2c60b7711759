"""What the head reads."""

from typing import Any

from explainer.content.token_names import token_names
from explainer.figures.matrix import Matrix
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.cells import show_matrices
from explainer.views.classification_head.values import read_rows
from explainer.views.classification_head.wording import numbered


def show_pooled(choice: Choice, seen: Observation, place: Place) -> None:
    show_matrices("pooled", pooled_matrices, choice, seen, place)


def pooled_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts = texts_of("classification_head", seen)["pooled"]
    config = seen.config
    rows, dimensions = read_rows(config), numbered(config.embed_dim)
    names = token_names(config)[rows]
    axes: dict[str, Any] = {"row_axis": "token", "column_axis": "dimension"}
    stream = seen.tensors[f"blocks.{config.depth - 1}.resid_post"][rows]
    shown = [
        Matrix("stream", stream, texts["stream"], names, dimensions, **axes),
        Matrix(
            "normed", seen.tensors["final_norm"][rows], texts["normed"], names, dimensions, **axes
        ),
    ]
    if config.pool != "cls":
        mean, name = seen.tensors["pooled"][None], [texts["pooled_row"]]
        shown.append(
            Matrix("pooled", mean, texts["mean"], name, dimensions, column_axis="dimension")
        )
    return shown
