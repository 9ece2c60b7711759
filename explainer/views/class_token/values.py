"""What the page shows of the class token, as arrays."""

import numpy as np
import torch
from torch import Tensor

from explainer.caching import remember
from explainer.inputs.models import load
from explainer.inputs.pictures import chosen
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.views.class_token.wording import has_class, others


def start_rows(choice: Choice, seen: Observation) -> np.ndarray:
    """Return row 0 of the tokens for this image and for others, each from a pass of its own."""
    return remember(
        ("class token rows", choice),
        lambda: np.stack([seen.tensors["tokens"][0], *map(start_row, others(choice))]),
    )


def start_row(choice: Choice) -> np.ndarray:
    """Return row 0 of the tokens for an image, from a pass that goes no further than them."""
    source = load.source_of(choice)
    images = source.batch(chosen.picture(choice))
    found: dict[str, Tensor] = {}
    with torch.no_grad():
        source.model.embed(source.model.patch_embed(images), found.setdefault)
    return found["tokens"][0, 0].numpy()


def start_difference(choice: Choice, seen: Observation) -> float:
    rows = start_rows(choice, seen)
    return float((rows.max(axis=0) - rows.min(axis=0)).max())


def journey(seen: Observation) -> np.ndarray:
    """Return the row that is read before the first block and after each, (depth + 1, D)."""
    config = seen.config
    keys = ("embed", *(f"blocks.{block}.resid_post" for block in range(config.depth)))
    if has_class(config):
        return np.stack([seen.tensors[key][0] for key in keys])
    return np.stack([seen.tensors[key][config.num_prefix_tokens :].mean(axis=0) for key in keys])


def cosines(rows: np.ndarray) -> np.ndarray:
    """Return the cosine of each row with the one before, (rows - 1,); 1 where one is zero."""
    rows = rows.astype(np.float64)
    sizes = np.linalg.norm(rows, axis=1)
    products, both = (rows[1:] * rows[:-1]).sum(axis=1), sizes[1:] * sizes[:-1]
    return np.divide(products, both, out=np.ones_like(products), where=both > 0)


def attention_of_class(seen: Observation, block: int) -> np.ndarray:
    """Return the class token's attention, all heads averaged, (N,)."""
    return seen.tensors[f"blocks.{block}.attn.pattern"][:, 0].mean(axis=0)
