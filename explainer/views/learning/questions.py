"""Questions on how a model learns, answered by the gradients of the picture in hand."""

import math

from explainer.content.numbers import percent, written
from explainer.observation.flaws import flaws
from explainer.observation.learning.backwards import sizes
from explainer.observation.learning.lesson import Lesson, lesson_of
from explainer.observation.learning.one_weight import gradient_at
from explainer.observation.observe import Observation
from explainer.shell.quiz import Question, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.learning.data import ask_data
from explainer.views.learning.schedule import ask_schedule
from explainer.views.learning.step import ask_step
from explainer.views.learning.weight import weight_of
from explainer.views.learning.wording import TEXTS


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    taught = lesson_of(choice, seen, place)
    return [
        ask_halves(taught),
        ask_added(choice, taught, place),
        ask_sign(choice, seen, place, taught),
        ask_sum(taught),
        ask_largest(choice, seen, taught),
        *ask_step(choice, seen, place),
        *ask_schedule(choice, seen, place),
        ask_data(),
    ]


def general_questions() -> list[Question]:
    """Return questions on losses that need no model."""
    asked = []
    for name in ("certain", "coin", "classes"):
        texts = TEXTS["questions"][name]
        options = tuple(texts[option] for option in ("first", "second", "third"))
        right = int(texts["answer"]) - 1
        asked.append(Question(name, texts["text"], options, right, texts["why"]))
    return asked


def ask_halves(taught: Lesson) -> Question:
    texts = TEXTS["questions"]["halves"]
    return Question(
        "halves",
        texts["text"].format(probability=percent(float(taught.probabilities[taught.target]))),
        (texts["doubles"], texts["ln_two"], texts["half"]),
        1,
        texts["why"].format(before=written(taught.loss), after=written(taught.loss + math.log(2))),
        "loss",
    )


def ask_sum(taught: Lesson) -> Question:
    texts = TEXTS["questions"]["sum"]
    options = (
        texts["zero"],
        texts["one"],
        texts["loss"].format(loss=written(taught.loss)),
        texts["classes"].format(classes=f"{len(taught.probabilities):,}"),
    )
    return Question("sum", texts["text"], options, 0, texts["why"], shows="class-gradients")


def ask_added(choice: Choice, taught: Lesson, place: Place) -> Question:
    texts, block = TEXTS["questions"]["added"], place.block
    kind = "" if flaws(choice).residual else "_replaced"
    found = sizes(choice, taught.target)
    return Question(
        "added",
        texts[f"text{kind}"].format(block=block + 1),
        (texts["same"], texts["half"], texts["smaller"]),
        0,
        texts[f"why{kind}"].format(
            out=written(found[f"blocks.{block}.attn_out"]),
            sum=written(found[f"blocks.{block}.resid_mid"]),
        ),
        "backwards",
    )


def ask_largest(choice: Choice, seen: Observation, taught: Lesson) -> Question:
    """Ask of the ends of a few blocks, and of what goes into the first."""
    texts, depth = TEXTS["questions"]["largest"], seen.config.depth
    found = sizes(choice, taught.target)
    blocks = sorted({depth - 1, depth // 2, 0}, reverse=True)
    places = [(texts["after"].format(block=b + 1), found[f"blocks.{b}.resid_post"]) for b in blocks]
    places.append((texts["before"], found["blocks.0.resid_pre"]))
    largest = max(range(len(places)), key=lambda index: places[index][1])
    shown = [(name, written(size)) for name, size in places]
    return compared("largest", texts["text"], shown, largest, texts["why"], shows="gradient-sizes")


def ask_sign(choice: Choice, seen: Observation, place: Place, taught: Lesson) -> Question:
    texts, weight = TEXTS["questions"]["sign"], weight_of(choice, seen, place)
    gradient = gradient_at(taught, weight)
    return Question(
        "sign",
        texts["text"].format(gradient=written(gradient)),
        (texts["grows"], texts["falls"], texts["stays"]),
        0 if gradient > 0 else 1 if gradient < 0 else 2,
        texts["why"],
        "weight",
    )
