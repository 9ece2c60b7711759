"""What the page on self-attention says and shares between its parts."""

from collections.abc import Mapping

import numpy as np

from explainer.content import load_texts
from explainer.content.token_names import token_names
from explainer.observation.flaws import flaws, mistakes
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place

TEXTS = load_texts("self_attention")


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config, steps = seen.config, TEXTS["parts"]["steps"]
    is_divided = flaws(choice).scale_scores
    # biases stand in the equations of a model that has them
    biases = {f"plus_{one}": f" + b_{one}" if config.qkv_bias else "" for one in "qkv"}
    return {
        **biases,
        "score_words": steps["divided" if is_divided else "undivided"].format(
            root=f"{config.head_dim**0.5:.4g}", head_dim=config.head_dim
        ),
        "trained_words": trained_words(choice),
        "width": config.embed_dim,
        "heads": config.num_heads,
        "head_dim": config.head_dim,
        "root": f"{config.head_dim**0.5:.4g}",
        "tokens": config.num_tokens,
        "most": f"{np.log2(config.num_tokens):.2f}",
        "block": place.block + 1,
        "head": place.head + 1,
        "query": token_names(config)[place.token(seen.telling_patch)],
    }


def trained_words(choice: Choice) -> str:
    """Say with which scores the model learned its weights; nothing of one that learned nothing."""
    texts = TEXTS["parts"]["temperature"]
    if not choice.trained:
        return ""
    return texts["trained_undivided" if "no_scaling" in mistakes(choice) else "trained"]
