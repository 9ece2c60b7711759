"""What the browser needs of one picture and its answer, as one block of bytes."""

from typing import Any

import numpy as np

from explainer.caching import remember
from explainer.components.packing import as_image, pack, picture_header
from explainer.content.token_names import prefix_names
from explainer.inputs.pictures.galleries import DIGITS
from explainer.observation.challenges import challenges, looks
from explainer.observation.observe import Observation
from explainer.shell.saved import in_browser
from explainer.shell.story.packed import short_name
from explainer.state.choice import Choice
from explainer.views.fool.wording import texts_for


def pack_fool(choice: Choice, seen: Observation) -> bytes:
    """Return what the browser needs, made once for all visitors."""
    return remember(("fool", choice), lambda: packed(choice, seen))


def packed(choice: Choice, seen: Observation) -> bytes:
    config, texts = seen.config, texts_for(seen)
    image = as_image(seen.pixels)
    header: dict[str, Any] = {
        **picture_header("fool", image, config.grid_size, prefix_names(config)),
        "context": short_name(choice),
        "texts": {name: texts[name] for name in ("play", "lines", "lines_features", "challenge")},
        "has_head": seen.has_head,
        "class_names": [str(name) for name in seen.class_names],
        "label": -1 if seen.label is None else seen.label,
        "pool": config.pool,
        "depth": config.depth,
        "heads": config.num_heads,
        "has_position": config.pos_embed != "none",
        "way": way_of(choice),
        "others": ["other", "hard"] if choice.gallery == DIGITS else ["other"],
        "challenges": challenges(seen),
        "save": in_browser("fool", texts["title" if seen.has_head else "title_features"], choice),
    }
    arrays = {"image": image, "outcome": np.asarray(seen.output, np.float32)}
    return pack(header, {**arrays, "looks": np.asarray(looks(seen), np.float32)})


def way_of(choice: Choice) -> str:
    """Return how patches are covered at first, and in challenges.

    Around a digit it is black already; a photograph is black nowhere, so that black would tell.
    """
    return "black" if choice.takes_drawings else "mean"
