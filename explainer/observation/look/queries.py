"""Queries and keys of one head for some pictures, as points of one plane."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
import torch

from explainer.content import load_texts
from explainer.inputs.models.load import Source, source_of
from explainer.inputs.models.memory import forward_lock
from explainer.inputs.pictures.test_pictures import UNKNOWN, TestPictures, test_pictures
from explainer.observation.compute import read_only
from explainer.observation.look.map import MOST, NoMapError
from explainer.observation.tasks import Report
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core import ViTConfig
from vit_core.data import normalize
from vit_core.interpret.left_out import passes_at_once
from vit_core.interpret.query_key_map import HeadTokens, head_tokens, query_key_plane

PICTURES = 20
MOST_QUERIES = 2_500  # points of each kind
STRONGEST = 5  # keys of a query that are marked


@dataclass(frozen=True)
class QueryMap:
    """Queries and keys of the patches of some pictures; read-only.

    Attributes:
        chosen: (B,) indices of the pictures among those of ``test_pictures``.
        images: (B, channels, height, width) uint8.
        queries, keys: (B, P, 2) float32 from -1 to 1.
        shares: (2,) of the variance of all queries and keys.
        factor: what the queries were multiplied by, and the keys divided by.
        strongest: (B, P, R) the patches that each query attends to most, in falling order.
        weights: (B, P, R) float32, how much.
        other: (B, P) float32, what goes to the tokens before the patches.
        near: how often the key that a query attends to most is among the R nearest of its
            picture in the drawing, 0 to 1.
        by_chance: how often it would be if keys lay anywhere.
    """

    chosen: np.ndarray
    images: np.ndarray
    queries: np.ndarray
    keys: np.ndarray
    shares: np.ndarray
    factor: float
    strongest: np.ndarray
    weights: np.ndarray
    other: np.ndarray
    near: float
    by_chance: float


def pictures_of(choice: Choice) -> tuple[TestPictures, np.ndarray]:
    """Return pictures of a model, and which of them are drawn: as many classes as there are."""
    pictures = test_pictures(choice, MOST)
    most = max(1, min(PICTURES, MOST_QUERIES // source_of(choice).model.config.num_patches))
    return pictures, spread_over_classes(pictures.labels, most)


def spread_over_classes(labels: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many indices: the first picture of each class, then the second, …"""
    if (labels == UNKNOWN).any():
        return np.arange(min(most, len(labels)))
    turn = np.zeros(len(labels), int)  # the how many-th of its class each is
    for label in np.unique(labels):
        turn[labels == label] = np.arange((labels == label).sum())
    return np.sort(np.lexsort((labels, turn))[:most])


def key_of(choice: Choice, place: Place) -> Hashable:
    """Return the key of a head's map, whichever picture is in hand."""
    seed = choice.seed if not choice.trained else 0
    model = choice.source, choice.config, seed, choice.edits.of_model, choice.gallery
    return "queries-keys", place.block, place.head, *model


def maker(choice: Choice, place: Place) -> Callable[[Report], QueryMap]:
    """Return the computation of a head's map, which needs nothing of Streamlit's any more.

    Raises:
        CheckpointError: the model cannot be read.
    """
    source, (pictures, chosen) = source_of(choice), pictures_of(choice)
    images, block, head = pictures.images[chosen], place.block, place.head
    return lambda report: compute(source, images, chosen, block, head, report)


def compute(
    source: Source, images: np.ndarray, chosen: np.ndarray, block: int, head: int, report: Report
) -> QueryMap:
    """Run the pictures, and project the head's queries and keys of all their patches.

    Raises:
        NoMapError: the model's numbers are not finite.
    """
    config = source.model.config
    at_once, total = passes_at_once(config), len(images) + 1
    chunks = []
    for start in range(0, len(images), at_once):
        part = torch.from_numpy(images[start : start + at_once].copy())
        with forward_lock(config):
            chunks.append(head_tokens(source.model, normalize(part, source.info), block, head))
        report(min(start + at_once, len(images)), total)
    found = HeadTokens(*(torch.cat(parts) for parts in zip(*chunks, strict=True)))
    if not all(torch.isfinite(tensor).all() for tensor in found):
        raise NoMapError(load_texts("look_map")["map"]["not_finite"])
    return drawn(found, config, images, chosen)


def drawn(found: HeadTokens, config: ViTConfig, images: np.ndarray, chosen: np.ndarray) -> QueryMap:
    """Return a head's queries and keys as points, and what each query attends to."""
    prefix, count, patches = config.num_prefix_tokens, len(images), config.num_patches
    plane = query_key_plane(
        found.queries[:, prefix:].flatten(0, 1), found.keys[:, prefix:].flatten(0, 1)
    )
    points = torch.cat((plane.queries, plane.keys))
    low, high = points.min(dim=0).values, points.max(dim=0).values
    limit = float((high - low).max()) / 2 or 1.0
    queries, keys = ((points - (low + high) / 2) / limit).view(2, count, patches, 2)
    pattern_BPP = found.pattern[:, prefix:, prefix:]
    most = min(STRONGEST, patches)
    # of equal weights the first patch in reading order comes first
    order = pattern_BPP.sort(dim=-1, descending=True, stable=True)
    strongest, weights = order.indices[..., :most], order.values[..., :most]
    nearest = torch.cdist(queries, keys).topk(most, dim=-1, largest=False).indices
    return QueryMap(
        read_only(chosen),
        read_only(images),
        read_only(queries.numpy().astype(np.float32)),
        read_only(keys.numpy().astype(np.float32)),
        read_only(plane.shares.numpy()),
        plane.factor,
        read_only(strongest.numpy()),
        read_only(weights.numpy().astype(np.float32)),
        read_only(found.pattern[:, prefix:, :prefix].sum(dim=-1).numpy().astype(np.float32)),
        float((nearest == strongest[..., :1]).any(dim=-1).double().mean()),
        most / patches,
    )
