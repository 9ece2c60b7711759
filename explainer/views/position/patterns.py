"""What pattern there is in the cosines of a table's places, in words."""

import numpy as np

from explainer.caching import remember
from explainer.content.numbers import fixed
from explainer.observation import positions
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.position.wording import TEXTS
from vit_core import ViTConfig

CLEAR = 0.1  # by which neighbours' mean cosine is above that of all pairs, where there is a pattern
AGAIN = 0.02  # a cosine that rises by less stays as it is


def pattern_text(choice: Choice, seen: Observation, place: Place) -> str:
    """Say what can be seen in the maps of the chosen kind; empty where there are none."""
    config, kind = seen.config, place.kind
    cosines = positions.similarity(choice, seen, kind)
    if cosines is None or config.num_patches < 2:
        return ""
    key = ("position pattern", *positions.table_key(choice, kind))
    return remember(key, lambda: describe(choice, config, kind, cosines))


def describe(choice: Choice, config: ViTConfig, kind: str, cosines: np.ndarray) -> str:
    texts, first = TEXTS["parts"]["similarity"], int(config.pool == "cls")
    patches = cosines[first:, first:]
    if kind == "sincos2d":
        return texts["sincos2d_text"]
    if kind == "sincos":
        return texts["sincos_text"].format(
            columns=config.grid_size[1], again=rise_text(cosines[0].astype(np.float64))
        )
    near, mean = means(patches, config.grid_size)
    if config.pos_embed == "learned" and not choice.trained:
        return texts["learned_noise"].format(nearest=fixed(mean_nearest(patches), 2))
    name = "learned_near" if near > mean + CLEAR else "learned_alike"
    return texts[name].format(near=fixed(near, 2), mean=fixed(mean, 2))


def means(patches: np.ndarray, grid: tuple[int, int]) -> tuple[float, float]:
    """Return the mean cosine of neighbours and of all pairs of different places, (P, P) → both.

    Where there is one place alone, both are 1.
    """
    rows, columns = grid
    count = len(patches)
    if count < 2:
        return 1.0, 1.0
    places = np.arange(count).reshape(rows, columns)
    pairs = [
        *zip(places[:, :-1].ravel(), places[:, 1:].ravel(), strict=True),
        *zip(places[:-1].ravel(), places[1:].ravel(), strict=True),
    ]
    one, other = np.array(pairs).T
    values = patches.astype(np.float64)
    others = values.sum() - np.trace(values)
    return float(values[one, other].mean()), float(others / (count * (count - 1)))


def mean_nearest(patches: np.ndarray) -> float:
    """Return each place's largest cosine with another one, on average."""
    values = patches.astype(np.float64)
    np.fill_diagonal(values, -np.inf)
    return float(values.max(axis=1).mean())


def rise_text(profile: np.ndarray) -> str:
    """Say where the cosine with the first token rises again; empty where it does not."""
    if (found := rise(profile)) is None:
        return ""
    low, high = found
    return TEXTS["parts"]["similarity"]["sincos_again"].format(
        low=fixed(profile[low], 2), low_at=low, high=fixed(profile[high], 2), high_at=high
    )


def rise(profile: np.ndarray) -> tuple[int, int] | None:
    """Return the distance at which a falling cosine turns, and where it is highest after that."""
    for low in range(1, len(profile) - 1):
        if profile[low + 1] <= profile[low]:
            continue
        high = low + 1
        while high + 1 < len(profile) and profile[high + 1] > profile[high]:
            high += 1
        if profile[high] > profile[low] + AGAIN:
            return low, high
    return None
