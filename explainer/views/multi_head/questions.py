"""Questions on many heads, asked of the live model."""

import numpy as np

from explainer.content.equality import holds, number_of
from explainer.content.numbers import points, precise_percent
from explainer.content.token_names import token_names
from explainer.observation import heads
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.quiz import Question, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.wording import TEXTS
from vit_core import ViTConfig
from vit_core.interpret.heads import Head

LITTLE = 0.0001  # of a probability: a hundredth of a percentage point


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    config = seen.config
    asked = [ask_width(config), ask_even(choice, seen, place)]
    is_on = (place.block, place.head) not in choice.edits.heads_off
    if seen.has_head and is_on and heads.effects_are_cheap(choice):
        asked.insert(0, ask_off(choice, seen, place))
    if config.num_heads > 1:
        asked += [ask_farthest(choice, seen, place), ask_writes(choice, seen, place)]
    return asked


def ask_off(choice: Choice, seen: Observation, place: Place) -> Question:
    texts = TEXTS["questions"]["off"]
    block, head = place.block, place.head
    best, before = seen.prediction, float(seen.probabilities[seen.prediction])
    without = heads.switched(choice, seen, (Head(block, head),))
    change = float(without[best]) - before
    shown = precise_percent(before), precise_percent(before + change), points(change)
    exact = holds(number_of(shown[1]) - number_of(shown[0]), f"{shown[2]} %")
    return Question(
        "off",
        texts["text"].format(
            block=block + 1,
            head=head + 1,
            answer=seen.class_names[best],
            share=shown[0],
        ),
        (texts["rises"], texts["falls"], texts["stays"]),
        2 if abs(change) < LITTLE else int(change < 0),
        texts["why"].format(
            before=shown[0],
            after=shown[1],
            change=shown[2],
            nearly="" if exact else texts["nearly"],
        ),
        "heads",
    )


def ask_width(config: ViTConfig) -> Question:
    texts = TEXTS["questions"]["width"]
    sizes = {"heads": config.num_heads, "head_dim": config.head_dim, "width": config.embed_dim}
    options = dict.fromkeys(
        (config.head_dim, config.embed_dim, config.num_tokens, 3 * config.embed_dim)
    )
    return Question(
        "width",
        texts["text" if config.num_heads > 1 else "text_one"].format(**sizes),
        tuple(map(str, options)),
        list(options).index(config.embed_dim),
        texts["why"].format(**sizes),
        "joined",
    )


def ask_even(choice: Choice, seen: Observation, place: Place) -> Question:
    texts = texts_of("multi_head", seen)["questions"]["even"]
    block, head = place.block, place.head
    even = heads.even_distance(seen.config.grid_size)
    value = float(heads.spread(choice, seen)[1][block, head])
    # as they are shown; a head that gives patches nothing at all has no distance
    apart = 0.0 if np.isnan(value) else round(value, 2) - round(even, 2)
    return Question(
        "even",
        texts["text"].format(even=f"{even:.2f}", block=block + 1, head=head + 1),
        (texts["nearer"], texts["farther"], texts["same"]),
        2 if abs(apart) < 0.005 else int(apart > 0),
        texts["why"].format(value=f"{value:.2f}"),
        shows="spread",
    )


def ask_farthest(choice: Choice, seen: Observation, place: Place) -> Question:
    block = place.block
    return ask_head("farthest", heads.spread(choice, seen)[1][block], "spread", block=block + 1)


def ask_writes(choice: Choice, seen: Observation, place: Place) -> Question:
    block, query = place.block, place.token(seen.telling_patch)
    sizes = np.linalg.norm(heads.contributions(choice, seen, block)[:, query], axis=1)
    name = token_names(seen.config)[query]
    return ask_head("writes", sizes, "joined", block=block + 1, query=name)


def ask_head(name: str, values: np.ndarray, shows: str, **names: object) -> Question:
    """Ask for the head with the largest value.

    Args:
        shows: the part or fold with the answer.
    """
    texts = TEXTS["questions"]
    shown = [
        # a head that gives patches nothing at all has no distance
        (texts["head"].format(head=head + 1), "–" if np.isnan(value) else f"{value:.2f}")
        for head, value in enumerate(values)
    ]
    best = int(np.nan_to_num(values).argmax())
    text, why = texts[name]["text"].format(**names), texts[name]["why"]
    return compared(name, text, shown, best, why, shows=shows)
