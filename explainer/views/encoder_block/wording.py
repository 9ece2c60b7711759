"""What the page on the encoder block says and shares between its parts."""

from collections.abc import Mapping

import numpy as np

from explainer.content import load_texts
from explainer.content.token_names import token_names
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core import ViTConfig

TEXTS = load_texts("encoder_block")


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config = seen.config
    many = TEXTS["depth_one" if config.depth == 1 else "depth_many"]
    return {
        "width": config.embed_dim,
        "units": config.mlp_dim,
        "tokens": config.num_tokens,
        "depth_words": many.format(depth=config.depth),
        "block": place.block + 1,
        "query": token_names(config)[place.token(seen.telling_patch)],
        **words_on_sums(choice, config),
    }


def words_on_sums(choice: Choice, config: ViTConfig) -> dict[str, str]:
    """Say what becomes of what the two parts compute, which is added in a sound model."""
    flow, mlp = TEXTS["parts"]["flow"], TEXTS["parts"]["mlp"]
    if not flaws(choice).residual:
        return {"stream_words": flow["stream_replaced"], "mlp_added": mlp["added_replaced"]}
    added = "added" if config.layer_scale is None else "added_layer_scale"
    return {"stream_words": flow["stream_added"], "mlp_added": mlp[added]}


def row(choice: Choice, seen: Observation, place: Place, name: str) -> np.ndarray:
    """Return the chosen token's row of one tensor of the chosen block."""
    return seen.tensors[f"blocks.{place.block}.{name}"][place.token(seen.telling_patch)]


def length(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector.astype(np.float64)))


def numbered(template: str, count: int) -> list[str]:
    return [template.format(number=place + 1) for place in range(count)]


def numbered_dimensions(config: ViTConfig) -> list[str]:
    return numbered(TEXTS["parts"]["flow"]["dimension"], config.embed_dim)


def active_units(choice: Choice, seen: Observation, place: Place) -> int:
    return int((row(choice, seen, place, "mlp.pre") > 0).sum())


def lengths(seen: Observation, token: int) -> np.ndarray:
    """Return the lengths of stream, attention's and the MLP's row in each block, (3, depth)."""
    return np.array(
        [
            [length(seen.tensors[f"blocks.{block}.{name}"][token]) for block in range(depth)]
            for name in ("resid_pre", "attn_out", "mlp_out")
            for depth in (seen.config.depth,)
        ],
        dtype=np.float32,
    )
