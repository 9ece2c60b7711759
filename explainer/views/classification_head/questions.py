"""Questions on the classification head, asked of the live model."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from explainer.content.equality import holds, number_of
from explainer.content.numbers import SUPERSCRIPTS, fixed
from explainer.observation.lens import attribution, lens
from explainer.observation.observe import Observation
from explainer.shell.quiz import Question, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.wording import (
    TEXTS,
    facts,
    first_stage,
    settled,
    stage_names,
    writer_names,
)

LARGE = math.log(1e6)  # from here on a power of e is written with a power of ten


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    page_facts = facts(choice, seen, place)
    return [
        ask_settles(choice, seen, page_facts),
        ask_ratio(seen, page_facts),
        ask_writer(choice, seen, page_facts),
        ask_shift(page_facts),
    ]


def ask_settles(choice: Choice, seen: Observation, page_facts: Mapping[str, object]) -> Question:
    texts, readings = TEXTS["questions"]["settles"], lens(choice, seen)
    stages, first = stage_names(seen.config), first_stage(seen.config)
    story = "; ".join(
        f"{stage} {seen.class_names[name]}"
        for stage, name in zip(stages, readings.predictions, strict=True)
    )
    return Question(
        "settles",
        texts["text"].format(**page_facts),
        tuple(stages[first:]),
        settled(choice, seen) - first,
        texts["why"].format(story=story),
        "lens",
    )


def ask_ratio(seen: Observation, page_facts: Mapping[str, object]) -> Question:
    texts, best = TEXTS["questions"]["ratio"], seen.prediction
    second = int(np.argsort(-seen.logits, kind="stable")[1])
    difference = float(np.float64(seen.logits[best]) - np.float64(seen.logits[second]))
    shown, ratio = f"{difference:.2f}", power_of_e(difference)
    numbers = (
        rounded(difference),
        rounded(10 * difference),
        ratio,
        power_of_e(2 * difference),
    )
    options = tuple(texts["times"].format(number=number) for number in numbers)
    rival = {**page_facts, "rival": seen.class_names[second], "difference": shown}
    # of the difference as it is shown, e may have another power
    exact = difference < LARGE and holds(math.exp(number_of(shown)), ratio)
    return Question(
        "ratio",
        texts["text"].format(**rival),
        options,
        2,
        texts["why"].format(
            difference=shown, ratio=ratio, is_about=texts["is" if exact else "about"]
        ),
        "logits",
    )


def rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def power_of_e(number: float) -> str:
    """Write e to the power of a number of any size."""
    if number < LARGE:
        return rounded(math.exp(number))
    power, rest = divmod(number / math.log(10), 1)
    return f"{10**rest:.2f}·10{str(int(power)).translate(SUPERSCRIPTS)}"


def ask_writer(choice: Choice, seen: Observation, page_facts: Mapping[str, Any]) -> Question:
    """Ask for the largest of four contributions to the answer's logit, among them the smallest."""
    texts, split = TEXTS["questions"]["writer"], attribution(choice, seen)
    names, column = writer_names(split), split.logits[:, seen.prediction]
    order = np.argsort(-column, kind="stable")
    places = sorted({int(order[at]) for at in (0, 1, len(order) // 2, -1)})
    shown = [(names[place], fixed(float(column[place]), 2, signed=True)) for place in places]
    text, best = texts["text"].format(**page_facts), places.index(int(order[0]))
    return compared("writer", text, shown, best, texts["why"], "parts", **page_facts)


def ask_shift(page_facts: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["shift"]
    options = (texts["rises"], texts["falls"], texts["stays"])
    return Question(
        "shift", texts["text"].format(**page_facts), options, 2, texts["why"], "softmax"
    )
