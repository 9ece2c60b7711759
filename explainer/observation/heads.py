"""What the page on multi-head attention derives from the model that ran, once for all visitors."""

import numpy as np
import torch
from torch import Tensor

from explainer.caching import is_remembered, remember
from explainer.inputs.models import load, memory
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from vit_core.interpret.heads import (
    Head,
    head_contributions,
    head_effects,
    head_entropy,
    mean_attention_distance,
    patch_distances,
    switch_heads_off,
)
from vit_core.model import ViT
from vit_core.trace import output_with

CHEAP = 5e10  # multiplications, about two seconds: every shape of the sliders is cheaper
SOFTMAX = 90  # multiplications that take as long as one attention weight, measured


def switched(choice: Choice, seen: Observation, off: tuple[Head, ...]) -> np.ndarray:
    """Return the output with heads switched off: a run of the model with edits.

    The output is the probabilities (C,), or the image's features (D,) where there is no head.
    """

    def run() -> np.ndarray:
        model, images = prepared(choice, seen)
        with memory.forward_lock(model.config):
            found = output_with(model, images, switch_heads_off(model.config, off))[0]
        return (found.softmax(dim=-1) if seen.has_head else found).numpy()

    return remember(("switched", choice, off), run) if off else seen.output


def effects(choice: Choice, seen: Observation) -> np.ndarray:
    """Return the output with each single head switched off, (depth, heads, C or D)."""

    def run() -> np.ndarray:
        model, images = prepared(choice, seen)
        with memory.forward_lock(model.config):
            found = head_effects(model, images)[:, :, 0]
        return (found.softmax(dim=-1) if seen.has_head else found).numpy()

    return remember(("effects", choice), run)


def effects_are_cheap(choice: Choice) -> bool:
    """Whether the effects of all heads take no time worth waiting for, or are known already."""
    config = choice.config
    runs = config.depth * config.num_heads
    patterns = config.depth * config.num_heads * config.num_tokens**2
    work = runs * (config.num_parameters * config.num_tokens + SOFTMAX * patterns)
    return work <= CHEAP or is_remembered(("effects", choice))


def prepared(choice: Choice, seen: Observation) -> tuple[ViT, Tensor]:
    source = load.source_of(choice)
    return source.model, source.batch(seen.pixels)


def spread(choice: Choice, seen: Observation) -> tuple[np.ndarray, np.ndarray]:
    """Return entropy in bits and mean attention distance in patches, each (depth, heads)."""

    def measure() -> tuple[np.ndarray, np.ndarray]:
        both = []
        for block in range(seen.config.depth):
            pattern = torch.tensor(seen.tensors[f"blocks.{block}.attn.pattern"])
            both.append(
                (
                    head_entropy(pattern).numpy() / np.log(2),
                    mean_attention_distance(pattern, seen.config.grid_size).numpy(),
                )
            )
        entropies, distances = zip(*both, strict=True)
        return np.stack(entropies), np.stack(distances)

    return remember(("spread", choice), measure)


def even_distance(grid: tuple[int, int]) -> float:
    """Return the mean attention distance of a head that looks everywhere evenly, in patches."""
    return float(patch_distances(grid).mean())


def contributions(choice: Choice, seen: Observation, block: int) -> np.ndarray:
    """Return what each head of a block writes for every token, (heads, N, D)."""

    def project() -> np.ndarray:
        model = load.source_of(choice).model
        z = torch.tensor(seen.tensors[f"blocks.{block}.attn.z"])[None]
        with torch.no_grad():
            return head_contributions(model.blocks[block], z)[0].numpy()

    return remember(("contributions", choice, block), project)
