"""What the head would say early, and who wrote its logits, for the image of a page."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explainer.caching import remember
from explainer.inputs.models.load import source_of
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from vit_core import ViT
from vit_core.interpret.lens import logit_attribution, logit_lens, stream_keys, writer_keys


@dataclass(frozen=True)
class Lens:
    """The logit lens on one image.

    Attributes:
        logits: (depth + 1, C); row 0 is before the first block, row i after block i.
        probabilities: (depth + 1, C), softmax of each row.
    """

    logits: np.ndarray
    probabilities: np.ndarray

    @property
    def said(self) -> list[int]:
        """The most probable class at each stage."""
        return self.probabilities.argmax(axis=1).tolist()

    @property
    def settled(self) -> int:
        """The first stage from which on the final answer stays."""
        said = self.said
        return next(at for at in range(len(said)) if set(said[at:]) == {said[-1]})


@dataclass(frozen=True)
class Written:
    """The logits of one image as a sum.

    Attributes:
        keys: trace key of each writer.
        logits: (writers, C).
        pooled: (writers, D), what each adds to the row that the head reads.
        constant: (C,), what biases add for every image.
        difference: the largest between a sum and the model's logit, which is rounding.
    """

    keys: tuple[str, ...]
    logits: np.ndarray
    pooled: np.ndarray
    constant: np.ndarray
    difference: float


def lens(choice: Choice, seen: Observation) -> Lens:
    return remember(("lens", choice), lambda: look(choice, seen))


def look(choice: Choice, seen: Observation) -> Lens:
    logits = logit_lens(model(choice), batch(seen, stream_keys(seen.config)))[0]
    return Lens(logits.numpy(), logits.softmax(dim=-1).numpy())


def written(choice: Choice, seen: Observation) -> Written:
    return remember(("written", choice), lambda: split(choice, seen))


def split(choice: Choice, seen: Observation) -> Written:
    keys = {*writer_keys(seen.config), stream_keys(seen.config)[-1]}
    found = logit_attribution(model(choice), batch(seen, keys))
    parts, constant = found.logits[0].numpy(), found.constant.numpy()
    difference = float(np.abs(parts.sum(axis=0) + constant - seen.logits).max())
    return Written(found.writers, parts, found.pooled[0].numpy(), constant, difference)


def model(choice: Choice) -> ViT:
    return source_of(choice).model


def batch(seen: Observation, keys: tuple[str, ...] | set[str]) -> dict[str, Tensor]:
    """Return tensors of the trace as a batch of one image."""
    # copied: PyTorch has no read-only tensors
    return {key: torch.from_numpy(seen.tensors[key].copy())[None] for key in keys}
