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

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.colours import component_colours
from explainer.components.component_state import state_of
from explainer.components.packing import pack
from explainer.components.selection import send_choice
from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.figures import drawn
from explainer.figures.matrix import Matrix
from explainer.state.place import Cell

_mount = st.components.v2.component(
    "vit_explainer.matrices",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "matrices/matrices"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/numbers", "shared/marks",
        "shared/scale", "shared/view", "matrices/matrices",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Packed:
    """What the browser gets, what its answer must fit, and what all of it is called."""

    content: bytes
    shapes: Mapping[str, tuple[int, int]]
    title: str


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
        "one_scale": load_texts("halves")["one_scale"],
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
    title = ", ".join(item.title for item in items)
    return Packed(pack(header, arrays | centres), shapes, title)


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

    def made() -> Sequence[Matrix]:
        return items() if callable(items) else items

    def make() -> Packed:
        return pack_matrices(key, made(), prefix, group, is_strip)

    packed = make() if cache is None else remember(("matrices", key, cache), make)
    fits = cell is not None and cell_of(cell._asdict(), packed.shapes) is not None
    drawn.note(
        drawn.base_name(key),
        packed.title,
        made,
        numbers=made,
        cell=cell if fits else None,
        links=dict(links or {}),
        prefix=prefix,
        is_strip=is_strip,
    )
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
    chosen = cell_of(state_of(key).get("choice"), shapes)
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
