"""Questions on the features, asked of the live model."""

from explainer.content.equality import holds, number_of
from explainer.observation import features
from explainer.observation.observe import Observation
from explainer.shell.quiz import Question, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.features.wording import TEXTS, share

BOUNDS = (0.1, 0.5)  # of the share that three directions hold


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    return [
        ask_size(seen),
        ask_variance(seen),
        ask_nearest(choice, seen),
        ask_twice(),
    ]


def ask_size(seen: Observation) -> Question:
    texts, config = TEXTS["questions"]["size"], seen.config
    width, tokens = config.embed_dim, config.num_tokens
    options = sorted({tokens, width, tokens * width, config.num_patches * config.patch_dim})
    return Question(
        "size",
        texts["text"],
        tuple(f"{option:,}" for option in options),
        options.index(width),
        texts["why"].format(width=width),
        "read",
    )


def ask_variance(seen: Observation) -> Question:
    texts, components = TEXTS["questions"]["variance"], features.principal(seen)
    whole, each = (
        share(float(components.shares.sum())),
        [share(float(one)) for one in components.shares],
    )
    return Question(
        "variance",
        texts["text"].format(width=seen.config.embed_dim),
        (texts["less"], texts["some"], texts["most"]),
        sum(number_of(whole) > bound for bound in BOUNDS),
        texts["why"].format(
            shares=whole,
            each=", ".join(each),
            nearly="" if holds(sum(map(number_of, each)), whole) else texts["nearly"],
        ),
        "colours",
    )


def ask_nearest(choice: Choice, seen: Observation) -> Question:
    """Ask for the nearest of four pictures, among them the farthest."""
    texts, neighbours = TEXTS["questions"]["nearest"], features.neighbours(choice, seen)
    places = sorted({0, 1, len(neighbours) // 2, len(neighbours) - 1})
    options = sorted((neighbours[index] for index in places), key=lambda one: one.name)
    shown = [(one.name, f"{one.cosine:.3f}") for one in options]
    best = options.index(neighbours[0])
    return compared("nearest", texts["text"], shown, best, texts["why"], "nearest")


def ask_twice() -> Question:
    texts = TEXTS["questions"]["twice"]
    options = (texts["rises"], texts["falls"], texts["stays"])
    return Question("twice", texts["text"], options, 2, texts["why"], shows="nearest")
