"""The test digits that a model gets wrong.

For each shipped model, all 10,000 were searched once by ``python -m vit_core.evaluate
vit_core/checkpoints/<source>.safetensors --wrong
explainer/observation/wrong_digit_lists/<source>.json``. An untrained model gets most digits wrong,
so that it is enough to search the first few when somebody asks. The model of a run is tried on the
digits that shipped models get wrong.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from explainer.caching import remember
from explainer.inputs.models import load, memory
from explainer.inputs.pictures import test_digits
from explainer.state.choice import Choice
from vit_core.data import normalize
from vit_core.data.packed import packed_mnist_test

LISTS = Path(__file__).parent / "wrong_digit_lists"
LISTED_MODELS = ("default", "fast", "best")
SEARCHED = 64  # test images, for models without a list
BATCH = 16  # test images


@dataclass(frozen=True)
class MisclassifiedDigit:
    """A test digit that a model gets wrong.

    Attributes:
        digit: its true class.
        index: among the test digits of its class, as ``State`` counts them.
        predicted: the class that the model takes it for.
    """

    digit: int
    index: int
    predicted: int


def misclassified_digits(choice: Choice) -> tuple[MisclassifiedDigit, ...]:
    """Return test digits that the chosen model gets wrong, in the order of the test set.

    The digits of a list are tried on the model, because the list may be of an older checkpoint.
    """
    key = ("misclassified digits", *model_key(choice))
    return remember(key, lambda: tuple(search(choice)))


def first_misclassified(choice: Choice, count: int) -> tuple[MisclassifiedDigit, ...]:
    """Return the first ``count`` of ``misclassified_digits``, without searching for the others."""
    key = ("first misclassified", count, *model_key(choice))
    return remember(key, lambda: tuple(islice(search(choice), count)))


def model_key(choice: Choice) -> tuple[Any, ...]:
    """Return what a model depends on: the seed only of an untrained one."""
    seed = choice.seed if not choice.trained else 0
    return choice.source, choice.config, seed, choice.edits.of_model


def search(choice: Choice) -> Iterator[MisclassifiedDigit]:
    """Yield the digits that the model gets wrong, of a list or of the first test images."""
    path = LISTS / f"{choice.source}.json"
    if choice.trained and path.is_file() and not choice.is_edited_model:
        wrong = misclassified_among(choice, indices_in(path))
        if first := next(wrong, None):
            yield first
            yield from wrong
            return
    is_good = choice.trained and (choice.is_saved or choice.is_edited_model)
    yield from misclassified_among(choice, listed_indices() if is_good else list(range(SEARCHED)))


def indices_in(path: Path) -> list[int]:
    """Return the indices in the test set of the digits in a list."""
    return [index for index, _ in json.loads(path.read_text(encoding="utf-8"))]


@cache
def listed_indices() -> list[int]:
    """Return the indices in the test set of digits that any shipped model gets wrong."""
    return sorted({one for name in LISTED_MODELS for one in indices_in(LISTS / f"{name}.json")})


def misclassified_among(choice: Choice, indices: list[int]) -> Iterator[MisclassifiedDigit]:
    """Yield the digits that the model gets wrong, of those with these indices in the test set."""
    source, test = load.source_of(choice), packed_mnist_test()
    count = memory.images_at_once(source.model.config, BATCH)
    for start in range(0, len(indices), count):
        batch = indices[start : start + count]
        with memory.forward_lock(source.model.config), torch.no_grad():
            logits = source.model(normalize(test.at(batch), source.info))
        predictions = logits.argmax(dim=1).tolist()
        for index, label, predicted in zip(
            batch, test.labels[batch].tolist(), predictions, strict=True
        ):
            if predicted != label:
                in_class = int(np.searchsorted(test_digits.digit_indices()[label], index))
                yield MisclassifiedDigit(label, in_class, predicted)
