"""What the page on many heads says and shares between its parts."""

from collections.abc import Mapping

import numpy as np

from explainer.content import load_texts
from explainer.content.token_names import token_names
from explainer.observation import heads
from explainer.observation.observe import Observation
from explainer.observation.similarity import cosine
from explainer.state.choice import Choice
from explainer.state.place import Place

TEXTS = load_texts("multi_head")


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config = seen.config
    numbers: dict[str, object] = {
        "heads": config.num_heads,
        "head_dim": config.head_dim,
        "width": config.embed_dim,
        "tokens": config.num_tokens,
        "most": f"{np.log2(config.num_tokens):.2f}",
        "block": place.block + 1,
        "query": token_names(config)[place.token(seen.telling_patch)],
    }
    kind = "many" if config.num_heads > 1 else "one"
    return {
        **numbers,
        "lead_text": TEXTS[f"lead_{kind}"].format(**numbers),
        "film_text": TEXTS["parts"]["film"]["film_many" if config.depth > 1 else "film_one"],
        "heads_text": TEXTS["parts"]["joined"][f"heads_{kind}"].format(**numbers),
    }


def changes_of(choice: Choice, seen: Observation) -> np.ndarray:
    """Return what changes with each head off, (depth, heads).

    The answer's probability; without a head, the cosine with the intact features, which is 1.
    """
    if not seen.has_head:
        return cosine(heads.effects(choice, seen), seen.output) - 1
    best = seen.prediction
    return heads.effects(choice, seen)[..., best] - seen.probabilities[best]
