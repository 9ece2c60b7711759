"""The sum of token and position."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explainer.content.equality import latex_sign, number_of
from explainer.content.token_names import token_names
from explainer.figures.matrix import Matrix
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.worked_line import bracketed
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.position.places import place_names, query_of, row_after, row_before
from explainer.views.position.wording import TEXTS, numbered
from vit_core import ViTConfig


def show_add(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["add"], seen.config
    query = query_of(choice, seen, place)
    chosen = place.cell_in(add_shapes(config))
    cell = chosen or Cell("embed", query, 0)
    show_rows(choice, seen, place, cell)
    label = texts["all_label"].format(count=config.num_tokens)
    with fold(place, "tokens", label, is_open=chosen is not None) as is_open:
        if is_open:
            show_all(choice, seen, place, cell)
            show_paper(choice, config)
    if config.num_registers:
        note(texts["registers"].format(count=config.num_registers))
    if config.pos_embed != "none":
        with more(place, "add"):
            download_csv(
                texts["download"],
                lambda: matrix_csv(
                    seen.tensors["pos_embed"],
                    place_names(config),
                    numbered(config.embed_dim),
                    "token",
                ),
                "position.csv",
                place.key("own-position-csv"),
            )


def show_all(choice: Choice, seen: Observation, place: Place, cell: Cell) -> None:
    config, query = seen.config, query_of(choice, seen, place)

    def choose(clicked: Cell) -> None:
        token = clicked.row if clicked.matrix == "embed" else row_after(config, clicked.row)
        session.change(cell=str(clicked), query=token)

    cell_matrices.show(
        place,
        "add",
        items=partial(added_matrices, seen),
        cell=cell,
        on_choose=choose,
        links={"token": query, "query": query},
        prefix=config.num_prefix_tokens,
        cache=choice,
    )


def show_rows(choice: Choice, seen: Observation, place: Place, cell: Cell) -> None:
    """The sum of one token alone: its row, its position, and what comes out."""
    config = seen.config
    row = cell.row if cell.matrix != "embed" else row_before(config, cell.row)
    if row is None:  # a register, which has no position
        return
    names = summed(config)

    def choose(clicked: Cell) -> None:
        name = names[clicked.row]
        at = row_after(config, row) if name == "embed" else row
        session.set_cell(Cell(name, at, clicked.column))

    cell_matrices.show(
        place,
        "add-one",
        items=partial(added_rows, seen, row),
        cell=Cell("added", names.index(cell.matrix), cell.column),
        on_choose=choose,
        prefix=config.num_prefix_tokens,
        cache=(choice, row),
    )
    if len(names) > 1:
        show_sum(seen, cell)


def summed(config: ViTConfig) -> tuple[str, ...]:
    """Return the trace keys of the summands, if there are two, and of the sum."""
    return ("embed",) if config.pos_embed == "none" else ("tokens", "pos_embed", "embed")


def added_rows(seen: Observation, row: int) -> list[Matrix]:
    texts, config = TEXTS["parts"]["add"], seen.config
    names = summed(config)
    rows = [
        seen.tensors[name][row_after(config, row) if name == "embed" else row] for name in names
    ]
    return [
        Matrix(
            "added",
            np.stack(rows),
            place_names(config)[row],
            [texts["row_names"][name] for name in names],
            numbered(config.embed_dim),
            column_axis="dimension",
        )
    ]


def show_paper(choice: Choice, config: ViTConfig) -> None:
    """Equation 1 of the paper, as it holds for this model."""
    texts, has_position = TEXTS["parts"]["add"], config.pos_embed != "none"
    end = "" if config.pool == "cls" else "_mean"
    text = texts[f"paper{end}"] if has_position else texts["paper_none"]
    st.markdown(text.format(patches=config.num_patches, width=config.embed_dim))
    st.latex(texts[f"formula{'' if has_position else '_none'}{end}"])
    if choice.edits.no_position:
        st.markdown(texts["paper_off"])
    note(texts["letters"])


def add_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells a link may name."""
    rows = {"embed": config.num_tokens}
    return {
        name: (rows.get(name, len(place_names(config))), config.embed_dim)
        for name in summed(config)
    }


def added_matrices(seen: Observation) -> list[Matrix]:
    texts, config = TEXTS["parts"]["add"], seen.config
    dimensions = numbered(config.embed_dim)
    # with registers, the rows before and after they join are not the same ones
    row_axis = "" if config.num_registers else "token"
    shared: dict[str, Any] = {
        "column_names": dimensions,
        "column_axis": "dimension",
        "row_axis": row_axis,
        # three side by side, as far as a cell can be pointed at
        "cell": "auto"
        if config.embed_dim <= 32 or config.pos_embed == "none"
        else max(3, 280 // config.embed_dim),
    }
    if config.pos_embed == "none":
        title = texts["embed_none"]
        return [Matrix("embed", seen.tensors["embed"], title, token_names(config), **shared)]
    names = place_names(config)
    rows = [seen.tensors[name] for name in ("tokens", "pos_embed", "embed")]
    # one scale for the summands and their sum
    limit = max(float(np.abs(values).max()) for values in rows) or None
    return [
        Matrix("tokens", rows[0], texts["tokens"], names, limit=limit, **shared),
        Matrix(
            "pos_embed",
            rows[1],
            texts["pos_embed"],
            names,
            limit=limit,
            note=texts["scale_note"],
            **shared,
        ),
        Matrix("embed", rows[2], texts["embed"], token_names(config), limit=limit, **shared),
    ]


def show_sum(seen: Observation, cell: Cell) -> None:
    """The chosen cell as token + position."""
    texts, config = TEXTS["parts"]["add"], seen.config
    row: int | None = cell.row
    if cell.matrix == "embed":
        row = row_before(config, cell.row)
    if row is None:
        return
    values = [seen.tensors[name][row, cell.column] for name in ("tokens", "pos_embed")]
    name = place_names(config)[row]
    total = seen.tensors["embed"][row_after(config, row), cell.column]
    token, position, result = (f"{value:.6f}" for value in (*values, total))
    sign = latex_sign(number_of(token) + number_of(position), result)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(texts["sum_of"].format(token=name, number=cell.column + 1), width="content")
        st.latex(texts["sum"] % (token, bracketed(position), sign, result), width="content")
