"""What the page on learning says and shares between its parts."""

import math
from collections.abc import Mapping

from explainer.content import load_texts
from explainer.content.equality import number_of, sign
from explainer.content.numbers import percent, with_article, written
from explainer.observation.learning.lesson import (
    LARGEST,
    can_learn,
    gradient_bytes,
    lesson_of,
    target_of,
)
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.state.choice import Choice
from explainer.state.link import IN_BLOCK, NUDGES
from explainer.state.place import Place
from vit_core import ViTConfig
from vit_core.learning.loss import guessing_loss

TEXTS = load_texts("learning")
MEGABYTE = 1024**2
NEARLY_ONE = 0.99  # a probability above it is written as what is missing to 1


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    if not can_learn(seen.config):
        return {"lead_words": TEXTS["lead_without"], "loss_words": why_not(seen.config)}
    taught = lesson_of(choice, seen, place)
    loss = written(taught.loss)
    plain, shown = probability_text(taught.loss)
    found: dict[str, object] = {
        "lead_words": TEXTS["lead_classes"],
        "target_words": target_words(seen, place),
        "truth": seen.class_names[taught.target],
        "classes": f"{seen.config.num_classes:,}",
        "probability": percent(float(taught.probabilities[taught.target])),
        "probability_plain": plain,
        "sign": sign(shown, loss),
        "loss": loss,
        "guess": written(guessing_loss(seen.config.num_classes)),
        "passes": len(NUDGES),
        "block": place.block + 1,
    }
    return found | {"loss_words": TEXTS["parts"]["loss"]["words"].format(**found)}


def probability_text(loss: float) -> tuple[str, float]:
    """Return a probability as it is written into its logarithm, and the loss of what is written."""
    probability = math.exp(-loss)
    if probability > NEARLY_ONE and (missing := -math.expm1(-loss)):
        text = written(missing)
        return f"1 − {text}", -math.log1p(-number_of(text))
    text = written(probability)
    shown = number_of(text)
    return text, -math.log(shown) if shown else math.inf


def why_not(config: ViTConfig) -> str:
    """Say why a model has no lesson."""
    if not config.num_classes:
        return str(TEXTS["without"]["headless"])
    size, most = (f"{count / MEGABYTE:,.0f}" for count in (gradient_bytes(config), LARGEST))
    return str(TEXTS["without"]["large"].format(size=size, most=most))


def target_words(seen: Observation, place: Place) -> str:
    """Say which class the loss asks for, and who says so."""
    texts = texts_of("learning", seen)["parts"]["loss"]
    name = seen.class_names[target_of(seen, place)]
    if seen.label is not None:
        return str(texts["target_known"].format(a_truth=with_article(name), truth=name))
    return str(
        texts["target_guessed" if place.target is None else "target_said"].format(truth=name)
    )


def station_name(station: str, block: int) -> str:
    """Return what a tensor is called, and in which block it is."""
    name = str(TEXTS["stations"][station])
    if station not in IN_BLOCK:
        return name
    return str(TEXTS["parts"]["backwards"]["in_block"].format(block=block + 1, station=name))
