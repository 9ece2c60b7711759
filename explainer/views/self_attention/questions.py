"""Questions on self-attention, asked of the live model."""

from collections.abc import Mapping, Sequence

import numpy as np

from explainer.content.numbers import percent, precise_percent
from explainer.content.token_names import token_names
from explainer.observation.attention_row import AttentionRow
from explainer.observation.observe import Observation
from explainer.shell.quiz import Question, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.self_attention.cells import row_of
from explainer.views.self_attention.matrices import of_head
from explainer.views.self_attention.wording import TEXTS, facts
from vit_core import ViTConfig


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    row, config, names = row_of(choice, seen, place), seen.config, token_names(seen.config)
    page_facts = facts(choice, seen, place)
    return [
        ask_strongest(row, names, page_facts),
        ask_sum(row, page_facts),
        ask_double(row, page_facts),
        ask_count(config),
        ask_mutual(row, of_head(seen, place, "pattern"), names),
    ]


def ask_strongest(
    row: AttentionRow, names: Sequence[str], page_facts: Mapping[str, object]
) -> Question:
    """Ask for the strongest of four tokens: it, the one asking, and two from further down."""
    texts, order = TEXTS["questions"]["strongest"], row.strongest
    best = int(order[0])
    others = [row.query, int(order[len(order) // 8 + 1]), int(order[len(order) // 2])]
    options = sorted({best, *others})
    shown = [(names[token], percent(float(row.weights[token]))) for token in options]
    text = texts["text"].format(**page_facts)
    return compared("strongest", text, shown, options.index(best), texts["why"], "steps")


def ask_sum(row: AttentionRow, page_facts: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["sum"]
    return Question(
        "sum",
        texts["text"].format(**page_facts),
        (
            texts["tokens"].format(**page_facts),
            texts["one"],
            texts["largest"].format(score=f"{row.scores.max():.2f}"),
            texts["depends"],
        ),
        1,
        texts["why"].format(total=f"{row.weights.sum(dtype=np.float64):.6f}"),
        shows="steps",
    )


def ask_double(row: AttentionRow, page_facts: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["double"]
    before, after = float(row.at_temperature(1).max()), float(row.at_temperature(2).max())
    stays = before - after < 1e-6
    shown = {"weight": precise_percent(before), "after": precise_percent(after)}
    options = [texts["rises"], texts["falls"], texts["stays"]]
    answer = 2 if stays else 1
    if not stays and shown["weight"] == shown["after"]:  # a fall that cannot be seen
        options, answer = [texts["falls"]], 0
    return Question(
        "double",
        texts["text"].format(weight=shown["weight"], **page_facts),
        tuple(options),
        answer,
        texts["why_stays" if stays else "why"].format(**shown),
        "temperature",
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
        shows="all",
    )


def ask_mutual(row: AttentionRow, pattern: np.ndarray, names: Sequence[str]) -> Question:
    """Ask whether the strongest key other than the query itself looks back as much."""
    texts = TEXTS["questions"]["mutual"]
    key = next(int(token) for token in row.strongest if token != row.query)
    there, back = float(row.weights[key]), float(pattern[key, row.query])
    weight, given_back = precise_percent(there), precise_percent(back)
    same = weight == given_back
    return Question(
        "mutual",
        texts["text"].format(query=names[row.query], key=names[key], weight=weight),
        (texts["more"], texts["less"], texts["same"]),
        2 if same else int(back < there),
        texts["why_same" if same else "why"].format(back=given_back),
        shows="all",
    )
