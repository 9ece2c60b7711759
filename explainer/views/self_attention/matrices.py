"""The matrices of one head: the strip of one query, and the squares of all queries."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from explainer.components.packing import CLIPPED_SHARE
from explainer.content.token_names import token_names
from explainer.figures.matrix import Matrix
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.self_attention.cells import row_of
from explainer.views.self_attention.wording import TEXTS


def of_head(seen: Observation, place: Place, name: str) -> np.ndarray:
    """Return the chosen head's q, k, v, scores, pattern or z."""
    return seen.tensors[f"blocks.{place.block}.attn.{name}"][place.head]


def strip(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    """Return every step of the chosen query, a row for each token."""
    texts, config, row = TEXTS["strip"], seen.config, row_of(choice, seen, place)
    names, numbers = token_names(config), numbered("number", config.head_dim)
    query, key, value = (of_head(seen, place, name) for name in "qkv")
    weighted, mixed = row.weights[:, None] * value, of_head(seen, place, "z")
    # full colour for the largest number of the sum, so that it shows what reaches it
    limit = float(max(np.abs(weighted).max(), np.abs(mixed[row.query]).max())) or None
    is_divided = flaws(choice).scale_scores
    products = query[row.query] @ key.T

    def column(name: str, values: np.ndarray, **how: object) -> Matrix:
        return Matrix(
            name,
            values[:, None],
            texts[name],
            names,
            [""],
            row_axis="key",
            **how,  # type: ignore[arg-type]
        )

    def of_each_token(name: str, values: np.ndarray, sign: str, **how: object) -> Matrix:
        described = {"row_axis": "any", "column_axis": "number", "sign": sign} | how
        return Matrix(name, values, texts[name], names, numbers, **described)  # type: ignore[arg-type]

    return [
        Matrix(
            "norm",
            seen.tensors[f"blocks.{place.block}.norm1"],
            texts["norm"],
            names,
            numbered("dimension", config.embed_dim),
            row_axis="any",
            column_axis="dimension",
        ),
        of_each_token("q", query, "→", colour="query"),
        of_each_token("k", key, "·", colour="key"),
        column("product", products, sign="=", centre=centre_of(products, 0)),
        column(
            "score", row.scores, sign="÷" if is_divided else "=", centre=centre_of(row.scores, 0)
        ),
        column("share", row.weights, sign="→", scale="sequential"),
        of_each_token("v", value, "×", colour="value"),
        of_each_token("weighted", weighted, "=", colour="value", limit=limit, row_axis="key"),
        of_each_token("z", mixed, "Σ", row_axis="query"),
    ]


def squares(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    """Return the scores and the weights of all queries."""
    texts, names = TEXTS["strip"], token_names(seen.config)
    scores, pattern = (of_head(seen, place, name) for name in ("scores", "pattern"))
    square = partial(
        Matrix, row_names=names, column_names=names, row_axis="query", column_axis="key"
    )
    centre = centre_of(scores, 1)
    return [
        square(
            "scores",
            scores,
            texts["scores"],
            centre=centre,
            note="" if centre is None else texts["one_sign_each"],
        ),
        square(
            "pattern",
            pattern,
            texts["pattern"],
            scale="sequential",
            # a few large weights would leave all others dark
            limit=float(np.quantile(pattern, 1 - CLIPPED_SHARE)) or None,
        ),
    ]


def centre_of(scores: np.ndarray, axis: int) -> np.ndarray | None:
    """Return each row's mean where scores have one sign; softmax sees their differences alone.

    Args:
        scores: (keys,) of one query, or (queries, keys), of which most rows must have one sign.
        axis: of the keys.
    """
    has_one_sign = (scores.min(axis=axis) >= 0) | (scores.max(axis=axis) <= 0)
    if has_one_sign.mean() <= 0.5 or np.ptp(scores) == 0:
        return None
    return scores.mean(axis=axis, keepdims=True).reshape(-1, 1)


def numbered(name: str, count: int) -> Sequence[str]:
    return [TEXTS["strip"][name].format(number=place + 1) for place in range(count)]
