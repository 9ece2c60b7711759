"""The questions of the page on patches, answered by what was measured."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from explainer.content.equality import sign
from explainer.content.numbers import fixed
from explainer.content.token_names import patch_names
from explainer.observation.observe import Observation
from explainer.observation.patches_of import patches_of
from explainer.observation.text_variants import texts_of
from explainer.shell.quiz import Question, askable, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patches.grids import cost_of, grids_to_compare
from explainer.views.patches.normalise import black_of, normalised
from explainer.views.patches.wording import TEXTS, facts, info_of
from vit_core import ViTConfig
from vit_core.data import DataInfo


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    """Return a question for each part; of an image of one brightness, none about the brightest."""
    texts = texts_of("patches", seen)["questions"]
    ink = ask_ink(seen, texts["ink"])
    return [
        ink if askable([ink]) else ask_values(facts(choice, seen, place)),
        ask_black(info_of(choice), texts["black"]),
        ask_pairs(seen.config),
    ]


def ask_ink(seen: Observation, texts: Mapping[str, str]) -> Question:
    """Ask which of four patches is the brightest: it, and three from further down."""
    config = seen.config
    ink = patches_of(seen, config.patch_hw).sum(axis=1, dtype=np.int64).tolist()
    order = sorted(range(len(ink)), key=lambda patch: -ink[patch])
    best = order[0]
    others = (order[place] for place in (1, 3, len(order) // 4 + 1) if place < len(order))
    options = sorted({best, *others})
    names = patch_names(config)
    shown = [(names[patch], f"{ink[patch]:,}") for patch in options]
    most = 255 * config.patch_dim
    right = options.index(best)
    return compared("ink", texts["text"], shown, right, texts["why"], part="explore", most=most)


def ask_values(values: Mapping[str, Any]) -> Question:
    texts = TEXTS["questions"]["values"]
    right = values["values"]
    return number_question(
        "values",
        texts["text"],
        {right, values["height"], values["count"], 2 * right},
        right,
        texts["why"].format(**values),
        "explore",
    )


def ask_pairs(config: ViTConfig) -> Question:
    """Ask what a finer grid costs, which has a whole number of patches where a coarser has one."""
    texts, (few, many) = TEXTS["questions"]["pairs"], grids_to_compare(config)
    before, after, times = cost_of(config, few), cost_of(config, many), many // few
    return number_question(
        "pairs",
        texts["text"].format(few=few, many=many, before=before.pairs),
        {times * before.pairs, times**2 * before.pairs, after.pairs, times**6 * before.pairs},
        after.pairs,
        texts["why"].format(
            tokens=after.tokens, after=after.pairs, times=after.pairs / before.pairs
        ),
        "cut",
    )


def ask_black(info: DataInfo, texts: Mapping[str, str]) -> Question:
    black, mean, std = fixed(black_of(info), 2), f"{info.mean[0]:.4f}", f"{info.std[0]:.4f}"
    sign_of_black = sign(normalised(0, mean, std), black)
    options = tuple(fixed(number, 2) for number in (-1, black_of(info), 0, 1 / info.std[0]))
    return Question(
        "black",
        texts["text"],
        options,
        1,
        texts["why"].format(mean=mean, std=std, black=black, sign=sign_of_black),
        part="normalise",
    )


def number_question(
    name: str, text: str, numbers: set[int], right: int, why: str, part: str
) -> Question:
    options = sorted(numbers)
    shown = tuple(f"{option:,}" for option in options)
    return Question(name, text, shown, options.index(right), why, part)
