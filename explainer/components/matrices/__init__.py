"""Matrices to point at: colours, a value readout, marks that run through all matrices of a page.

Axes that share a name are linked: pointing at row i of one matrix marks i wherever that axis runs,
on rows and on columns, in every component of the page. The names with a meaning are

- ``"query"`` and ``"key"``: tokens that look and tokens that are looked at; marked apart, each in
  its colour. A matrix of scores has rows ``"query"`` and columns ``"key"``, and so have the rows
  of q and of k, v.
- ``"token"``: tokens where nobody looks at anybody. A marked query is marked here, too, and so is
  a marked key. Pointing here is pointing at the query.
- ``"patch"``: patch i is the token that stands i behind the tokens before the first patch, whose
  number the page's ``token_picker`` or ``prefix`` tells.

- ``"any"``: as ``"token"``, but pointing here is pointing at the query and at the key: the token is
  marked wherever it has a row.

Any other name (``"dimension"``, ``"unit"``, ``"class"``) links matrices as well; a matrix with the
same name on both axes has linked rows only, unless they are tokens: then rows are queries and
columns are keys. An empty name links nothing.

A strip is a row of matrices with one line of text above all of them. Its rows have one height, so
that a mark runs straight through; a sign such as "·" or "=" may stand before each.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.colours import MARKS, component_colours
from explainer.components.packing import pack
from explainer.components.selection import send_choice
from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.state.place import Cell

SCALES = ("diverging", "sequential")

_mount = st.components.v2.component(
    "vit_explainer.matrices",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "matrices/matrices"),
    js=assets.javascript(
        "shared/data", "shared/grid", "shared/numbers", "shared/marks", "shared/view",
        "matrices/matrices",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Matrix:
    """One matrix; a vector is a matrix of one row or of one column.

    Attributes:
        name: for links and ``Cell``: small letters and underscores.
        values: (rows, columns), finite; the browser gets them as float32.
        title: above it.
        row_names, column_names: what each row and each column is called in the readout; one may be
            empty in a vector.
        row_axis, column_axis: what runs along rows and columns, see the module.
        scale: "diverging" for signed numbers, symmetric around 0; "sequential" for amounts from 0.
        colour: meaning of the matrix, as ``components.colours.MARKS`` names it.
        limit: the size from which a cell has the full colour, the largest of all if None. What is
            larger is clipped, and a note says so.
        cell: width and height of a cell in pixels; "auto" finds a size that suits the numbers and
            the width of the page.
        note: below it.
        sign: what stands between it and the matrix before it; only in a strip.
        centre: what each number is compared with to find its colour, of shape (rows, 1) or
            (1, columns); 0 if None. The readout has the numbers themselves.
    """

    name: str
    values: np.ndarray
    title: str
    row_names: Sequence[str]
    column_names: Sequence[str]
    row_axis: str = ""
    column_axis: str = ""
    scale: Literal["diverging", "sequential"] = "diverging"
    colour: str | None = None
    limit: float | None = None
    cell: float | Literal["auto"] = "auto"
    note: str = ""
    sign: str = ""
    centre: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z_]+", self.name):
            raise ValueError(
                f"a matrix's name consists of small letters and underscores, not {self.name!r}"
            )
        shape = np.shape(self.values)
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"{self.name} must be of shape (rows, columns), not {shape}")
        if shape != (len(self.row_names), len(self.column_names)):
            raise ValueError(
                f"{self.name} of shape {shape} needs a name for each row and column, not "
                f"{len(self.row_names)} and {len(self.column_names)}"
            )
        if not np.isfinite(self.values).all():
            raise ValueError(f"{self.name} holds values that are not finite numbers")
        if self.scale not in SCALES:
            raise ValueError(f"{self.name}: scale must be one of {', '.join(SCALES)}")
        if self.scale == "sequential" and np.min(self.values) < 0:
            raise ValueError(f"{self.name} has negative values: its scale must be diverging")
        if self.colour is not None and self.colour not in MARKS:
            raise ValueError(f"{self.name}: colour must be one of {', '.join(MARKS)}")
        if self.limit is not None and not 0 < self.limit < np.inf:
            raise ValueError(f"{self.name}: limit must be a number above 0, not {self.limit}")
        if self.centre is not None and self.centre.shape not in ((shape[0], 1), (1, shape[1])):
            raise ValueError(
                f"{self.name} of shape {shape} needs a centre for each row or for each column, not "
                f"{self.centre.shape}"
            )
        if self.cell != "auto" and not 1 <= float(self.cell) <= 200:
            raise ValueError(f"{self.name}: cell must be 'auto' or 1 to 200 pixels")


@dataclass(frozen=True)
class Packed:
    """What the browser gets, and what its answer must fit."""

    content: bytes
    shapes: Mapping[str, tuple[int, int]]


def pack_matrices(
    channel: str,
    items: Sequence[Matrix],
    prefix: int | None = None,
    group: str = "",
    is_strip: bool = False,
) -> Packed:
    """Return the matrices as bytes; names that several axes share are sent once.

    Raises:
        ValueError: there is no matrix, or two have one name.
    """
    if not items or len({item.name for item in items}) != len(items):
        raise ValueError("matrices need at least one item, each with a name of its own")
    names: dict[tuple[str, ...], int] = {}
    header = {
        "channel": channel,
        "group": group,
        "prefix": prefix,
        "is_strip": is_strip,
        "texts": dict(load_texts("matrices")),
        "colours": component_colours(),
        "items": [
            {
                "name": item.name,
                "title": item.title,
                "rows": names.setdefault(tuple(item.row_names), len(names)),
                "columns": names.setdefault(tuple(item.column_names), len(names)),
                "row_axis": item.row_axis,
                "column_axis": item.column_axis,
                "scale": item.scale,
                "colour": item.colour,
                "limit": item.limit,
                "cell": item.cell,
                "note": item.note,
                "sign": item.sign,
                "centred": centred(item),
            }
            for item in items
        ],
        "names": list(names),
    }
    arrays = {item.name: np.asarray(item.values, dtype=np.float32) for item in items}
    centres = {
        f"{item.name}.centre": np.asarray(item.centre, dtype=np.float32)
        for item in items
        if item.centre is not None
    }
    shapes = {name: array.shape for name, array in arrays.items()}
    return Packed(pack(header, arrays | centres), shapes)


def centred(item: Matrix) -> str:
    """Return what has a centre of its own: "rows", "columns", or nothing."""
    if item.centre is None:
        return ""
    return "rows" if item.centre.shape == (len(item.row_names), 1) else "columns"


def matrices(
    *,
    key: str,
    items: Sequence[Matrix] | Callable[[], Sequence[Matrix]],
    cell: Cell | None = None,
    on_choose: Callable[[Cell], None],
    links: Mapping[str, int] | None = None,
    prefix: int | None = None,
    group: str = "",
    is_strip: bool = False,
    cache: Hashable | None = None,
) -> None:
    """Show matrices side by side, wrapped where the page is narrow.

    Args:
        key: of the component, and the channel on which it hears what is chosen.
        items: the matrices, or a function that makes them, called only when needed.
        cell: the chosen one; one that is in no item is not shown.
        on_choose: called before the rerun with the cell that was clicked.
        links: axis name → the index that is marked while nothing is pointed at.
        prefix: tokens before the first patch; needed only where one page has axes of tokens and of
            patches and no token_picker.
        group: what is pointed at is marked in all components of the same group.
        is_strip: they are one strip, see the module.
        cache: everything the items depend on, as ``explainer.caching.remember`` takes it; then they
            are packed once for all visitors. None packs them on every run.

    Raises:
        ValueError: there is no matrix, or two have one name.
    """

    def make() -> Packed:
        return pack_matrices(key, items() if callable(items) else items, prefix, group, is_strip)

    packed = make() if cache is None else remember(("matrices", key, cache), make)
    fits = cell is not None and cell_of(cell._asdict(), packed.shapes) is not None
    with st.container(gap=None):
        _mount(
            key=key,
            data=packed.content,
            on_choice_change=repaints(lambda: choose(key, packed.shapes, on_choose)),
        )
        send_choice(
            key,
            {"cell": list(cell) if cell is not None and fits else None, "links": dict(links or {})},
        )


def choose(
    key: str, shapes: Mapping[str, tuple[int, int]], on_choose: Callable[[Cell], None]
) -> None:
    chosen = cell_of(st.session_state[key].get("choice"), shapes)
    if chosen is not None:
        on_choose(chosen)


def cell_of(choice: Any, shapes: Mapping[str, tuple[int, int]]) -> Cell | None:
    """Return what a browser handed back, None if it is no cell of the matrices."""
    if not isinstance(choice, Mapping):
        return None
    name = choice.get("matrix")
    if not isinstance(name, str) or name not in shapes:
        return None
    place: tuple[Any, Any] = (choice.get("row"), choice.get("column"))
    if all(
        type(at) is int and 0 <= at < size for at, size in zip(place, shapes[name], strict=True)
    ):
        return Cell(name, *place)
    return None
