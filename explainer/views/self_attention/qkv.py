"""Query, key and value of the chosen head."""

from explainer.components.matrices import Matrix
from explainer.content.token_names import token_names
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.self_attention.cells import cell_of, of_head, show_cell, show_matrices
from explainer.views.self_attention.wording import TEXTS, numbered


def show_qkv(choice: Choice, seen: Observation, place: Place) -> None:
    cell = cell_of(place, "qkv", Cell("q", place.token(seen.telling_patch), 0), seen.config)
    show_matrices("step-qkv", qkv_matrices, cell, choice, seen, place, same_for_all=True)
    show_cell("qkv", cell, choice, seen, place)


def qkv_matrices(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, config, names = TEXTS["parts"]["qkv"], seen.config, token_names(seen.config)
    numbers = numbered("number", config.head_dim)
    normed = seen.tensors[f"blocks.{place.block}.norm1"]
    meanings = {"q": ("query", "query"), "k": ("key", "key"), "v": ("value", "key")}
    return [
        Matrix(
            "norm",
            normed,
            texts["norm1"],
            names,
            numbered("dimension", config.embed_dim),
            row_axis="token",
            column_axis="dimension",
        ),
        *(
            Matrix(
                name,
                of_head(choice, seen, place, name),
                texts[name],
                names,
                numbers,
                row_axis=axis,
                column_axis="number",
                colour=meaning,
            )
            for name, (meaning, axis) in meanings.items()
        ),
    ]
