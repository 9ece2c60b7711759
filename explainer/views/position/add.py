"""The same patch, in another place: the sum of token and position."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explainer.components.matrices import Matrix
from explainer.content.equality import latex_sign, number_of
from explainer.content.token_names import token_names
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.notes import note
from explainer.shell.worked_line import bracketed
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.position.places import place_names, query_of, row_after, row_before
from explainer.views.position.wording import TEXTS, numbered
from vit_core import ViTConfig


def show_add(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["add"], seen.config
    has_position = config.pos_embed != "none"
    query = query_of(choice, seen, place)
    cell = place.cell_in(add_shapes(config)) or Cell("embed", query, 0)
    cell_matrices.show(
        place,
        "add",
        items=partial(added_matrices, seen),
        cell=cell,
        links={"token": query, "query": query},
        prefix=config.num_prefix_tokens,
        cache=choice,
    )
    if has_position:
        show_sum(seen, cell)
    if config.num_registers:
        note(texts["registers"])
    end = "" if config.pool == "cls" else "_mean"
    text = texts[f"paper{end}"] if has_position else texts["paper_none"]
    st.markdown(text.format(patches=config.num_patches, width=config.embed_dim))
    st.latex(texts[f"formula{'' if has_position else '_none'}{end}"])
    if has_position:
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


def add_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of the summands, if there are two, and of the sum."""
    shapes = {"embed": (config.num_tokens, config.embed_dim)}
    if config.pos_embed != "none":
        rows = len(place_names(config))
        shapes |= dict.fromkeys(("tokens", "pos_embed"), (rows, config.embed_dim))
    return shapes


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
    st.markdown(texts["sum_of"].format(token=name, number=cell.column + 1))
    total = seen.tensors["embed"][row_after(config, row), cell.column]
    token, position, result = (f"{value:.6f}" for value in (*values, total))
    sign = latex_sign(number_of(token) + number_of(position), result)
    st.latex(texts["sum"] % (token, bracketed(position), sign, result))
