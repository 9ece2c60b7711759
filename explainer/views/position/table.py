"""Where the numbers come from: every kind of table, and the formula of one cell."""

import math
from functools import partial

import numpy as np
import streamlit as st

from explainer.content.equality import latex_sign, number_of
from explainer.content.numbers import latex_number
from explainer.figures.matrix import Matrix
from explainer.observation import positions
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices, code_panel, controls
from explainer.shell.code_panel import Snippet
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.position.curves import show_curves, shown_dimensions
from explainer.views.position.places import place_names, position_of
from explainer.views.position.wording import TEXTS, WAVES, areas, grids, numbered, written
from vit_core import ViTConfig
from vit_core.config import POSITIONS
from vit_core.interpret.position import wave
from vit_core.model import ViT, sincos_1d, sincos_2d

MADE_BY = {  # the code that makes a table of each kind
    "learned": Snippet("table", ViT.__init__, ("self.pos_embed = nn.Parameter",)),
    "sincos": Snippet("table", sincos_1d, ("frequencies =", "angles =", "encoding =")),
    "sincos2d": Snippet(
        "table", sincos_2d, ("frequencies =", "column_angles =", "row_angles =", "parts =")
    ),
}


def keep_kind(choice: Choice, kind: str) -> None:
    session.change(kind=None if kind == choice.config.pos_embed else kind)


