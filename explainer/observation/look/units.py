"""What single units of a model answer to over its test pictures, and what it is without one."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from explainer.caching import BytesCache, size_of
from explainer.inputs.models import memory
from explainer.inputs.models.load import source_of
from explainer.inputs.pictures.test_pictures import TestPictures, test_pictures
from explainer.observation.compute import read_only
from explainer.state.choice import Choice
from vit_core import ViTConfig
from vit_core.data import normalize
from vit_core.interpret.units import (
    Activity,
    Unit,
    examine,
    interesting_units,
    most_excited,
    survey,
)

Report = Callable[[int, int], None]

MOST = 2_000  # pictures
WORK = 6e10  # multiplications of a pass over all pictures, some seconds of one core
CHUNK = 4e8  # multiplications between two reports, well below 150 ms
SHOWN = 9  # pictures that excite a unit most
OFFERED = 60  # interesting units of each kind
LIMIT = 8 * 1024**2  # bytes


@dataclass(frozen=True)
class Surveyed:
    """A model over its test pictures.

    Attributes:
        outputs: (n, C) logits, or (n, D) features without a head.
        hidden, directions: units that fire seldom and strongly, the most seldom first: hidden
            units of MLPs, and directions of heads.
    """

    outputs: np.ndarray
    hidden: tuple[Unit, ...]
    directions: tuple[Unit, ...]


@dataclass(frozen=True)
class OneUnit:
    """One unit over a model's test pictures.

    Attributes:
        values: (n, P) on the patches of each picture.
        outputs: (n, C) or (n, D), with the unit switched off.
        pictures, patches, strongest: (k,) the pictures that excite it most, the patch of each, and
            the value there.
    """

    values: np.ndarray
    outputs: np.ndarray
    pictures: np.ndarray
    patches: np.ndarray
    strongest: np.ndarray


@dataclass(frozen=True)
class Effect:
    """What switching a unit off does to the answers on labelled pictures.

    Attributes:
        accuracy, accuracy_off: the shares that are read right.
        changed: pictures whose answer is another one.
        classes: (c,) of which there are pictures.
        right, right_off: (c,) mean probability of the right class.
    """

    accuracy: float
    accuracy_off: float
    changed: int
    classes: np.ndarray
    right: np.ndarray
    right_off: np.ndarray


def multiplications(config: ViTConfig) -> float:
    """Return about how many multiplications one picture takes."""
    N, D = config.num_tokens, config.embed_dim
    return float(config.num_parameters * N + 2 * config.depth * N * N * D)


def pictures_of(choice: Choice) -> TestPictures:
    """Return the model's test pictures, as many as a few seconds allow."""
    most = int(WORK / multiplications(choice.config))
    return test_pictures(choice, min(MOST, max(1, most)))


def chunks_of(choice: Choice, pictures: TestPictures) -> list[Tensor]:
    """Return the pictures as batches for the model, each of a short time."""
    config = choice.config
    at_once = max(1, int(CHUNK / multiplications(config)))
    at_once = memory.images_at_once(config, at_once)
    info = source_of(choice).info
    images = torch.from_numpy(pictures.images.copy())
    return [normalize(some, info) for some in images.split(at_once)]


def survey_key(choice: Choice) -> Hashable:
    return "units-survey", choice.model_key, choice.gallery


def unit_key(choice: Choice, unit: Unit) -> Hashable:
    return "unit", choice.model_key, choice.gallery, unit


def prepared_survey(choice: Choice) -> Callable[[Report], Surveyed]:
    """Return what makes the survey in a task, where nothing of Streamlit's is there."""
    model, chunks = source_of(choice).model, chunks_of(choice, pictures_of(choice))

    def make(report: Report) -> Surveyed:
        with memory.forward_lock(model.config):
            found = survey(model, chunks, report)
        units = [unit_of(key, place, model.config) for key, place in offered(found.activity)]
        return Surveyed(
            read_only(found.outputs.numpy()),
            tuple(unit for unit in units if unit.head is None),
            tuple(unit for unit in units if unit.head is not None),
        )

    return make


def offered(activity: Mapping[str, Activity]) -> list[tuple[str, int]]:
    """Return the most interesting units of each kind."""
    found = []
    for kind in ("mlp.post", "attn.z"):
        of_kind = {key: one for key, one in activity.items() if key.endswith(kind)}
        found += interesting_units(of_kind)[:OFFERED]
    return found


def unit_of(key: str, place: int, config: ViTConfig) -> Unit:
    """Return the unit at a place of the tensor under a trace key."""
    block = int(key.split(".")[1])
    if key.endswith("mlp.post"):
        return Unit(block, place)
    return Unit(block, place % config.head_dim, place // config.head_dim)


def prepared_unit(choice: Choice, unit: Unit) -> Callable[[Report], OneUnit]:
    """Return what examines one unit in a task, where nothing of Streamlit's is there."""
    model, chunks = source_of(choice).model, chunks_of(choice, pictures_of(choice))

    def make(report: Report) -> OneUnit:
        with memory.forward_lock(model.config):
            found = examine(model, chunks, unit, report)
        values = found.values[:, model.config.num_prefix_tokens :]
        excited = most_excited(values, SHOWN)
        return OneUnit(
            *(read_only(one.contiguous().numpy()) for one in (values, found.outputs, *excited))
        )

    return make


def own_values(tensor: np.ndarray, unit: Unit) -> np.ndarray:
    """Return a unit's values for all tokens of one picture, (N,), of an observation's tensor."""
    if unit.head is None:
        return tensor[:, unit.number]
    return tensor[unit.head, :, unit.number]


def effect_of(pictures: TestPictures, before: np.ndarray, after: np.ndarray) -> Effect | None:
    """Return what became of the answers; None where the classes of the pictures are unknown.

    Args:
        before, after: (n, C) logits.
    """
    labels = pictures.labels
    if not pictures.are_labelled or labels.max() >= before.shape[1]:
        return None
    answers, answers_off = before.argmax(axis=1), after.argmax(axis=1)
    of_right, of_right_off = (softmax(one)[np.arange(len(one)), labels] for one in (before, after))
    classes = np.unique(labels)
    return Effect(
        float((answers == labels).mean()),
        float((answers_off == labels).mean()),
        int((answers != answers_off).sum()),
        classes,
        np.array([of_right[labels == one].mean() for one in classes]),
        np.array([of_right_off[labels == one].mean() for one in classes]),
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits.astype(np.float64)).softmax(dim=1).numpy()


def turned(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the angle between each picture's features and those without the unit, in degrees."""
    one, other = before.astype(np.float64), after.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    known = lengths > 0
    unit_one = one / np.where(known, np.linalg.norm(one, axis=1), 1)[:, None]
    unit_other = other / np.where(known, np.linalg.norm(other, axis=1), 1)[:, None]
    # an arc cosine loses all digits near 0
    half = np.linalg.norm(unit_one - unit_other, axis=1) / 2
    return np.where(known, np.degrees(2 * np.arcsin(np.clip(half, 0, 1))), 0.0)


@st.cache_resource
def kept() -> BytesCache[Surveyed | OneUnit]:
    return BytesCache(LIMIT, size_of)
