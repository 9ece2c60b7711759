"""Questions on the class token, asked of the live model."""

import numpy as np

from explainer.content.equality import sign
from explainer.content.numbers import fixed, percent, rest_percent
from explainer.observation.observe import Observation
from explainer.shell.quiz import Question, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.class_token.values import (
    attention_of_class,
    cosines,
    journey,
    start_difference,
)
from explainer.views.class_token.wording import TEXTS, facts, has_class


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    """Return a question for each part that shows something, by what this model reads."""
    shape = ask_shape(choice, seen, place)
    if not has_class(seen.config):
        return [shape, ask_share(seen), ask_longest(seen)]
    asked = [shape, ask_image(choice, seen), ask_itself(seen)]
    return asked if seen.config.depth == 1 else [*asked, ask_turns(seen)]


def ask_shape(choice: Choice, seen: Observation, place: Place) -> Question:
    texts, config = TEXTS["questions"]["shape"], seen.config
    patches, width = config.num_patches, config.embed_dim
    shapes = [(patches, width), (patches + 1, width), (patches, width + 1), (2 * patches, width)]
    right = (config.num_tokens, width)
    if right not in shapes:
        shapes[-1] = right
    why = texts["why_class" if has_class(config) else "why_mean"]
    if config.num_registers:
        why = f"{why} {texts['why_registers']}"
    values = facts(choice, seen, place)
    return Question(
        "shape",
        texts["text"].format(**values),
        tuple(f"({rows}, {columns})" for rows, columns in shapes),
        shapes.index(right),
        why.format(**values),
        part="join",
    )


def ask_image(choice: Choice, seen: Observation) -> Question:
    texts = TEXTS["questions"]["image"]
    difference = start_difference(choice, seen)
    return Question(
        "image",
        texts["text"],
        (texts["changes"], texts["zero"], texts["stays"]),
        2 if difference == 0 else 0,
        texts["why"].format(difference=f"{difference:g}"),
        part="what",
    )


def ask_share(seen: Observation) -> Question:
    texts, patches = TEXTS["questions"]["share"], seen.config.num_patches
    right = f"{1 / patches:.3g}"
    options = (f"{1 / seen.config.embed_dim:.3g}", right, "1", str(patches))
    return Question(
        "share",
        texts["text"],
        options,
        options.index(right),
        texts["why"].format(patches=patches, share=right, sign=sign(1 / patches, right)),
        part="what",
    )


def ask_itself(seen: Observation) -> Question:
    """Ask for the class token's attention to itself, among shares that are far from each other."""
    texts, config = TEXTS["questions"]["itself"], seen.config
    share = float(attention_of_class(seen, config.depth - 1)[0])
    shares = [share, *(one for one in (0.02, 0.25, 0.6, 0.95) if abs(one - share) > 0.12)][:4]
    options = sorted(shares)
    return Question(
        "itself",
        texts["text"],
        tuple(percent(one) for one in options),
        options.index(share),
        texts["why"].format(
            share=percent(share), rest=rest_percent(share), patches=config.num_tokens - 1
        ),
        part="listens",
    )


def ask_longest(seen: Observation) -> Question:
    texts = TEXTS["questions"]["longest"]
    sizes = np.linalg.norm(journey(seen), axis=1)
    start, end = float(sizes[0]), float(sizes[-1])
    options = sorted({round(number, 2) for number in (end, end / 10, end * 10, end / 3)})
    return Question(
        "longest",
        texts["text"].format(row=TEXTS["questions"]["turns"]["mean_row"], start=f"{start:.2f}"),
        tuple(f"{number:.2f}" for number in options),
        options.index(round(end, 2)),
        texts["why"].format(start=f"{start:.2f}", end=f"{end:.2f}"),
        part="journey",
    )


def ask_turns(seen: Observation) -> Question:
    texts, turns = TEXTS["questions"]["turns"], cosines(journey(seen))
    block = TEXTS["parts"]["listens"]["block"]
    row = texts["class_row" if has_class(seen.config) else "mean_row"]
    shown = [
        (block.format(number=place + 1), fixed(float(turn), 2)) for place, turn in enumerate(turns)
    ]
    text = texts["text"].format(row=row)
    return compared("turns", text, shown, int(turns.argmin()), texts["why"], part="journey")