def show_table(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["table"], seen.config
    kind, own_kind = place.kind, config.pos_embed
    kinds, curves = st.columns((2, 3), gap="large")
    with kinds:
        pick_kind(choice, place, own_kind)
    matrix = positions.table(choice, seen, kind)
    kinds.markdown(about(choice, seen, kind, has_table=matrix is not None))
    whole = st.container()
    if matrix is None:
        curves.container()
        return
    with curves:
        show_curves(choice, seen, place, matrix)
    is_chosen = place.cell_in({"table": matrix.shape}) is not None
    with whole:
        with fold(place, "table", texts["whole_label"], is_open=is_chosen) as is_open:
            if is_open:
                show_whole(choice, seen, place, matrix)
        with more(place, "table"):
            show_downloads(choice, seen, place, matrix)


def pick_kind(choice: Choice, place: Place, own_kind: str) -> None:
    texts = TEXTS["parts"]["table"]
    controls.pick(
        texts["pick"],
        POSITIONS,
        place.kind,
        partial(keep_kind, choice),
        key=place.key("position-kind"),
        format_func=lambda one: (
            texts["own_mark"].format(kind=TEXTS["kinds"][one])
            if one == own_kind
            else TEXTS["kinds"][one]
        ),
    )


def about(choice: Choice, seen: Observation, kind: str, *, has_table: bool) -> str:
    """Say what this kind of position is, and how the shown table belongs to the model."""
    texts, config = TEXTS["parts"]["table"], seen.config
    count = positions.position_count(config) * config.embed_dim
    sizes = {"count": f"{count:,}", "width": config.embed_dim}
    is_own = kind == config.pos_embed
    is_resampled = is_own and positions.learned_grid(choice) is not None
    sentences = [texts["learned_resampled" if is_resampled else kind]]
    if not has_table:
        sentences += [texts[f"{kind}_missing"]] if kind != "none" else []
    elif not is_own:
        sentences.append(texts["foreign_learned" if kind == "learned" else "foreign"])
    elif kind == "learned" and not choice.trained:
        sentences.append(texts["learned_untrained"])
    if is_own and choice.edits.no_position:
        sentences.append(texts["switched_off"])
    return " ".join(sentences).format(**sizes, **grids(choice, config))


def show_whole(choice: Choice, seen: Observation, place: Place, matrix: np.ndarray) -> None:
    """The table as a matrix, where one of its numbers comes from, and the code that makes it."""
    texts, config, kind = TEXTS["parts"]["table"], seen.config, place.kind
    position = position_of(choice, seen, place)
    cell = place.cell_in({"table": matrix.shape}) or Cell("table", position, 0)
    cell_matrices.show(
        place,
        "table",
        items=lambda: [
            Matrix(
                "table",
                matrix,
                texts["positions"].format(kind=TEXTS["kinds"][kind]),
                place_names(config),
                numbered(config.embed_dim),
                row_axis="" if config.num_registers else "token",
                column_axis="dimension",
            )
        ],
        cell=cell,
        links={"token": position} if not config.num_registers else {},
        prefix=config.num_prefix_tokens,
        cache=positions.table_key(choice, kind),
    )
    example, code = areas(2)
    with example:
        show_cell(choice, seen, kind, matrix, cell)
    with code:
        code_panel.show([MADE_BY[kind]], place)


def show_downloads(choice: Choice, seen: Observation, place: Place, matrix: np.ndarray) -> None:
    config, kind = seen.config, place.kind
    names = place_names(config)
    download_csv(
        TEXTS["parts"]["table"]["download"],
        lambda: matrix_csv(matrix, names, numbered(config.embed_dim), "place"),
        f"position-{kind}.csv",
        place.key("table-csv"),
    )
    shown = shown_dimensions(place, config, matrix)
    columns = [TEXTS["curves"]["name"].format(number=one + 1) for one in shown]
    download_csv(
        TEXTS["curves"]["download"],
        lambda: matrix_csv(matrix[:, shown], names, columns, "place"),
        f"position-{kind}-dimensions.csv",
        place.key("curves-csv"),
    )


def table_shapes(choice: Choice, seen: Observation, place: Place) -> dict[str, tuple[int, int]]:
    """Return rows and columns of the table, if there is one of the kind that is looked at."""
    matrix = positions.table(choice, seen, place.kind)
    return {} if matrix is None else {"table": matrix.shape}


def show_cell(choice: Choice, seen: Observation, kind: str, matrix: np.ndarray, cell: Cell) -> None:
    """Where the chosen cell's number comes from."""
    texts, config = TEXTS["parts"]["table"], seen.config
    place = place_names(config)[cell.row]
    value = float(matrix[cell.row, cell.column])
    if kind in WAVES:
        st.markdown(texts[f"{kind}_words"].format(quarter=config.embed_dim // 4))
        st.latex(texts[f"{kind}_formula"])
    if kind == "learned":
        st.markdown(
            texts[learned_cell(choice, config, cell)].format(
                place=place,
                number=cell.column + 1,
                value=written(value, 6),
                count=f"{matrix.size:,}",
                **grids(choice, config),
            )
        )
        return
    st.markdown(texts["cell_of"].format(place=place, number=cell.column + 1, index=cell.column))
    if kind == "sincos2d" and cell.row < int(config.pool == "cls"):
        st.markdown(texts["cell_zero"].format(place=place))
    else:
        st.latex(texts[f"{kind}_cell"] % worked(config, kind, cell, value))


def learned_cell(choice: Choice, config: ViTConfig, cell: Cell) -> str:
    """Return which text fits a cell of a table that follows no formula."""
    if config.pos_embed != "learned":  # the default model's table is looked at
        return "cell_learned"
    if not choice.trained:
        return "cell_noise"
    if positions.learned_grid(choice) is None:
        return "cell_learned"
    return "cell_kept" if cell.row < int(config.pool == "cls") else "cell_resampled"


def worked(config: ViTConfig, kind: str, cell: Cell, value: float) -> tuple[object, ...]:
    """Return what the worked formula of one cell needs: the wave at the cell's place, and signs."""
    one = wave(kind, config.embed_dim, cell.column)
    if kind == "sincos":
        place, power, base = cell.row, cell.column // 2 * 2, config.embed_dim
    else:
        row, column = divmod(cell.row - int(config.pool == "cls"), config.grid_size[1])
        quarter = config.embed_dim // 4
        place = row if one.along == "row" else column
        power, base = cell.column % quarter, max(quarter - 1, 1)
    frequency = f"{one.frequency:.6g}"
    if "e" in frequency:
        frequency = latex_number(one.frequency)
    name, shown = f"\\{one.function}", f"{value:.6f}"
    swing = getattr(math, one.function)
    first = latex_sign(10000 ** (-power / base), frequency)
    second = latex_sign(swing(place * number_of(frequency)), shown)
    return name, place, power, base, first, name, place, frequency, second, shown
