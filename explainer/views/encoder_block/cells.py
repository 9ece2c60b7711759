"""The matrices of one block, and where each of their cells comes from."""

from explainer.figures.matrix import Matrix
from explainer.observation.observe import Observation
from explainer.shell.cell_arithmetic import cell_name, show_arithmetic
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from vit_core import ViTConfig

STREAM = ("resid_pre", "attn_out", "resid_mid", "mlp_out", "resid_post")
COPIES = ("norm1", "norm2")
HIDDEN = ("mlp.pre", "mlp.post")


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    return {
        "stream": (len(STREAM), config.embed_dim),
        "normed": (len(COPIES), config.embed_dim),
        "learned": (2, config.embed_dim),
        "hidden": (2, config.mlp_dim),
        "lengths": (3, config.depth),
    }


def chosen_cell(place: Place, *names: str) -> Cell | None:
    """Return the chosen cell, None while it is in none of the named matrices."""
    shapes = cell_shapes(place.config)
    return place.cell_in({name: shapes[name] for name in names})


def drawn_for(choice: Choice, seen: Observation, place: Place) -> tuple:
    """Return what the pictures of a token depend on."""
    return choice, place.block, place.token(seen.telling_patch)


def explain(choice: Choice, seen: Observation, place: Place, items: list[Matrix]) -> None:
    """Show where the chosen cell's number comes from, if it is in one of these matrices."""
    cell = chosen_cell(place, *(item.name for item in items))
    if cell is None:
        return
    item = next(item for item in items if item.name == cell.matrix)
    rows = {"stream": STREAM, "normed": COPIES, "hidden": HIDDEN, "learned": ("norm1",) * 2}
    name = rows[cell.matrix][cell.row]
    key = f"blocks.{place.block}.{name}"
    if name == "resid_pre":  # the same rows, as what comes before made them
        block = place.block - 1
        key = f"blocks.{block}.resid_post" if block >= 0 else "embed"
    if cell.matrix == "learned":
        key = f"{key}.weight"
    where = cell_name(item, cell)
    show_arithmetic(choice, seen, place, key, (place.token(seen.telling_patch), cell.column), where)
