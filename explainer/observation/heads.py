"""Results for the page on multi-head attention, computed once for all visitors."""

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
from vit_core.model import EncoderBlock, ViT
from vit_core.trace import output_with

CHEAP = 5e10  # multiplications, about two seconds; every untrained model needs fewer
SOFTMAX = 90  # multiplications that take as long as one attention weight; measured


def switched(choice: Choice, seen: Observation, off: tuple[Head, ...]) -> np.ndarray:
    """Return the output of the model with some heads switched off, beside the choice's edits.

    The output is probabilities (C,), or the image's features (D,) without a head.
    """

    def run() -> np.ndarray:
        model, images = prepared(choice, seen)
        with memory.forward_lock(model.config):
            output = output_with(model, images, switch_heads_off(model.config, off))[0]
        return (output.softmax(dim=-1) if seen.has_head else output).numpy()

    return remember(("switched", choice, off), run) if off else seen.output


def effects(choice: Choice, seen: Observation) -> np.ndarray:
    """Return the outputs with one more head off at a time, (depth, heads, C or D)."""

    def run() -> np.ndarray:
        model, images = prepared(choice, seen)
        with memory.forward_lock(model.config):
            output = head_effects(model, images)[:, :, 0]
        return (output.softmax(dim=-1) if seen.has_head else output).numpy()

    return remember(("effects", choice), run)


def effects_are_cheap(choice: Choice) -> bool:
    """Return whether ``effects`` is quick enough to compute without asking, or known already."""
    config = choice.config
    runs = config.depth * config.num_heads
    patterns = config.depth * config.num_heads * config.num_tokens**2
    work = runs * (config.num_parameters * config.num_tokens + SOFTMAX * patterns)
    return work <= CHEAP or is_remembered(("effects", choice))


def prepared(choice: Choice, seen: Observation) -> tuple[ViT, Tensor]:
    """Return the model and the image as its input."""
    source = load.source_of(choice)
    return source.model, source.batch(seen.pixels)


def spread(choice: Choice, seen: Observation) -> tuple[np.ndarray, np.ndarray]:
    """Return entropy in bits and mean attention distance in patches, each (depth, heads)."""

    def measure() -> tuple[np.ndarray, np.ndarray]:
        measures = []
        for block in range(seen.config.depth):
            pattern = torch.tensor(seen.tensors[f"blocks.{block}.attn.pattern"])
            measures.append(
                (
                    head_entropy(pattern).numpy() / np.log(2),
                    mean_attention_distance(pattern, seen.config.grid_size).numpy(),
                )
            )
        entropies, distances = zip(*measures, strict=True)
        return np.stack(entropies), np.stack(distances)

    return remember(("spread", choice), measure)


def even_distance(grid: tuple[int, int]) -> float:
    """Return the mean attention distance, in patches, of a head with equal weights everywhere."""
    return float(patch_distances(grid).mean())


def contributions(choice: Choice, seen: Observation, block: int) -> np.ndarray:
    """Return what each head of a block adds to every token, (heads, N, D)."""

    def project() -> np.ndarray:
        layer = load.source_of(choice).model.blocks[block]
        assert isinstance(layer, EncoderBlock)
        z = torch.tensor(seen.tensors[f"blocks.{block}.attn.z"])[None]
        with torch.no_grad():
            return head_contributions(layer, z)[0].numpy()

    return remember(("contributions", choice, block), project)
