"""Questions on self-attention, asked of the live model."""

from collections.abc import Mapping, Sequence

import numpy as np

from explainer.attention_row import AttentionRow
from explainer.notation import percent, precise_percent
from explainer.quiz import Question
from explainer.services import Observation
from explainer.state import Choice
from explainer.views.self_attention.cells import of_head, row_of
from explainer.views.self_attention.wording import TEXTS, facts, names_of
from vit_core import ViTConfig


def questions(choice: Choice, seen: Observation) -> list[Question]:
    row, config, names = row_of(choice, seen), seen.config, names_of(seen.config)
    words = facts(choice, seen)
    return [
        ask_strongest(row, names, words),
        ask_sum(row, words),
        ask_double(row, words),
        ask_count(config),
        ask_mutual(row, of_head(choice, seen, "pattern"), names),
    ]


def ask_strongest(row: AttentionRow, names: Sequence[str], words: Mapping[str, object]) -> Question:
    """Ask for the strongest of four tokens: it, the one asking, and two from further down."""
    texts, order = TEXTS["questions"]["strongest"], row.strongest
    best = int(order[0])
    others = [row.query, int(order[len(order) // 8 + 1]), int(order[len(order) // 2])]
    # one that gets the same would be as right
    clear = [token for token in others if row.weights[token] < 0.999 * row.weights[best]]
    options = sorted({best, *clear})
    listed = ", ".join(f"{names[token]} {percent(float(row.weights[token]))}" for token in options)
    return Question(
        "strongest",
        texts["text"].format(**words),
        tuple(names[token] for token in options),
        options.index(best),
        texts["why"].format(values=listed),
    )


def ask_sum(row: AttentionRow, words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["sum"]
    return Question(
        "sum",
        texts["text"].format(**words),
        (
            texts["tokens"].format(**words),
            texts["one"],
            texts["largest"].format(score=f"{row.scores.max():.2f}"),
            texts["depends"],
        ),
        1,
        texts["why"].format(total=f"{row.weights.sum(dtype=np.float64):.6f}"),
    )


def ask_double(row: AttentionRow, words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["double"]
    before, after = float(row.at_temperature(1).max()), float(row.at_temperature(2).max())
    stays = before - after < 1e-6
    return Question(
        "double",
        texts["text"].format(weight=percent(before), **words),
        (texts["rises"], texts["falls"], texts["stays"]),
        2 if stays else 1,
        texts["why_stays" if stays else "why"].format(weight=percent(before), after=percent(after)),
    )


def ask_count(config: ViTConfig) -> Question:
    texts, tokens = TEXTS["questions"]["count"], config.num_tokens
    right = f"{tokens**2:,}"
    options = tuple(
        dict.fromkeys((f"{tokens:,}", f"{tokens * config.head_dim:,}", right, f"{tokens * 2:,}"))
    )
    return Question(
        "count",
        texts["text"],
        options,
        options.index(right),
        texts["why"].format(tokens=tokens, pairs=right),
    )


def ask_mutual(row: AttentionRow, pattern: np.ndarray, names: Sequence[str]) -> Question:
    """Ask whether the strongest key other than the query itself looks back as much."""
    texts = TEXTS["questions"]["mutual"]
    key = next(int(token) for token in row.strongest if token != row.query)
    there, back = float(row.weights[key]), float(pattern[key, row.query])
    same = abs(back - there) < 1e-4
    return Question(
        "mutual",
        texts["text"].format(query=names[row.query], key=names[key], weight=precise_percent(there)),
        (texts["more"], texts["less"], texts["same"]),
        2 if same else int(back < there),
        texts["why"].format(back=precise_percent(back)),
    )
