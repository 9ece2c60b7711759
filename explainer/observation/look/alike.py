"""Which patches are similar for a model: in a picture, before training, and in a second picture."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
import torch

from explainer.caching import BytesCache
from explainer.content import load_texts
from explainer.inputs.models import load, memory
from explainer.inputs.models.changed import changed_model
from explainer.inputs.models.load import source_of
from explainer.inputs.pictures.galleries import CIFAR, PHOTOGRAPHS, Sample, label_of, samples
from explainer.inputs.pictures.test_digits import count_digits, test_digit
from explainer.observation.compute import read_only
from explainer.observation.naming import sample_name
from explainer.observation.observe import Observation
from explainer.state.choice import DIGITS, Choice, read_saved, saved
from vit_core import ViT, ViTConfig, build
from vit_core.interpret.alike import Matches, best_matches, directions, patch_stages
from vit_core.interpret.changed import with_flaws
from vit_core.interpret.lens import stream_keys
from vit_core.mistakes import flaws_of

LIMIT = 4 * 1024**2  # bytes
LARGEST = 160 * 1024**2  # bytes of weights that are drawn anew
MIRROR = "mirror"  # stands for the mirrored picture
SAME_CLASS = 5  # test digits of the chosen one's class
KIN = {"chelsea": "cat", "astronaut": "", "coffee": "", "rocket": ""}  # photograph → class


@dataclass(frozen=True)
class Second:
    """A picture in which the chosen patch is looked for.

    Attributes:
        code: in a link.
        name: that is shown, plain letters in which a stranger's words may stand.
        values: what ``session.change`` takes to show it on every page; None for one that no page
            has.
    """

    code: str
    name: str
    values: dict[str, Any] | None = None


def cosines(stages: np.ndarray, stages_of_other: np.ndarray, patch: int) -> np.ndarray:
    """Return the cosine of one patch to all patches of another picture, (S, P).

    Args:
        stages, stages_of_other: (S, P, D) as the functions below return them.
    """
    found: np.ndarray = np.einsum("sd,spd->sp", stages[:, patch], stages_of_other)
    return np.clip(found, -1, 1)


def matches(stages: np.ndarray, stages_of_other: np.ndarray, stage: int) -> Matches:
    """Return the best match of every patch of one picture in another, at one stage."""
    own, other = (torch.from_numpy(one[stage].copy()) for one in (stages, stages_of_other))
    return best_matches(own, other)


def own_stages(choice: Choice, seen: Observation) -> np.ndarray:
    """Return the direction of each patch before the first block and after each, (S, P, D)."""

    def make() -> np.ndarray:
        first = seen.config.num_prefix_tokens
        rows = [seen.tensors[key][first:] for key in stream_keys(seen.config)]
        return read_only(directions(torch.from_numpy(np.stack(rows))).numpy())

    return kept().get(("own", choice), make)


def second_stages(choice: Choice, seen: Observation, second: Second) -> np.ndarray:
    """Return the same for a second picture, in the same model."""
    key = ("second", choice.model_key, second.code, choice if second.code == MIRROR else None)
    model = source_of(choice).model
    return kept().get(key, lambda: run(model, choice, pixels_of(choice, seen, second)))


def run(model: ViT, choice: Choice, pixels: np.ndarray) -> np.ndarray:
    images = source_of(choice).batch(pixels)
    with memory.forward_lock(model.config):
        return read_only(directions(patch_stages(model, images)[0]).numpy())


def can_be_untrained(choice: Choice) -> bool:
    """Whether the model's weights are learned, and not too many to draw as many at random."""
    return choice.trained and 4 * choice.config.num_parameters <= LARGEST


def first_epoch(choice: Choice) -> str:
    """Return the source of the run's epoch 0; empty for a model of no run, or without that."""
    of_run = read_saved(choice.source)
    known = load.find_run(of_run[0]) if of_run else None
    return saved(known.id, 0) if known and 0 in known.history.epochs() else ""


def untrained_key(choice: Choice) -> Hashable:
    return "untrained", choice


def untrained_stages(choice: Choice, seen: Observation) -> np.ndarray:
    """Return the same for the same picture in the same model before it was trained."""
    return kept().get(
        untrained_key(choice), lambda: run(untrained_model(choice), choice, seen.pixels)
    )


def prepared_untrained(
    choice: Choice, seen: Observation
) -> Callable[[Callable[[int, int], None]], np.ndarray]:
    """Return what makes ``untrained_stages`` in a task, where nothing of Streamlit's is there."""
    images, original = source_of(choice).batch(seen.pixels), source_of(choice).model
    first = first_epoch(choice)
    begun = source_of(replace(choice, source=first)).model if first else None

    def make(report: Callable[[int, int], None]) -> np.ndarray:
        report(0, choice.config.depth)
        with memory.forward_lock(choice.config):
            model = random_model(choice, original) if begun is None else begun
            return read_only(directions(patch_stages(model, images, report)[0]).numpy())

    return make


def untrained_mirror(choice: Choice, seen: Observation) -> np.ndarray:
    """Return the same for the mirrored picture before training."""
    pixels = pixels_of(choice, seen, Second(MIRROR, ""))
    return kept().get(
        ("untrained-mirror", choice), lambda: run(untrained_model(choice), choice, pixels)
    )


def untrained_model(choice: Choice) -> ViT:
    """Return the model with the weights that training began with, or with new random ones."""
    if source := first_epoch(choice):
        return source_of(replace(choice, source=source)).model
    return random_model(choice, source_of(choice).model)


