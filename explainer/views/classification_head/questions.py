"""Questions on the classification head, asked of the live model."""

from collections.abc import Mapping

import numpy as np

from explainer.lens import lens, written
from explainer.quiz import Question
from explainer.services import Observation
from explainer.state import Choice
from explainer.views.classification_head.wording import (
    TEXTS,
    facts,
    signed,
    stage_names,
    writer_names,
)


def questions(choice: Choice, seen: Observation) -> list[Question]:
    words = facts(choice, seen)
    return [
        ask_settles(choice, seen, words),
        ask_ratio(seen, words),
        ask_writer(choice, seen, words),
        ask_shift(words),
    ]


def ask_settles(choice: Choice, seen: Observation, words: Mapping[str, object]) -> Question:
    texts, found = TEXTS["questions"]["settles"], lens(choice, seen)
    stages = stage_names(seen.config)
    said = "; ".join(
        f"{stage} {seen.class_names[name]}" for stage, name in zip(stages, found.said, strict=True)
    )
    return Question(
        "settles",
        texts["text"].format(**words),
        tuple(stages),
        found.settled,
        texts["why"].format(story=said),
    )


def ask_ratio(seen: Observation, words: Mapping[str, object]) -> Question:
    texts, best = TEXTS["questions"]["ratio"], seen.prediction
    second = int(np.argsort(-seen.logits, kind="stable")[1])
    difference = float(np.float64(seen.logits[best]) - np.float64(seen.logits[second]))
    numbers = (difference, 10 * difference, np.exp(difference), np.exp(2 * difference))
    options = tuple(texts["times"].format(number=rounded(number)) for number in numbers)
    rival = {**words, "rival": seen.class_names[second], "difference": f"{difference:.2f}"}
    return Question(
        "ratio",
        texts["text"].format(**rival),
        options,
        2,
        texts["why"].format(difference=f"{difference:.2f}", ratio=rounded(numbers[2])),
    )


def rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def ask_writer(choice: Choice, seen: Observation, words: Mapping[str, object]) -> Question:
    """Ask for the largest of four contributions to the answer's logit, among them the smallest."""
    texts, split = TEXTS["questions"]["writer"], written(choice, seen)
    names, column = writer_names(split), split.logits[:, seen.prediction]
    order = np.argsort(-column, kind="stable")
    places = sorted({int(order[at]) for at in (0, 1, len(order) // 2, -1)})
    values = ", ".join(f"{names[place]} {signed(float(column[place]))}" for place in places)
    return Question(
        "writer",
        texts["text"].format(**words),
        tuple(names[place] for place in places),
        places.index(int(order[0])),
        texts["why"].format(values=values, **words),
    )


def ask_shift(words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["shift"]
    options = (texts["rises"], texts["falls"], texts["stays"])
    return Question("shift", texts["text"].format(**words), options, 2, texts["why"])
