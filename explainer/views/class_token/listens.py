"""Whom it listens to."""

import numpy as np

from explainer.caching import remember
from explainer.content.numbers import fixed, percent
from explainer.content.token_names import token_names
from explainer.figures.looks import looks, overlay
from explainer.figures.matrix import Matrix
from explainer.observation.limits import common_limits, key_of
from explainer.observation.observe import Observation
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_html
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.class_token.values import attention_of_class
from explainer.views.class_token.wording import TEXTS, has_class


def show_listens(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["parts"]["listens"]
    if has_class(seen.config):
        limits = common_limits("class listens", choice, seen, place, listened_limits)
        attention = remember(
            ("class listens", choice, key_of(limits)), lambda: listened(seen, limits)
        )
        show_html(looks(attention, seen.pixels), "listens", numbers=lambda: [weights_of(seen)])
        note(texts["note_class"])
    else:
        agreed = agreement(seen)
        ends = common_limits("class agrees", choice, seen, place, agreed_ends)
        attention = remember(("class agrees", choice, key_of(ends)), lambda: agreeing(seen, ends))
        show_html(looks(attention, seen.pixels), "listens", numbers=lambda: [cosines_of(seen)])
        note(
            texts["note_mean"].format(
                least=fixed(float(agreed.min() if ends is None else -ends[0]), 2),
                most=fixed(float(agreed.max() if ends is None else ends[1]), 2),
            )
        )
    note_scale(place)


def listened_limits(choice: Choice, seen: Observation, place: Place) -> list[float]:
    """Return the largest weight on a patch in each block; none without a class token."""
    config = seen.config
    blocks = range(config.depth if has_class(config) else 0)
    first = config.num_prefix_tokens
    return [float(attention_of_class(seen, block)[first:].max()) for block in blocks]


def agreed_ends(choice: Choice, seen: Observation, place: Place) -> list[float]:
    """Return the smallest cosine with a minus, and the largest; none with a class token."""
    if has_class(seen.config):
        return []
    agreed = agreement(seen)
    return [-float(agreed.min()), float(agreed.max())]


def listened(
    seen: Observation, limits: np.ndarray | None = None
) -> list[tuple[str, str, list[str]]]:
    texts, config, names = TEXTS["parts"]["listens"], seen.config, token_names(seen.config)
    prefix, pictures = config.num_prefix_tokens, []
    for block in range(config.depth):
        weights = attention_of_class(seen, block)
        best = prefix + int(weights[prefix:].argmax())
        values = {
            "number": block + 1,
            "token": names[best],
            "share": percent(float(weights[best])),
        }
        picture = overlay(
            weights[prefix:].reshape(config.grid_size),
            texts["alt_class"].format(**values),
            None if limits is None else float(limits[block]),
        )
        lines = [
            texts["itself"].format(share=percent(float(weights[0]))),
            texts["strongest"].format(**values),
        ]
        pictures.append((picture, texts["block"].format(**values), lines))
    return pictures


def weights_of(seen: Observation) -> Matrix:
    """Return where the class token looks in each block, in numbers."""
    texts, config = TEXTS["parts"]["listens"], seen.config
    blocks = range(config.depth)
    return Matrix(
        "listens",
        np.stack([attention_of_class(seen, block) for block in blocks]),
        texts["title_class"],
        [texts["block"].format(number=block + 1) for block in blocks],
        token_names(config),
        row_axis="block",
        column_axis="token",
        scale="sequential",
    )


def cosines_of(seen: Observation) -> Matrix:
    """Return how much each patch agrees with the average, in numbers."""
    names = token_names(seen.config)[seen.config.num_prefix_tokens :]
    title = TEXTS["parts"]["listens"]["agree"]
    return Matrix("agrees", agreement(seen)[None], title, [""], names, column_axis="patch")


def agreement(seen: Observation) -> np.ndarray:
    """Return the cosine of each patch's final row with the average, (P,)."""
    rows = seen.tensors["final_norm"][seen.config.num_prefix_tokens :].astype(np.float64)
    mean = seen.tensors["pooled"].astype(np.float64)
    both = np.linalg.norm(rows, axis=1) * np.linalg.norm(mean)
    return np.divide(rows @ mean, both, out=np.zeros(len(rows)), where=both > 0)


def agreeing(seen: Observation, ends: np.ndarray | None = None) -> list[tuple[str, str, list[str]]]:
    texts, config = TEXTS["parts"]["listens"], seen.config
    agreed = agreement(seen)
    best = int(agreed.argmax())
    token = token_names(config)[config.num_prefix_tokens + best]
    least, most = fixed(float(agreed.min()), 2), fixed(float(agreed.max()), 2)
    alt = texts["alt_mean"].format(token=token, value=most)
    low, high = (agreed.min(), agreed.max()) if ends is None else (-ends[0], ends[1])
    drawn = (agreed - low).reshape(config.grid_size)
    picture = overlay(drawn, alt, max(float(high - low), 1e-6))
    return [(picture, texts["agree"], [texts["agree_line"].format(least=least, most=most)])]
