"""The logit lens and the attribution of the logits, for the image of a page."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explainer.caching import remember
from explainer.inputs.models.load import source_of
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
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
    def predictions(self) -> list[int]:
        """The most probable class at each stage."""
        return self.probabilities.argmax(axis=1).tolist()

    @property
    def settled(self) -> int:
        """The first stage after which the most probable class no longer changes."""
        predictions = self.predictions
        return next(
            stage
            for stage in range(len(predictions))
            if set(predictions[stage:]) == {predictions[-1]}
        )


@dataclass(frozen=True)
class Attribution:
    """The logits of one image as a sum of what each part of the model adds.

    Attributes:
        keys: trace key of each part that writes into the residual stream.
        logits: (writers, C).
        pooled: (writers, D), what each adds to the row that the head reads.
        constant: (C,), what biases add for every image.
        difference: the largest difference between a sum and the model's logit, due to rounding.
    """

    keys: tuple[str, ...]
    logits: np.ndarray
    pooled: np.ndarray
    constant: np.ndarray
    difference: float


def lens(choice: Choice, seen: Observation) -> Lens:
    """Return the logit lens, computed once for all visitors."""
    return remember(("lens", choice), lambda: compute_lens(choice, seen))


def compute_lens(choice: Choice, seen: Observation) -> Lens:
    logits = logit_lens(source_of(choice).model, batch(seen, stream_keys(seen.config)))[0]
    return Lens(logits.numpy(), logits.softmax(dim=-1).numpy())


def attribution(choice: Choice, seen: Observation) -> Attribution:
    """Return the attribution of the logits, computed once for all visitors."""
    return remember(("attribution", choice), lambda: compute_attribution(choice, seen))


def compute_attribution(choice: Choice, seen: Observation) -> Attribution:
    keys = {*writer_keys(seen.config), stream_keys(seen.config)[-1]}
    result = logit_attribution(source_of(choice).model, batch(seen, keys))
    logits, constant = result.logits[0].numpy(), result.constant.numpy()
    difference = float(np.abs(logits.sum(axis=0) + constant - seen.logits).max())
    return Attribution(result.writers, logits, result.pooled[0].numpy(), constant, difference)


def batch(seen: Observation, keys: Iterable[str]) -> dict[str, Tensor]:
    """Return tensors of the trace as a batch of one image."""
    # copied, because PyTorch has no read-only tensors
    return {key: torch.from_numpy(seen.tensors[key].copy())[None] for key in keys}
