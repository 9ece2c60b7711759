"""The matrices of the page, and where each of their cells comes from."""

from collections.abc import Callable
from functools import partial

import numpy as np

from explainer.figures.matrix import Matrix
from explainer.observation.derivation import Derivation, Factor, dot, softmax, total
from explainer.observation.flaws import flaws
from explainer.observation.lens import attribution, lens
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import shown_classes
from explainer.observation.weights import weights
from explainer.shell import cell_matrices
from explainer.shell.cell_arithmetic import cell_name, show_arithmetic, show_derivation
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.classification_head.values import contributions, read_rows
from explainer.views.classification_head.wording import rival_of
from vit_core import ViTConfig


def shapes_of_old_links(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return the shapes of matrices that older links name, and that are drawn elsewhere now."""
    return {"row": (1, config.embed_dim)}


def chosen_cell(seen: Observation, place: Place, key: str) -> Cell | None:
    """Return the chosen cell, where it is drawn now; None if it is in no matrix of the part."""
    cell = place.cell_in(cell_shapes(seen) | shapes_of_old_links(seen.config))
    if cell is not None and cell.matrix == "row":  # which the head reads
        name = "normed" if seen.config.pool == "cls" else "pooled"
        cell = Cell(name, 0, cell.column)
    return cell if cell is not None and cell.matrix in MATRICES[key] else None


def show_matrices(
    key: str,
    make: Callable[[Choice, Observation], list[Matrix]],
    choice: Choice,
    seen: Observation,
    place: Place,
    start: Cell | None = None,
) -> None:
    """Show the matrices of a part, and where the number of the chosen cell comes from.

    Args:
        start: the cell that is outlined while none of them is chosen.
    """
    cell = chosen_cell(seen, place, key)
    cell_matrices.show(
        place,
        f"head-{key}",
        items=partial(make, choice, seen),
        cell=cell or start,
        cache=choice,
    )
    if cell is None:
        return
    item = next(item for item in make(choice, seen) if item.name == cell.matrix)
    where = cell_name(item, cell)
    if cell.matrix in ("written", "margin", "lens"):
        show_derivation(derived(choice, seen, cell), seen, place, where)
    else:
        show_arithmetic(choice, seen, place, *source_of(seen, cell), where)


def source_of(seen: Observation, cell: Cell) -> tuple[str, tuple[int, ...]]:
    """Return the trace key and the index of what a cell of the first two parts shows."""
    if cell.matrix in ("weights", "logits"):
        row = shown_classes(seen)[cell.row]
        return {
            "weights": ("head.weight", (row, cell.column)),
            "logits": ("logits", (row,)),
        }[cell.matrix]
    config = seen.config
    token = cell.row + read_rows(config).start
    return {
        "stream": (f"blocks.{config.depth - 1}.resid_post", (token, cell.column)),
        "normed": ("final_norm", (token, cell.column)),
        "pooled": ("pooled", (cell.column,)),
    }[cell.matrix]


def derived(choice: Choice, seen: Observation, cell: Cell) -> Derivation:
    """Derive a number that is computed from the trace beside the model: a split or the lens."""
    split, row = attribution(choice, seen), cell.row
    if cell.matrix == "lens":
        readings = lens(choice, seen)
        logits = Factor("logits", readings.logits[row].astype(np.float64))
        column = shown_classes(seen)[cell.column]
        return softmax(logits, column, float(readings.probabilities[row, column]), "class")
    if cell.matrix == "margin":
        table = contributions(split).astype(np.float64)[row]
        best, rival = table[seen.prediction], table[rival_of(seen)]
        return total([("for", float(best)), ("against", -float(rival))], float(best - rival))
    held, column = weights(choice), shown_classes(seen)[cell.column]
    head = Factor("head", held["head.weight"][column].astype(np.float64))
    shown = float(contributions(split)[row, column])
    if row < len(split.keys):
        part = Factor("part", split.pooled[row].astype(np.float64))
        return dot(part, head, shown, "dimension")
    beta = np.zeros(seen.config.embed_dim, np.float32)
    if flaws(choice).layer_norm:  # one that does not run adds nothing
        beta = held.get("norm.bias", beta)
    bias = float(held["head.bias"][column])
    return dot(Factor("beta", beta.astype(np.float64)), head, shown, "dimension", bias=bias)


MATRICES = {  # part → names of its matrices
    "pooled": ("stream", "normed", "pooled"),
    "logits": ("weights", "logits"),
    "parts": ("written", "margin"),
    "lens": ("lens",),
}


def cell_shapes(seen: Observation) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    config = seen.config
    width, writers = config.embed_dim, 2 * config.depth + 2
    classes = len(shown_classes(seen)) if config.num_classes else 0
    has_class = config.pool == "cls"
    rows = 1 if has_class else config.num_patches
    return {
        "stream": (rows, width),
        "normed": (rows, width),
        **({} if has_class else {"pooled": (1, width)}),
        "weights": (classes, width),
        "logits": (classes, 1),
        "written": (writers, classes),
        "margin": (writers, 1),
        "lens": (config.depth + 1, classes),
    }
