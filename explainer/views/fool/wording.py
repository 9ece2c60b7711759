"""The texts of the page for a model and a picture."""

from collections.abc import Mapping
from typing import Any

from explainer.content.strangers_words import plain_format
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of


def texts_for(seen: Observation) -> Mapping[str, Any]:
    return texts_of("fool", seen)


def counted(texts: Mapping[str, str], name: str, count: int, **facts: object) -> str:
    """Return a text in its variant for none, for one, or for several."""
    for ending in {0: ("_none",), 1: ("_one",)}.get(count, ()):
        name = name + ending if name + ending in texts else name
    return plain_format(texts[name], count=count, **facts)
