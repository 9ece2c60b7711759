"""One patch through the matrix, and the number that is taken apart."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from explainer.caching import remember
from explainer.components.token_picker import token_picker
from explainer.content.token_names import patch_names
from explainer.figures.matrix import Matrix
from explainer.observation.limits import common_limits, key_of
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices
from explainer.shell.cell_arithmetic import show_arithmetic
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.convolution import show_convolution
from explainer.views.patch_embedding.over_image import choose_patch
from explainer.views.patch_embedding.wording import (
    TEXTS,
    facts,
    numbered,
    patch_of,
    pixel_names,
)
from explainer.views.patch_embedding.worked_sum import (
    draw_sum,
    show_worked,
    sum_csv,
    tile_limits,
    worked_note,
)
from vit_core import ViTConfig

WIDEST = 256  # weights of a filter
PRODUCT_WIDTH = 472  # pixels, of three pictures


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    return {
        "numbers": (1, config.embed_dim),
        "patch": (1, config.patch_dim),
        "weight": (config.embed_dim, config.patch_dim),
        "embedding": (config.embed_dim, 1),
        "embeddings": (config.num_patches, config.embed_dim),
    }


def choose_cell(choice: Choice, unit: int, clicked: Cell) -> None:
    """Keep a cell, and with it the filter, and the patch, that it belongs to.

    Args:
        unit: the chosen filter, which a single row is of.
    """
    cell = clicked
    if cell.matrix == "numbers":
        cell = Cell("embedding", cell.column, 0)
    elif cell.matrix == "weight" and is_wide(choice.config):
        cell = Cell("weight", unit, cell.column)
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
    if names == ("numbers",):
        return Cell("numbers", 0, unit)
    if names == ("weight",):  # the chosen filter alone
        return Cell("weight", 0, cell.column) if cell and cell.row == unit else None
    return cell if cell and cell.row == unit else Cell("embedding", unit, 0)


def show_multiply(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["multiply"], seen.config
    patch, unit = patch_of(choice, seen, place), measures.unit_of(choice, place)
    values = {"number": unit + 1, "patch": patch_names(config)[patch]}
    is_chosen = place.cell_in(cell_shapes(config)) is not None
    picture, apart = st.columns((1, 4), gap="medium")
    with picture:
        token_picker(
            key=place.key("embedded"),
            group=place.prefix,
            image=seen.pixels,
            grid=config.grid_size,
            prefix_names=[],
            query=patch,
            on_choose=partial(choose_patch, choice),
            colour="patch",
            cache=choice,
        )
    with apart:
        with st.container(horizontal=True, vertical_alignment="center"):
            limits = common_limits("product", choice, seen, place, tile_limits)
            drawn = remember(
                ("product", choice, patch, unit, key_of(limits)),
                partial(draw_sum, choice, seen, place, limits),
            )
            show_html(drawn, "product", width=PRODUCT_WIDTH)
            if not is_chosen:
                show_worked(choice, seen, place)
        if is_chosen:
            where = texts["cell"].format(**values)
            show_arithmetic(choice, seen, place, "patch_embed", (patch, unit), where)
        else:
            note(worked_note(choice, seen, place))
    note_scale(place)
    show_matrices("numbers", numbers_of_one, choice, seen, place, "numbers")
    note(texts["row_hint"])
    with fold(place, "numbers", texts["all_label"], is_open=is_chosen) as is_open:
        if is_open:
            show_all(choice, seen, place)
    with fold(place, "convolution", TEXTS["convolution"]["label"]) as is_open:
        if is_open:
            show_convolution(choice, seen, place)
    with more(place, "multiply"):
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


def show_all(choice: Choice, seen: Observation, place: Place) -> None:
    """Every number of the layer: the patch, the filters, and the embeddings of all patches."""
    texts = TEXTS["parts"]["multiply"]
    show_matrices("patch-values", pixels_of_one, choice, seen, place, "patch")
    if is_wide(seen.config):
        show_matrices("one", one_filter, choice, seen, place, "weight")
    else:
        show_matrices("one", one_patch, choice, seen, place, "weight", "embedding")
    st.markdown(texts["paper"].format(**facts(choice, seen, place)))
    st.markdown(texts["all_text"])
    show_matrices("every", every_patch, choice, seen, place, "embeddings")


def is_wide(config: ViTConfig) -> bool:
    """Whether a filter is too long for all of them to be drawn, a row for each."""
    return config.patch_dim > WIDEST


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
        on_choose=partial(choose_cell, choice, unit),
        links={"patch": patch, "dimension": unit},
        prefix=0,
        # the whole list is the same whichever patch is chosen
        cache=choice if key == "every" else (choice, patch, unit if is_wide(seen.config) else 0),
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


def one_filter(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, config, unit = TEXTS["parts"]["multiply"], seen.config, measures.unit_of(choice, place)
    return [
        Matrix(
            "weight",
            measures.weight_of(choice)[unit][None],
            texts["w_one"].format(number=unit + 1),
            [texts["dimension"].format(number=unit + 1)],
            pixel_names(config),
            column_axis="pixel",
        )
    ]


def numbers_of_one(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, config, patch = TEXTS["parts"]["multiply"], seen.config, patch_of(choice, seen, place)
    name = patch_names(config)[patch]
    return [
        Matrix(
            "numbers",
            seen.tensors["patch_embed"][patch][None],
            texts["row"].format(patch=name),
            [name],
            numbered(texts["dimension"], config.embed_dim),
            column_axis="dimension",
        )
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
