"""Results for the page on position, computed once for all visitors."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import torch

from explainer.caching import remember
from explainer.inputs.models import load, memory
from explainer.inputs.pictures import batches
from explainer.observation.compute import read_only
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from vit_core import CheckpointError, ViTConfig
from vit_core.data import normalize
from vit_core.interpret.position import position_similarity, shuffle_experiment, shuffle_patches
from vit_core.model import fixed_position

ROUNDING = 1e-5  # of the largest logit, at least of 1; float32 sums in two orders differ by less


@dataclass(frozen=True)
class Shuffled:
    """An image with its patches in another order, and the model's logits for both orders.

    Attributes:
        pixels: as ``Observation.pixels`` has them, shuffled.
        with_position, without: (2, C) logits, in order and shuffled, of the pass as it is and with
            its position switched off; ``without`` is None if the pass has no position.
        is_off: whether the model has a position, and the choice's edits switch it off.
    """

    pixels: np.ndarray
    with_position: np.ndarray
    without: np.ndarray | None
    is_off: bool = False

    @property
    def bare(self) -> np.ndarray:
        """Logits (2, C) without position: switched off, or of a model that has none."""
        return self.with_position if self.without is None else self.without


def change(logits: np.ndarray) -> float:
    """Return the largest change of a logit between the two rows of (2, C)."""
    return float(np.abs(logits[1] - logits[0]).max())


def stays(logits: np.ndarray) -> bool:
    """Return whether the two rows of (2, C) logits differ only by rounding."""
    return change(logits) <= ROUNDING * max(1.0, float(np.abs(logits).max()))


def order(count: int, seed: int) -> np.ndarray:
    """Return a shuffled order of patches, (count,); seed 0 gives the original order."""
    if not seed or count < 2:
        return np.arange(count)
    shuffled_order = np.random.default_rng(seed).permutation(count)
    # a few patches may be in the original order by chance
    is_original = (shuffled_order == np.arange(count)).all()
    return np.roll(shuffled_order, 1) if is_original else shuffled_order


def shuffled(choice: Choice, seen: Observation, seed: int) -> Shuffled:
    """Run the model on the image with its patches shuffled, with position and without."""

    def run() -> Shuffled:
        source = load.source_of(choice)
        config = seen.config
        permutation = torch.from_numpy(order(config.num_patches, seed))
        image = batches.batch_of(seen.pixels)
        with memory.forward_lock(config):
            result = shuffle_experiment(source.model, normalize(image, source.info), permutation)
        return Shuffled(
            batches.pixels_of(shuffle_patches(image, config.patch_hw, permutation)),
            torch.cat((result.in_order, result.shuffled)).numpy(),
            None
            if config.pos_embed == "none" or choice.edits.no_position
            else torch.cat((result.in_order_without, result.shuffled_without)).numpy(),
            choice.edits.no_position,
        )

    return remember(("shuffled", choice, seed), run)


def position_count(config: ViTConfig) -> int:
    """Return how many tokens have a position: the class token, if there is one, and the patches."""
    return config.num_patches + (config.pool == "cls")


def learned_grid(choice: Choice) -> tuple[int, int] | None:
    """Return the grid that the model's positions were learned for; None if it is its own."""
    return load.source_of(choice).learned_grid


def table(choice: Choice, seen: Observation, kind: str) -> np.ndarray | None:
    """Return the position matrix (positions, D) of a kind; None if there is none.

    Edits of the choice change nothing of it.

    It is the model's own matrix for its own kind, and the result of the formula for another kind.
    Learned positions have no formula; the default model's are returned if they have that shape.
    """
    config = seen.config
    if kind == config.pos_embed:
        if choice.edits.no_position:  # the trace has the zeros that were added in its place
            return own_table(choice)
        return None if kind == "none" else seen.tensors["pos_embed"]
    if kind == "learned":
        return remember(("learned position", config), lambda: learned_elsewhere(config))
    return remember(("position", kind, config), lambda: by_formula(config, kind))


def own_table(choice: Choice) -> np.ndarray:
    """Return the positions of a model that has some, whatever a pass adds in their place."""
    held = load.source_of(choice).model.pos_embed
    assert held is not None, "edits without position fit only models that have one"
    return read_only(held.detach()[0].numpy())


def by_formula(config: ViTConfig, kind: str) -> np.ndarray | None:
    try:
        other = replace(config, pos_embed=kind)
    except ValueError:  # two dimensions need a width divisible by 4
        return None
    position = fixed_position(other, position_count(config))
    return None if position is None else position[0].numpy()


def learned_elsewhere(config: ViTConfig) -> np.ndarray | None:
    try:
        model = load.load_source("default").model
    except (CheckpointError, OSError):
        return None
    fits = model.config.pos_embed == "learned" and model.config.grid_size == config.grid_size
    shape = (position_count(config), config.embed_dim)
    if not fits or model.pos_embed.shape[1:] != shape:
        return None
    return model.pos_embed.detach()[0].numpy()


def table_key(choice: Choice, kind: str) -> tuple[Hashable, ...]:
    """Return what the table of a kind depends on, whichever image is looked at."""
    if kind != choice.config.pos_embed:
        return choice.config, kind
    return choice.model_key, kind


def similarity(choice: Choice, seen: Observation, kind: str) -> np.ndarray | None:
    """Return the cosine of every pair of positions of a kind, (positions, positions)."""
    matrix = table(choice, seen, kind)
    if matrix is None:
        return None
    return remember(
        ("similarity", *table_key(choice, kind)),
        lambda: position_similarity(torch.from_numpy(matrix.copy())).numpy(),
    )


def twins(choice: Choice, seen: Observation) -> tuple[int, int] | None:
    """Return the first two patches with the same pixels, in reading order; None if all differ."""

    def find() -> tuple[int, int] | None:
        first: dict[bytes, int] = {}
        for patch, values in enumerate(seen.tensors["patches"]):
            other = first.setdefault(values.tobytes(), patch)
            if other != patch:
                return other, patch
        return None

    return remember(("twins", choice), find)
