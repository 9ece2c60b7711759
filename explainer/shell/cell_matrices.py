"""Matrices on a page whose cells can be chosen: their keys and marks, and the chosen cell."""

from collections.abc import Callable, Hashable, Mapping, Sequence

from explainer.components.matrices import matrices
from explainer.figures.matrix import Matrix
from explainer.shell.cell_arithmetic import show_hint
from explainer.state import session
from explainer.state.place import Cell, Place


def show(
    place: Place,
    key: str,
    *,
    items: Callable[[], Sequence[Matrix]],
    cell: Cell | None,
    cache: Hashable,
    on_choose: Callable[[Cell], None] = session.set_cell,
    links: Mapping[str, int] | None = None,
    prefix: int | None = None,
    is_strip: bool = False,
) -> None:
    """Show matrices side by side, apart from those of another place on the page.

    Args:
        key: of the component, without the place's prefix.
        items, cell, cache, on_choose, links, prefix, is_strip: as ``matrices`` takes them.
    """
    matrices(
        key=place.key(key),
        group=place.prefix,
        items=items,
        cell=cell,
        cache=cache,
        on_choose=on_choose,
        links=links,
        prefix=prefix,
        is_strip=is_strip,
    )


def chosen(
    place: Place,
    shapes: Mapping[str, tuple[int, int]],
    make_items: Callable[[], Sequence[Matrix]],
) -> tuple[Matrix, Cell] | None:
    """Return the chosen cell and its matrix; say that cells can be clicked where there is none.

    Args:
        shapes: name of each matrix → its rows and columns.
        make_items: makes the matrices, if one of their cells is chosen.
    """
    cell = place.cell_in(shapes)
    if cell is None:
        show_hint()
        return None
    return next(item for item in make_items() if item.name == cell.matrix), cell
