"""The texts of a page as they fit the pictures that are looked at."""

from collections.abc import Mapping
from typing import Any

from explainer.content import load_texts, load_variant
from explainer.galleries import DIGITS
from explainer.services import Observation


def texts_of(page: str, seen: Observation) -> Mapping[str, Any]:
    """Return a page's texts, which are written for digits, or what is said of other pictures.

    Beside ``name`` may stand ``name_cifar10`` and ``name_photographs`` for one gallery,
    ``name_colour`` for models of three channels, and ``name_pictures`` for all but digits.
    """
    if endings := endings_of(seen):
        return load_variant(page, endings)
    return load_texts(page)


def endings_of(seen: Observation) -> tuple[str, ...]:
    """Return the endings of texts for these pictures, the most particular first."""
    if seen.gallery == DIGITS:
        return ()
    colour = ("_colour",) if seen.config.in_channels == 3 else ()
    return (f"_{seen.gallery}", *colour, "_pictures")
