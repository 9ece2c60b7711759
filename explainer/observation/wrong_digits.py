"""The test digits that a model gets wrong.

For the shipped models they were searched once among all 10,000, each by
``python -m vit_core.evaluate vit_core/checkpoints/<source>.safetensors --wrong
explainer/observation/wrong_digit_lists/<source>.json``. An untrained model gets most of them wrong,
so that a few of the first are searched when somebody asks. A run's model is tried on what the
shipped ones find hard.
"""

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from explainer.caching import remember
from explainer.inputs.models import load, memory
from explainer.inputs.pictures import test_digits
from explainer.state.choice import Choice
from vit_core.data import mnist_test, normalize

LISTS = Path(__file__).parent / "wrong_digit_lists"
FOUND_HARD_BY = ("default", "fast", "best")
SEARCHED = 64  # test images, where no list helps
BATCH = 16  # test images


class Hard(NamedTuple):
    """A test digit, as the state has it, and the class that the model takes it for."""

    digit: int
    index: int
    said: int


def hard_digits(choice: Choice) -> tuple[Hard, ...]:
    """Return test digits that the chosen model gets wrong, in the order of the test set.

    Only the model and, if it is untrained, its shape and seed matter. What a list says is tried on
    the model, so that a list of an older checkpoint misleads nobody.
    """
    return remember(("hard digits", *model_of(choice)), lambda: tuple(search(choice)))


def some_hard_digits(choice: Choice, count: int) -> tuple[Hard, ...]:
    """Return the first ``count`` of them at most, without looking for the others."""
    key = ("some hard digits", count, *model_of(choice))
    return remember(key, lambda: tuple(islice(search(choice), count)))


def model_of(choice: Choice) -> tuple:
    return choice.source, choice.config, choice.seed if not choice.trained else 0


def search(choice: Choice) -> Iterator[Hard]:
    listed = LISTS / f"{choice.source}.json"
    if choice.trained and listed.is_file():
        places = [place for place, _ in json.loads(listed.read_text(encoding="utf-8"))]
        wrong = wrong_among(choice, places)
        if first := next(wrong, None):
            yield first
            yield from wrong
            return
    is_good = choice.trained and choice.is_saved
    yield from wrong_among(choice, found_hard() if is_good else list(range(SEARCHED)))


@cache
def found_hard() -> list[int]:
    """Return the places in the test set of digits that a good shipped model misses."""
    lists = [LISTS / f"{source}.json" for source in FOUND_HARD_BY]
    found = {place for file in lists for place, _ in json.loads(file.read_text(encoding="utf-8"))}
    return sorted(found)


def wrong_among(choice: Choice, places: list[int]) -> Iterator[Hard]:
    """Yield those of some places in the test set that the model gets wrong."""
    source, test = load.source_of(choice), mnist_test()
    count = memory.images_at_once(source.model.config, BATCH)
    for at in range(0, len(places), count):
        some = places[at : at + count]
        with memory.forward_lock(source.model.config), torch.no_grad():
            said = source.model(normalize(test.images[some], source.info)).argmax(dim=1).tolist()
        for place, truth, given in zip(some, test.labels[some].tolist(), said, strict=True):
            if given != truth:
                index = int(np.searchsorted(test_digits.digit_places()[truth], place))
                yield Hard(truth, index, given)