def random_model(choice: Choice, original: ViT) -> ViT:
    """Return a model with new random weights, and with the flaws and the changes of another."""
    model = build(choice.config, choice.seed).eval()
    if flaws := flaws_of(original):
        model = with_flaws(model, flaws)
    return changed_model(model, choice.edits.of_model) if choice.is_edited_model else model


def seconds(choice: Choice) -> tuple[Second, ...]:
    """Return the pictures that can be the second one; the mirrored picture is the first."""
    mirrored = Second(MIRROR, load_texts("look_alike")["alike"]["mirrored"])
    others = digits(choice) if choice.gallery == DIGITS else of_galleries(choice)
    return mirrored, *others


def digits(choice: Choice) -> list[Second]:
    """Return the next digits of the chosen one's class, and the first of each other class."""
    pairs = [(digit, 0) for digit in range(10)]
    if not choice.is_own:
        count = count_digits(choice.digit)
        following = [(choice.index + step) % count for step in range(1, 1 + SAME_CLASS)]
        pairs = [(choice.digit, index) for index in following]
        pairs += [(digit, 0) for digit in range(10) if digit != choice.digit]
    return [digit_of(digit, index) for digit, index in pairs]


def digit_of(digit: int, index: int) -> Second:
    text = load_texts("look_alike")["alike"]["digit"]
    return Second(
        f"d{digit}.{index}",
        text.format(digit=digit, number=index),
        {"digit": digit, "index": index, "picture": ""},
    )


def of_galleries(choice: Choice) -> list[Second]:
    """Return the other pictures of the gallery; for photographs, the small ones of CIFAR-10 too."""
    own = "picture" if choice.takes_drawings else "photo"
    found = [
        Second(f"s{index}", sample_name(sample), {"sample": index, own: ""})
        for index, sample in enumerate(samples(choice.gallery))
        if choice.is_own or index != choice.sample
    ]
    if choice.gallery == PHOTOGRAPHS:
        found += [
            Second(f"c{index}", sample_name(sample)) for index, sample in enumerate(samples(CIFAR))
        ]
    return found


def chosen_second(choice: Choice, code: str) -> Second:
    """Return the second picture of a link; one of the same class where it names none of them."""
    offered = seconds(choice)
    if named := next((one for one in offered if one.code == code), None):
        return named
    if choice.gallery == DIGITS and code.startswith("d"):  # another one, of an earlier picture
        digit, index = map(int, code[1:].split("."))
        is_own = not choice.is_own and (digit, index) == (choice.digit, choice.index)
        if index < count_digits(digit) and not is_own:
            return digit_of(digit, index)
    return next((one for one in offered if is_kin(choice, one)), offered[0])


def is_kin(choice: Choice, second: Second) -> bool:
    """Whether a picture is known to show the same kind of thing as the chosen one."""
    if choice.is_own or second.code == MIRROR:
        return False
    if choice.gallery == DIGITS:
        return second.code.startswith(f"d{choice.digit}.")
    chosen, other = samples(choice.gallery)[choice.sample], sample_of(choice, second)
    if choice.gallery == PHOTOGRAPHS:
        return second.code.startswith("c") and KIN.get(chosen.name) == other.name
    names = source_of(choice).info.class_names
    label = label_of(chosen, names)
    return label is not None and label == label_of(other, names)


def place_in_gallery(choice: Choice, second: Second) -> tuple[str, int]:
    """Return the gallery that a second picture is of, and its index there."""
    return CIFAR if second.code.startswith("c") else choice.gallery, int(second.code[1:])


def sample_of(choice: Choice, second: Second) -> Sample:
    gallery, index = place_in_gallery(choice, second)
    return samples(gallery)[index]


def pixels_of(choice: Choice, seen: Observation, second: Second) -> np.ndarray:
    """Return a second picture as the model takes it, uint8; none of the edits is in it."""
    if second.code == MIRROR:
        return np.ascontiguousarray(seen.pixels[:, ::-1])
    if choice.gallery == DIGITS:
        digit, _, index = second.code[1:].partition(".")
        return test_digit(int(digit), int(index))
    return source_of(choice).prepare(sample_of(choice, second).open())


def mirrored_places(config: ViTConfig) -> np.ndarray:
    """Return where each patch is in the mirrored picture, (P,)."""
    places = np.arange(config.num_patches).reshape(config.grid_size)
    return np.ascontiguousarray(places[:, ::-1]).reshape(-1)


def mean_cosines(stages: np.ndarray) -> np.ndarray:
    """Return the mean cosine of two different patches at each stage, (S,); there are two."""
    count = stages.shape[1]
    sums = stages.astype(np.float64).sum(axis=1)
    ones = (stages.astype(np.float64) ** 2).sum(axis=(1, 2))  # of each patch with itself
    found: np.ndarray = ((sums**2).sum(axis=1) - ones) / (count * (count - 1))
    return found


def found_in_mirror(config: ViTConfig, stages: np.ndarray, mirrored: np.ndarray, stage: int) -> int:
    """Return for how many patches the best match in the mirrored picture is the patch itself."""
    found = matches(stages, mirrored, stage).patches.numpy()
    return int((found == mirrored_places(config)).sum())


@st.cache_resource
def kept() -> BytesCache[np.ndarray]:
    return BytesCache(LIMIT, bytes_of)


def bytes_of(stages: np.ndarray) -> int:
    return int(stages.nbytes)
