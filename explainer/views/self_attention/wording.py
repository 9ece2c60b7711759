"""What the page on self-attention says and shares between its parts."""

from collections.abc import Mapping

import numpy as np

from explainer.components.token_picker import token_picker
from explainer.content import load_texts
from explainer.content.token_names import prefix_names, token_names
from explainer.observation.observe import Observation
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place

TEXTS = load_texts("self_attention")


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config = seen.config
    # biases stand in the equations of a model that has them
    biases = {f"plus_{one}": f" + b_{one}" if config.qkv_bias else "" for one in "qkv"}
    return {
        **biases,
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


def show_image(
    key: str, choice: Choice, seen: Observation, place: Place, shares: np.ndarray | None = None
) -> None:
    """Draw the image to point at and click, with weights over it if there are any."""
    query = place.token(seen.telling_patch)
    row = None if shares is None else (place.block, place.head, query)
    token_picker(
        key=place.key(key),
        group=place.prefix,
        image=seen.pixels,
        grid=seen.config.grid_size,
        prefix_names=prefix_names(seen.config),
        query=query,
        on_choose=lambda clicked: session.set_query(clicked["query"]),
        values=shares,
        cache=(choice, row),
    )


def numbered(name: str, count: int) -> list[str]:
    template = TEXTS["parts"]["qkv"][name]
    return [template.format(number=place + 1) for place in range(count)]
