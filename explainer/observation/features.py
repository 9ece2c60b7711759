"""What can be shown of an image's features, computed once for all visitors."""

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

LAST = "final_norm"  # the tokens that a user of the features gets


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
    """Return the principal components of the patches' rows in the tensor ``key``, (N, D).

    If there are fewer than three, the others are zeros.
    """
    rows = torch.from_numpy(seen.tensors[key][seen.config.num_prefix_tokens :].copy())
    count = min(COMPONENTS, *rows.shape)
    result = principal_map(rows, count)
    missing = COMPONENTS - count
    return Principal(
        np.pad(result.scores.numpy(), ((0, 0), (0, missing))),
        np.pad(result.shares.numpy(), (0, missing)),
    )


@dataclass(frozen=True)
class Neighbour:
    """A shipped picture and its similarity to the chosen picture.

    Attributes:
        name: that is shown.
        pixels: as ``Observation.pixels`` has them.
        cosine: of the angle between both pictures' features.
    """

    name: str
    pixels: np.ndarray
    cosine: float


def neighbours(choice: Choice, seen: Observation) -> list[Neighbour]:
    """Return all shipped pictures but the chosen one, the most similar first."""
    known, names = known_features(choice), load_texts("picker")["samples"]
    cosines = cosine(known.features, seen.tensors["pooled"])
    others = [
        Neighbour(names[sample.gallery][sample.name], pixels, float(similarity))
        for sample, pixels, similarity in zip(known.samples, known.pixels, cosines, strict=True)
        if not is_chosen(sample, choice)
    ]
    return sorted(others, key=lambda neighbour: -neighbour.cosine)


def is_chosen(sample: Sample, choice: Choice) -> bool:
    gallery = samples(choice.gallery)
    return not choice.photo and bool(gallery) and gallery[choice.sample] == sample


@dataclass(frozen=True)
class Known:
    """The shipped pictures and a model's features of them.

    Attributes:
        samples: the pictures.
        pixels: of each, as the model's input before normalisation.
        features: (pictures, D).
    """

    samples: tuple[Sample, ...]
    pixels: tuple[np.ndarray, ...]
    features: np.ndarray


def known_features(choice: Choice) -> Known:
    """Run the model over all shipped pictures, once for all visitors."""

    def run() -> Known:
        source = load.source_of(choice)
        pictures = samples(PHOTOGRAPHS) + samples(CIFAR)
        pixels = tuple(source.prepare(sample.open()) for sample in pictures)
        with memory.forward_lock(source.model.config), torch.no_grad():
            features = [source.model(source.batch(image))[0] for image in pixels]
        return Known(pictures, pixels, torch.stack(features).numpy())

    return remember(("known features", choice.model_key), run)


def stages(seen: Observation) -> tuple[str, ...]:
    """Return the trace keys of the patches before the first block, after each, and at the end.

    Without a final LayerNorm, the output of the last block is the end.
    """
    return (*stream_keys(seen.config), *([LAST] if seen.config.final_norm else []))
