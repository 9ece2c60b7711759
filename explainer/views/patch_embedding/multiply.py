"""One patch through the matrix, and the cell that is taken apart."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from explainer.caching import remember
from explainer.components.matrices import Matrix
from explainer.content.token_names import patch_names
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices
from explainer.shell.cell_arithmetic import show_arithmetic
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.wording import TEXTS, numbered, patch_of, pixel_names
from explainer.views.patch_embedding.worked_sum import draw_sum, show_worked, sum_csv
from vit_core import ViTConfig

NARROW = 49  # columns of W


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    return {
        "patch": (1, config.patch_dim),
        "weight": (config.embed_dim, config.patch_dim),
        "embedding": (config.embed_dim, 1),
        "embeddings": (config.num_patches, config.embed_dim),
    }


def choose_cell(choice: Choice, cell: Cell) -> None:
    """Keep a cell, and with it the row of W, and the patch, that it belongs to."""
    changed: dict[str, object] = {"cell": str(cell)}
    if cell.matrix == "embeddings":
        prefix = choice.config.num_prefix_tokens
        changed |= {"unit": cell.column, "query": prefix + cell.row}
    elif cell.matrix != "patch":
        changed["unit"] = cell.row
    session.change(**changed)


def chosen_cell(choice: Choice, seen: Observation, place: Place, *names: str) -> Cell | None:
    """Return the link's cell, if it is in one of the matrices and still what is taken apart."""
    unit, patch = measures.unit_of(choice, place), patch_of(choice, seen, place)
    shapes = cell_shapes(seen.config)
    cell = place.cell_in({name: shapes[name] for name in names})
    if names == ("patch",):
        return cell
    if names == ("embeddings",):
        return Cell("embeddings", patch, unit)
    return cell if cell and cell.row == unit else Cell("embedding", unit, 0)


def show_multiply(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["multiply"], seen.config
    patch, unit = patch_of(choice, seen, place), measures.unit_of(choice, place)
    show_matrices("pixels-of-one", pixels_of_one, choice, seen, place, "patch")
    # beside each other where W is narrow
    narrow = config.patch_dim <= NARROW
    weights, apart = st.columns((2, 3), gap="large") if narrow else (st.container(),) * 2
    with weights:
        show_matrices("one", one_patch, choice, seen, place, "weight", "embedding")
    with apart:
        values = {"number": unit + 1, "patch": patch_names(config)[patch]}
        st.markdown(f"**{texts['apart'].format(**values)}**")
        st.html(remember(("product", choice, patch, unit), partial(draw_sum, choice, seen, place)))
        if place.cell_in(cell_shapes(config)):
            where = texts["cell"].format(**values)
            show_arithmetic(choice, seen, place, "patch_embed", (patch, unit), where)
        else:
            show_worked(choice, seen, place)
    st.markdown(texts["all_text"])
    show_matrices("every", every_patch, choice, seen, place, "embeddings")
    with st.container(horizontal=True):
        download_csv(
            texts["download"],
            partial(sum_csv, measures.sum_of(choice, seen, patch, unit), config),
            f"patch{patch + 1}-number{unit + 1}.csv",
            place.key("sum-csv"),
        )
        download_csv(
            texts["download_all"],
            partial(
                matrix_csv,
                seen.tensors["patch_embed"],
                patch_names(config),
                numbered(texts["dimension"], config.embed_dim),
                "patch",
            ),
            "embeddings.csv",
            place.key("embeddings-csv"),
        )


def show_matrices(
    key: str,
    make: Callable[[Choice, Observation, Place], list[Matrix]],
    choice: Choice,
    seen: Observation,
    place: Place,
    *names: str,
) -> None:
    patch, unit = patch_of(choice, seen, place), measures.unit_of(choice, place)
    cell_matrices.show(
        place,
        key,
        items=partial(make, choice, seen, place),
        cell=chosen_cell(choice, seen, place, *names),
        on_choose=partial(choose_cell, choice),
        links={"patch": patch, "dimension": unit},
        prefix=0,
        # the whole list is the same whichever patch is chosen
        cache=choice if key == "every" else (choice, patch),
    )


def pixels_of_one(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    patch = patch_of(choice, seen, place)
    name = patch_names(seen.config)[patch]
    return [
        Matrix(
            "patch",
            seen.tensors["patches"][patch][None],
            TEXTS["parts"]["multiply"]["x"].format(patch=name),
            [name],
            pixel_names(seen.config),
            column_axis="pixel",
            colour="patch",
        )
    ]


def one_patch(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, config, patch = TEXTS["parts"]["multiply"], seen.config, patch_of(choice, seen, place)
    pixels, dimensions = pixel_names(config), numbered(texts["dimension"], config.embed_dim)
    return [
        Matrix(
            "weight",
            measures.weight_of(choice),
            texts["w"],
            dimensions,
            pixels,
            row_axis="dimension",
            column_axis="pixel",
        ),
        Matrix(
            "embedding",
            seen.tensors["patch_embed"][patch][:, None],
            texts["e"],
            dimensions,
            [""],
            row_axis="dimension",
        ),
    ]


def every_patch(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, config = TEXTS["parts"]["multiply"], seen.config
    return [
        Matrix(
            "embeddings",
            seen.tensors["patch_embed"],
            texts["all"],
            patch_names(config),
            numbered(texts["dimension"], config.embed_dim),
            row_axis="patch",
            column_axis="dimension",
        )
    ]
