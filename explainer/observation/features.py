"""What a model without a head offers for an image, computed once for all visitors."""

from dataclasses import dataclass

import numpy as np
import torch

from explainer.caching import remember
from explainer.content import load_texts
from explainer.inputs.models import load, memory
from explainer.inputs.pictures.galleries import CIFAR, PHOTOGRAPHS, Sample, samples
from explainer.observation.observe import Observation
from explainer.observation.similarity import cosine
from explainer.state.choice import Choice
from vit_core.interpret.features import COMPONENTS, principal_map
from vit_core.interpret.lens import stream_keys

LAST = "final_norm"  # the tokens that a reader of the features gets


@dataclass(frozen=True)
class Principal:
    """The first three principal components of the patches of one image.

    Attributes:
        scores: (P, 3).
        shares: (3,), of the patches' variance.
    """

    scores: np.ndarray
    shares: np.ndarray


def principal(seen: Observation, key: str = LAST) -> Principal:
    """Return the components of the patches' rows in the tensor ``key``, (N, D).

    Where there are fewer than three, the rest are zeros.
    """
    rows = torch.from_numpy(seen.tensors[key][seen.config.num_prefix_tokens :].copy())
    count = min(COMPONENTS, *rows.shape)
    found = principal_map(rows, count)
    missing = COMPONENTS - count
    return Principal(
        np.pad(found.scores.numpy(), ((0, 0), (0, missing))),
        np.pad(found.shares.numpy(), (0, missing)),
    )


@dataclass(frozen=True)
class Neighbour:
    """A shipped picture, as a model was given it, and how alike it is to the one looked at.

    Attributes:
        name: for people.
        pixels: as ``Observation.pixels`` has them.
        cosine: of the angle between both pictures' features.
    """

    name: str
    pixels: np.ndarray
    cosine: float


def neighbours(choice: Choice, seen: Observation) -> list[Neighbour]:
    """Return all shipped pictures but the one that is looked at, the most alike first."""
    known, names = known_features(choice), load_texts("picker")["samples"]
    cosines = cosine(known.features, seen.tensors["pooled"])
    found = [
        Neighbour(names[sample.gallery][sample.name], pixels, float(alike))
        for sample, pixels, alike in zip(known.samples, known.pixels, cosines, strict=True)
        if not is_shown(sample, choice)
    ]
    return sorted(found, key=lambda one: -one.cosine)


def is_shown(sample: Sample, choice: Choice) -> bool:
    shown = samples(choice.gallery)
    return not choice.photo and bool(shown) and shown[choice.sample] == sample


@dataclass(frozen=True)
class Known:
    """The shipped pictures and a model's features of them.

    Attributes:
        samples: what they are.
        pixels: of each, as the model was given it.
        features: (pictures, D).
    """

    samples: tuple[Sample, ...]
    pixels: tuple[np.ndarray, ...]
    features: np.ndarray


def known_features(choice: Choice) -> Known:
    """Run the model over all shipped pictures, once for all visitors."""

    def run() -> Known:
        source = load.source_of(choice)
        found = samples(PHOTOGRAPHS) + samples(CIFAR)
        pixels = tuple(source.prepare(sample.open()) for sample in found)
        with memory.forward_lock(source.model.config), torch.no_grad():
            features = [source.model(source.batch(one))[0] for one in pixels]
        return Known(found, pixels, torch.stack(features).numpy())

    return remember(("known features", choice.source, choice.config, choice.seed), run)


def stages(seen: Observation) -> tuple[str, ...]:
    """Return where the patches can be looked at: before the first block, after each, at the end.

    Without a final LayerNorm the end is what the last block gave.
    """
    return (*stream_keys(seen.config), *([LAST] if seen.config.final_norm else []))
