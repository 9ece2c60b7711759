"""The matrices of the page, and where each of their cells comes from."""

from collections.abc import Callable
from functools import partial

import numpy as np

from explainer.figures.matrix import Matrix
from explainer.observation.derivation import mean
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices
from explainer.shell.cell_arithmetic import cell_name, show_arithmetic, show_derivation
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.class_token.values import journey
from explainer.views.class_token.wording import OTHERS, has_class
from vit_core import ViTConfig


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    width = config.embed_dim
    return {
        "patches": (config.num_patches, width),
        "tokens": (config.num_tokens - config.num_registers, width),
        "journey": (config.depth + 1, width),
        **(
            {"start": (1 + OTHERS, width)}
            if has_class(config)
            else {"final": (config.num_patches, width), "pooled": (1, width)}
        ),
    }


def show_matrices(
    key: str,
    make: Callable[[Choice, Observation], list[Matrix]],
    start: Cell,
    choice: Choice,
    seen: Observation,
    place: Place,
    *names: str,
    has_hint: bool = True,
) -> None:
    """Show matrices whose chosen cell is the link's, or ``start`` while it is in none of them.

    Args:
        has_hint: whether to say that cells can be clicked, where none is chosen.
    """
    shapes = {name: shape for name, shape in cell_shapes(seen.config).items() if name in names}
    token = place.token(seen.telling_patch)
    cell_matrices.show(
        place,
        f"class-{key}",
        items=partial(make, choice, seen),
        cell=place.cell_in(shapes) or start,
        links={"token": token},
        prefix=seen.config.num_prefix_tokens - seen.config.num_registers,
        cache=choice,
    )
    if not has_hint and place.cell_in(shapes) is None:
        return
    if chosen := cell_matrices.chosen(place, shapes, partial(make, choice, seen)):
        explain(choice, seen, place, chosen[1], cell_name(*chosen))


def explain(choice: Choice, seen: Observation, place: Place, cell: Cell, where: str) -> None:
    """Show where the number of a chosen cell comes from."""
    config, (name, row, column) = seen.config, cell
    if name == "tokens":
        name, row = "patches", row - has_class(config)
    if name == "journey" and not has_class(config):
        key = "embed" if row == 0 else f"blocks.{row - 1}.resid_post"
        values = seen.tensors[key][config.num_prefix_tokens :, column].astype(np.float64)
        show_derivation(mean(values, float(journey(seen)[row, column])), seen, place, where)
        return
    key, index = {
        # the class token itself is learned, which has no derivation
        "patches": ("patch_embed", (row, column)) if row >= 0 else ("tokens", (0, column)),
        "start": ("tokens", (0, column)),
        "journey": ("embed" if row == 0 else f"blocks.{row - 1}.resid_post", (0, column)),
        "final": ("final_norm", (row + config.num_prefix_tokens, column)),
        "pooled": ("pooled", (column,)),
    }[name]
    show_arithmetic(choice, seen, place, key, index, where)
