"""The picture of a choice in the form that its model takes, and its true class."""

import numpy as np
from PIL import Image

from explainer.inputs.models.load import source_of
from explainer.inputs.pictures import link_code
from explainer.inputs.pictures.galleries import DIGITS, label_of, photo_store, samples
from explainer.inputs.pictures.test_digits import test_digit
from explainer.state.choice import Choice


def picture(choice: Choice) -> np.ndarray:
    """Return the pixels of the visitor's own or the shipped picture, prepared for the model.

    Digits are (28, 28) uint8; others are as ``Observation.pixels`` describes.
    """
    if choice.picture:
        return link_code.decode(choice.picture)
    if choice.gallery == DIGITS:
        return test_digit(choice.digit, choice.index)
    return source_of(choice).prepare(photograph(choice))


def photograph(choice: Choice) -> Image.Image:
    """Return the chosen picture of a gallery in its original size, in colour.

    Raises:
        ValueError: the visitor's own photograph is no longer kept.
    """
    if not choice.photo:
        return samples(choice.gallery)[choice.sample].open()
    try:
        return photo_store.find(choice.photo)
    except LookupError:
        raise ValueError(f"the photograph {choice.photo} is no longer kept") from None


def label(choice: Choice, class_names: tuple[str, ...]) -> int | None:
    """Return the true class of the picture; None if it is unknown."""
    if choice.is_own:
        return None
    if choice.gallery == DIGITS:
        return choice.digit
    return label_of(samples(choice.gallery)[choice.sample], class_names)
