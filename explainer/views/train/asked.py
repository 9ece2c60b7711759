"""The sixteen pictures that every run is asked about while it learns."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from explainer.figures.pixels import image_address
from explainer.figures.strip import Answer
from explainer.inputs.pictures.batches import pixels_of as as_pixels
from explainer.inputs.pictures.galleries import CIFAR, shipped
from explainer.training import Run
from explainer.views.train.of_data import DIGITS, is_of_digits
from explainer.views.train.wording import TEXTS
from vit_core.data import Split, mnist_validation
from vit_core.data.kept import KEPT, KeptImagesError, load_images
from vit_core.data.packed import packed_mnist_test
from vit_core.data.sample_pictures import made_smaller
from vit_core.data.torchvision_sets import CLASS_NAMES, fashion_folder
from vit_core.runs.snapshot import STRIP_INDICES, TEST, TEST_STRIP_INDICES, Snapshot, strip_places

NONE = Split(torch.zeros((0, 1, 1, 1), dtype=torch.uint8), torch.zeros(0, dtype=torch.int64))


def asked_of(run: Run, snapshot: Snapshot | None) -> Split:
    """Return the pictures that a run is asked about, as far as they are known yet.

    Args:
        snapshot: of the run, which fits its model; None before its first.
    """
    if snapshot is not None and snapshot.images is not None and snapshot.labels is not None:
        return Split(torch.from_numpy(snapshot.images), torch.from_numpy(snapshot.labels).long())
    if is_of_digits(run):
        return digits(snapshot is not None and snapshot.part == TEST)
    config = run.history.config
    if config.dataset == KEPT:
        try:
            images = load_images(run.history.path).val
        except KeptImagesError:
            return NONE
        places = strip_places(len(images))
        return Split(made_smaller(images.at(places)), images.labels[places])
    return preview(config.dataset)


@cache
def digits(are_test_digits: bool = False) -> Split:
    """Return the digits of one part of MNIST."""
    if are_test_digits:
        test, places = packed_mnist_test(), list(TEST_STRIP_INDICES)
        return Split(test.at(places), test.labels[places])
    return mnist_validation(STRIP_INDICES)


@cache
def preview(dataset: str) -> Split:
    """Return pictures of a named data set without reading it all.

    Those of CIFAR-10 are only like the ones that a run is asked about: its own lie in files that
    are safe to open only once their hashes were checked.
    """
    if dataset == DIGITS:
        return digits()
    if dataset == CIFAR:
        names = CLASS_NAMES[CIFAR]
        found = [sample for sample in shipped(CIFAR) if sample.name in names]
        pixels = np.stack([np.asarray(sample.open().resize((32, 32))) for sample in found])
        labels = torch.tensor([names.index(sample.name) for sample in found])
        return Split(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), labels)
    folder = fashion_folder() if dataset == "fashion-mnist" else None
    try:
        return mnist_validation(STRIP_INDICES, folder) if folder else NONE
    except (OSError, ValueError):
        return NONE


def addresses(pictures: Split) -> list[str]:
    """Return the address of each picture."""
    return [image_address(as_pixels(image[None])) for image in pictures.images]


def unasked(pictures: Split, names: Sequence[str]) -> list[Answer]:
    return [
        Answer(address, str(names[int(label)]))
        for address, label in zip(addresses(pictures), pictures.labels, strict=True)
    ]


def answered(snapshot: Snapshot, pictures: Split, names: Sequence[str]) -> list[Answer]:
    """Return what the model of a snapshot says of the pictures."""
    shares = softmax(snapshot.logits)
    best = shares.argmax(axis=1)
    return [
        Answer(
            one.picture,
            one.truth,
            str(names[predicted]),
            TEXTS["strip"]["share"].format(share=f"{100 * shares[place, predicted]:.0f}"),
        )
        for place, (one, predicted) in enumerate(zip(unasked(pictures, names), best, strict=False))
    ]


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
