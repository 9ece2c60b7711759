"""What the page on the patch embedding derives from the model that ran; nothing is drawn here."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from explainer.caching import remember
from explainer.inputs.models import load
from explainer.observation.observe import Observation
from explainer.observation.similarity import cosine
from explainer.observation.weights import weights
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core.interpret.filters import (
    PrincipalFilters,
    embed_by_convolution,
    filter_images,
    neighbour_agreement,
    principal_filters,
)

SAME = 1e-6  # cosines that differ by less are the same


@dataclass(frozen=True)
class Sum:
    """One number of an embedding, taken apart in float64: patch · filter + bias.

    Attributes:
        values: (V,) of the patch, as the model received them.
        filter: (V,), one row of W.
        products: (V,).
    """

    values: np.ndarray
    filter: np.ndarray
    products: np.ndarray
    bias: float

    @property
    def total(self) -> float:
        return float(self.products.sum()) + self.bias


def weight_of(choice: Choice) -> np.ndarray:
    """Return W, (D, V)."""
    return weights(choice)["patch_embed.proj.weight"]


def bias_of(choice: Choice) -> np.ndarray:
    """Return b, (D,)."""
    return weights(choice)["patch_embed.proj.bias"]


def unit_of(choice: Choice, place: Place) -> int:
    """Return the chosen filter; until one is chosen, the one with the largest weights."""
    unit = place.unit
    if unit is None:
        return int(np.linalg.norm(weight_of(choice), axis=1).argmax())
    return min(unit, choice.config.embed_dim - 1)


def sum_of(choice: Choice, seen: Observation, patch: int, unit: int) -> Sum:
    """Take ``patch_embed[patch, unit]`` apart."""
    values = seen.tensors["patches"][patch].astype(np.float64)
    row = weight_of(choice)[unit].astype(np.float64)
    return Sum(values, row, values * row, float(bias_of(choice)[unit]))


def filters_of(choice: Choice) -> np.ndarray:
    """Return the filters as images, (D, ph, pw), or (D, ph, pw, 3) of a model of colours."""
    return drawable(images_of(choice))


def images_of(choice: Choice) -> torch.Tensor:
    """Return the filters as images, (D, channels, ph, pw)."""
    weight = torch.tensor(weight_of(choice))
    return filter_images(weight, choice.config.patch_hw, choice.config.in_channels)


def drawable(images: torch.Tensor) -> np.ndarray:
    """Return (…, channels, height, width) with the colours last, and a single channel without."""
    values = images.movedim(-3, -1).numpy()
    return values[..., 0] if values.shape[-1] == 1 else values


@dataclass(frozen=True)
class Agreement:
    """How far neighbouring weights of the filters agree, and what chance alone would do.

    Attributes:
        value: from -1 to 1, see ``vit_core.interpret.filters.neighbour_agreement``; NaN where no
            weight has a neighbour, or all are 0.
        chance: standard deviation of ``value`` if every weight were drawn by itself; NaN where no
            weight has a neighbour.
    """

    value: float
    chance: float

    @property
    def is_smooth(self) -> bool:
        return self.value > 3 * self.chance


def agreement(choice: Choice) -> Agreement:
    """Measure the filters, once for all images."""

    def measure() -> Agreement:
        filters = images_of(choice)
        count, channels, height, width = filters.shape
        pairs = count * channels * (height * (width - 1) + (height - 1) * width)
        return Agreement(neighbour_agreement(filters), pairs**-0.5 if pairs else math.nan)

    return remember(("agreement", *model_of(choice)), measure)


def principal(choice: Choice) -> PrincipalFilters:
    """Return the principal components of the filters, once for all images."""

    def find() -> PrincipalFilters:
        weight = torch.tensor(weight_of(choice))
        return principal_filters(weight, choice.config.patch_hw, choice.config.in_channels)

    return remember(("principal", *model_of(choice)), find)


def model_of(choice: Choice) -> tuple:
    """Return what only depends on the model."""
    return choice.model_key


def convolution_difference(choice: Choice, seen: Observation) -> float:
    """Return the largest difference between the embedding and a convolution, measured."""

    def measure() -> float:
        source = load.source_of(choice)
        images = source.batch(seen.pixels)
        with torch.no_grad():
            rows = embed_by_convolution(source.model.patch_embed, images)[0].numpy()
        return float(np.abs(rows - seen.tensors["patch_embed"]).max())

    return remember(("convolution", choice), measure)


@dataclass(frozen=True)
class Alike:
    """How similar all patches are to the chosen one.

    Attributes:
        pixels, embeddings: (P,), cosine similarity of the patches as the model received them, and
            of their embeddings.
        same: how many other patches have exactly the chosen one's pixels.
        order: the patches with other pixels, from the most similar embedding to the least.
    """

    pixels: np.ndarray
    embeddings: np.ndarray
    same: int
    order: np.ndarray


def alike_of(choice: Choice, seen: Observation, patch: int) -> Alike:
    def compare() -> Alike:
        patches = seen.tensors["patches"]
        equal = (patches == patches[patch]).all(axis=1)
        rows = seen.tensors["patch_embed"]
        embeddings = cosine(rows, rows[patch])
        order = np.argsort(-embeddings, kind="stable")
        return Alike(
            cosine(patches, patches[patch]), embeddings, int(equal.sum()) - 1, order[~equal[order]]
        )

    return remember(("alike", choice, patch), compare)
