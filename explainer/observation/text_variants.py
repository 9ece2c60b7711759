"""The texts of a page in the variant for the chosen model and picture."""

from collections.abc import Mapping
from typing import Any

from explainer.content import load_texts, load_variant
from explainer.inputs.pictures.galleries import DIGITS
from explainer.inputs.pictures.galleries.of_models import is_of_model
from explainer.observation.observe import Observation
from explainer.state.choice import takes_drawings


def texts_of(page: str, seen: Observation) -> Mapping[str, Any]:
    """Return a page's texts, which are written for digits, with the variants for other pictures.

    A text ``name`` can have variants: ``name_cifar10`` and ``name_photographs`` for one gallery,
    ``name_symbols`` for symbols that somebody drew, ``name_colour`` for models of three channels,
    ``name_pictures`` for all galleries but digits, and ``name_bare`` for models without a final
    LayerNorm.
    """
    if endings := endings_of(seen):
        return load_variant(page, endings)
    return load_texts(page)


def endings_of(seen: Observation) -> tuple[str, ...]:
    """Return the endings of the variants for this model and picture, the most specific first."""
    bare = () if seen.config.final_norm else ("_bare",)
    if seen.gallery == DIGITS:
        return bare
    colour = ("_colour",) if seen.config.in_channels == 3 else ()
    gallery: tuple[str, ...] = (f"_{seen.gallery}",)
    if is_of_model(seen.gallery):
        gallery = ("_symbols",) if takes_drawings(seen.gallery) else ()
    return (*bare, *gallery, *colour, "_pictures")
