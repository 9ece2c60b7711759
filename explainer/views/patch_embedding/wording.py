"""What the parts say in the same way: the page's facts, its names and its numbers."""

import math
from collections.abc import Mapping

from explainer.content import load_texts
from explainer.content.numbers import fixed
from explainer.content.token_names import patch_names, value_names
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding import measures
from vit_core import ViTConfig

TEXTS = load_texts("patch_embedding")


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config = seen.config
    return {
        "patches": config.num_patches,
        "values": config.patch_dim,
        "width": config.embed_dim,
        "side": config.patch_hw[0],
        "count": f"{config.embed_dim * config.patch_dim:,}",
        "patch": patch_names(config)[patch_of(choice, seen, place)],
        "filters_kind": filters_kind(choice, seen),
    }


def filters_kind(choice: Choice, seen: Observation) -> str:
    """Say what the filters look like, as it was measured."""
    texts = texts_of("patch_embedding", seen)["parts"]["filters"]
    agreement = fixed(measures.agreement(choice).value, 2)
    return texts[kind_of(choice)].format(agreement=agreement, width=seen.config.embed_dim)


def patch_of(choice: Choice, seen: Observation, place: Place) -> int:
    return place.patch(seen.telling_patch)


def minus(text: str) -> str:
    """Write a number with a proper minus sign."""
    return text.replace("-", "−")


def numbered(template: str, count: int) -> list[str]:
    return [template.format(number=place + 1) for place in range(count)]


def pixel_names(config: ViTConfig) -> list[str]:
    """Name the values of a patch."""
    return value_names(config)


def kind_of(choice: Choice) -> str:
    """Return which words fit the filters, as they were measured."""
    if max(choice.config.patch_hw) == 1:
        return "single"
    agreement = measures.agreement(choice)
    if math.isnan(agreement.value):
        return "blank"
    if not choice.trained:
        return "untrained"
    return "smooth" if agreement.is_smooth else "rough"
