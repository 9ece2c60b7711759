"""What the page on the classification head says and shares between its parts."""

from collections.abc import Mapping

import numpy as np

from explainer.content import load_texts
from explainer.content.numbers import precise_percent
from explainer.observation.lens import Attribution, lens
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core import ViTConfig

TEXTS = load_texts("classification_head")


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config = seen.config
    reads = TEXTS["parts"]["logits"]["reads_class" if config.pool == "cls" else "reads_mean"]
    return {
        "tokens": config.num_tokens,
        "patches": config.num_patches,
        "classes": config.num_classes,
        "width": config.embed_dim,
        "depth": config.depth,
        "reads": reads.format(patches=config.num_patches),
        "answer": seen.class_names[seen.prediction],
        "rival": seen.class_names[rival_of(seen)],
        "share": precise_percent(float(seen.probabilities[seen.prediction])),
        "story": story(choice, seen),
    }


def rival_of(seen: Observation) -> int:
    """Return the class to hold the answer against: the true one if it is another, else the second.

    The answer is compared with what it should have been.
    """
    if seen.label is not None and seen.label != seen.prediction:
        return seen.label
    return int(np.argsort(-seen.logits, kind="stable")[1])


def numbered(count: int) -> list[str]:
    template = TEXTS["pooled"]["dimension"]
    return [template.format(number=place + 1) for place in range(count)]


def writer_names(split: Attribution, with_constant: bool = False) -> list[str]:
    texts, names = TEXTS["parts"]["parts"], []
    for key in split.keys:
        if key == "embed":
            names.append(texts["embed"])
        else:
            _, block, part = key.split(".")
            names.append(texts[part.removesuffix("_out")].format(block=int(block) + 1))
    return [*names, texts["constant"]] if with_constant else names


def stage_names(config: ViTConfig) -> list[str]:
    texts = TEXTS["parts"]["lens"]
    after = [texts["stage"].format(block=block + 1) for block in range(config.depth)]
    return [texts["stage_start"], *after]


def first_stage(config: ViTConfig) -> int:
    """Return the first stage of the lens that knows of the picture; a class token starts bare."""
    return 1 if config.pool == "cls" else 0


def settled(choice: Choice, seen: Observation) -> int:
    """Return the first stage that knows of the picture and from which on the answer stays."""
    return max(lens(choice, seen).settled, first_stage(seen.config))


def story(choice: Choice, seen: Observation) -> str:
    """Say where the head would have settled on its answer."""
    texts, stage = TEXTS["parts"]["lens"], settled(choice, seen)
    name = (
        "story_start"
        if stage == 0
        else "story_last"
        if stage == seen.config.depth
        else "story_settles"
    )
    sentence = texts[name].format(
        answer=seen.class_names[seen.prediction], stage=stage_names(seen.config)[stage]
    )
    return f"{sentence} {texts['story_class']}" if first_stage(seen.config) else sentence
