"""What the page on position derives from the model that ran, once for all visitors."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from explainer.caching import remember
from explainer.inputs.models import load, memory
from explainer.inputs.pictures import batches
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from vit_core import CheckpointError, ViTConfig
from vit_core.data import normalize
from vit_core.interpret.position import position_similarity, shuffle_experiment, shuffle_patches
from vit_core.model import fixed_position

ROUNDING = 1e-5  # of the largest logit, or of 1: more than float32 leaves between two orders


@dataclass(frozen=True)
class Shuffled:
    """An image with its patches in another order, and what the model says of both.

    Attributes:
        pixels: as ``Observation.pixels`` has them, shuffled.
        with_position, without: (2, C) logits, in order and shuffled, of the model as it is and with
            its position switched off; ``without`` is None where there is no position to switch off.
    """

    pixels: np.ndarray
    with_position: np.ndarray
    without: np.ndarray | None

    @property
    def bare(self) -> np.ndarray:
        """Logits (2, C) without position, whether it was switched off or never there."""
        return self.with_position if self.without is None else self.without


def change(logits: np.ndarray) -> float:
    """Return the largest change of a logit between the two rows of (2, C)."""
    return float(np.abs(logits[1] - logits[0]).max())


def stays(logits: np.ndarray) -> bool:
    """Whether the two rows of (2, C) logits differ by rounding alone."""
    return change(logits) <= ROUNDING * max(1.0, float(np.abs(logits).max()))


def order(count: int, seed: int) -> np.ndarray:
    """Return the patch that comes to each place, (count,); seed 0 leaves all in their places."""
    if not seed or count < 2:
        return np.arange(count)
    found = np.random.default_rng(seed).permutation(count)
    # few patches are soon in order by chance
    return np.roll(found, 1) if (found == np.arange(count)).all() else found


def shuffled(choice: Choice, seen: Observation, seed: int) -> Shuffled:
    """Run the model on the image with its patches shuffled, with position and without."""

    def run() -> Shuffled:
        source = load.source_of(choice)
        config = seen.config
        permutation = torch.from_numpy(order(config.num_patches, seed))
        image = batches.batch_of(seen.pixels)
        with memory.forward_lock(config):
            found = shuffle_experiment(source.model, normalize(image, source.info), permutation)
        return Shuffled(
            batches.pixels_of(shuffle_patches(image, config.patch_hw, permutation)),
            torch.cat((found.in_order, found.shuffled)).numpy(),
            None
            if config.pos_embed == "none"
            else torch.cat((found.in_order_without, found.shuffled_without)).numpy(),
        )

    return remember(("shuffled", choice, seed), run)


def position_count(config: ViTConfig) -> int:
    """Return how many tokens have a position: the class token, if there is one, and the patches."""
    return config.num_patches + (config.pool == "cls")


def learned_grid(choice: Choice) -> tuple[int, int] | None:
    """Return the grid that the model's positions were learned for, where it has another."""
    return load.source_of(choice).learned_grid


def table(choice: Choice, seen: Observation, kind: str) -> np.ndarray | None:
    """Return the position matrix (positions, D) of one kind; None where there is none.

    The model's own for its own kind; for another, what the formula gives. A learned one has no
    formula: it is the default model's where that fits.
    """
    config = seen.config
    if kind == config.pos_embed:
        return None if kind == "none" else seen.tensors["pos_embed"]
    if kind == "learned":
        return remember(("learned position", config), lambda: learned_elsewhere(config))
    return remember(("position", kind, config), lambda: by_formula(config, kind))


def by_formula(config: ViTConfig, kind: str) -> np.ndarray | None:
    try:
        other = replace(config, pos_embed=kind)
    except ValueError:  # two dimensions need a width divisible by 4
        return None
    found = fixed_position(other, position_count(config))
    return None if found is None else found[0].numpy()


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


def similarity(choice: Choice, seen: Observation, kind: str) -> np.ndarray | None:
    """Return the cosine of any two positions of a kind, (positions, positions)."""
    found = table(choice, seen, kind)
    if found is None:
        return None
    return remember(
        ("similarity", choice if kind == choice.config.pos_embed else seen.config, kind),
        lambda: position_similarity(torch.from_numpy(found.copy())).numpy(),
    )


def twins(choice: Choice, seen: Observation) -> tuple[int, int] | None:
    """Return two patches with the same pixels, in reading order; None if no two are the same."""

    def find() -> tuple[int, int] | None:
        first: dict[bytes, int] = {}
        for patch, values in enumerate(seen.tensors["patches"]):
            other = first.setdefault(values.tobytes(), patch)
            if other != patch:
                return other, patch
        return None

    return remember(("twins", choice), find)
