"""One scale for both halves of a comparison, of pictures that the server draws.

What a browser draws shares its scale there: ``components/shared/scale.js``.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from explainer.caching import remember
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place

Limits = np.ndarray
Measure = Callable[[Choice, Observation, Place], ArrayLike]


def common_limits(
    name: str, choice: Choice, seen: Observation, place: Place, measure: Measure
) -> Limits | None:
    """Return where the scales of a picture end, the larger of both halves for each.

    None where nothing is compared: then each picture finds its own.

    Args:
        name: of the picture, unlike all others of all pages.
        choice, seen, place: of the half that is drawn.
        measure: returns where the scales of one half end: a number, or an array of them. Of one
            that the other half lacks, this half's own is the end.
    """
    if place.other is None or place.beside is None:
        return None
    own = measured(name, choice, place, measure, lambda: seen)
    other = measured(name, place.other, place.beside, measure)
    return larger(own, other)


def measured(
    name: str,
    choice: Choice,
    place: Place,
    measure: Measure,
    find: Callable[[], Observation] | None = None,
) -> Limits:
    """Return the limits of one half, measured once.

    Args:
        find: returns what is seen; called only where it is needed, since a large model may have
            to run for it.
    """
    where = replace(place, cell=None, prefix="", half="", other=None, beside=None)
    return remember(
        ("limits", name, choice, where),
        lambda: np.asarray(
            measure(choice, find() if find else observe.observe(choice), where), dtype=np.float64
        ),
    )


def larger(own: Limits, other: Limits) -> Limits:
    """Return the larger of both numbers at each place that both have, and one's own elsewhere."""
    if own.ndim != other.ndim:
        return own
    found = own.copy()
    both = tuple(slice(min(sizes)) for sizes in zip(own.shape, other.shape, strict=True))
    found[both] = np.fmax(own[both], other[both])
    return found


def key_of(limits: Limits | None) -> tuple[float, ...]:
    """Return limits as a part of a cache's key."""
    return () if limits is None else tuple(limits.ravel().tolist())
