"""What the server answers to ``openServerLive`` of ``components/live/server.js``.

A model that is too large for a browser runs here, with the same edits as in ``vit.js``, and tensors
go back under the same names. A browser may send anything, so all of it is checked.
"""

import base64
import binascii
from collections.abc import Collection, Mapping

import numpy as np
import torch
from torch import Tensor

from explainer.inputs.models.changed import changes_of
from explainer.inputs.models.load import Source, source_of
from explainer.inputs.models.memory import forward_lock
from explainer.inputs.pictures.edited import edited
from explainer.state.choice import Choice
from explainer.state.edits import Edits, swaps_of
from vit_core import CheckpointError, ViTConfig
from vit_core.checkpoint import parts_of
from vit_core.interpret.cover import leave_out_patches
from vit_core.interpret.heads import Head

LONGEST_ID = 40  # characters
EXACT = ("pooled", "logits")  # what pages compute with; other tensors are drawn
LARGEST_HALF = 65_504.0
EDITS = ("headsOff", "noPosition", "cover", "order")


def answer(
    choice: Choice,
    sent: object,
    names: Collection[str] | None = None,
    mean_heads: bool = False,
) -> dict[str, str] | None:
    """Return what the component gives to ``answered``; None if a browser sent no question at all.

    Tensors that are only drawn travel in half precision: a pen asks several times a second.

    Args:
        sent: the value of the component's trigger, {id, pixels, edits}.
        names: of the tensors that are drawn; all of them if None. Those of a large model take more
            than a hundred megabytes.
        mean_heads: send the mean of a block's patterns, (1, N, N), in place of each head's.
    """
    if not isinstance(sent, Mapping):
        return None
    question = sent.get("id")
    if not isinstance(question, str) or not 0 < len(question) <= LONGEST_ID:
        return None
    try:
        pixels = read_pixels(sent.get("pixels"), choice.config)
        edits = read_edits(sent.get("edits"), choice.config)
        tensors = edited_pass(source_of(choice), pixels, edits, names)
    except (ValueError, CheckpointError, OSError) as error:
        return {"id": question, "error": str(error)}
    if mean_heads:
        tensors |= {
            name: tensor.mean(dim=0, keepdim=True)
            for name, tensor in tensors.items()
            if name.endswith(".pattern")
        }
    sent_back = {
        name: tensor if name in EXACT else tensor.clamp(-LARGEST_HALF, LARGEST_HALF).half()
        for name, tensor in tensors.items()
    }
    content = b"".join(parts_of(sent_back, {}))
    return {"id": question, "tensors": base64.b64encode(content).decode()}


def edited_pass(
    source: Source, pixels: np.ndarray, edits: Edits, names: Collection[str] | None = None
) -> dict[str, Tensor]:
    """Run a model on a picture with edits, and return its named tensors without the batch axis.

    Args:
        pixels: (height, width) uint8 of one channel, (height, width, 3) of three.
        names: of the tensors that are kept; all of them if None.

    Raises:
        ValueError: the picture or the edits do not fit the model.
    """
    config = source.model.config
    left_out = edits.left_out(config.num_patches)
    images = source.batch(edited(pixels, edits, config.patch_hw))
    changes = changes_of(config, edits)
    kept: dict[str, Tensor] = {}

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name in changes:
            tensor = changes[name](tensor.clone())
        elif name == "embed" and left_out:
            tensor = leave_out_patches(tensor, config, left_out)
        if names is None or name in names:
            kept[name] = tensor[0].clone(memory_format=torch.contiguous_format)
        return tensor

    with torch.no_grad(), forward_lock(config):
        source.model(images, tap)
    return kept


def read_pixels(sent: object, config: ViTConfig) -> np.ndarray:
    """Return the picture that a browser sent, as ``Source.batch`` takes it.

    Raises:
        ValueError: it is not one of the model's size.
    """
    height, width = config.image_hw
    count = height * width * config.in_channels
    if not isinstance(sent, str) or len(sent) != 4 * -(-count // 3):
        raise ValueError(f"a picture for this model has {count} values")
    try:
        content = base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the picture is no base64") from None
    if len(content) != count:
        raise ValueError(f"a picture for this model has {count} values, not {len(content)}")
    shape = (height, width) if config.in_channels == 1 else (height, width, config.in_channels)
    return np.frombuffer(content, np.uint8).reshape(shape)


def read_edits(sent: object, config: ViTConfig) -> Edits:
    """Return the edits that a browser sent; whether all fit the model is found out in the pass.

    Raises:
        ValueError: they are none, or the order is one of another number of patches.
    """
    if sent is None:
        return Edits()
    if not isinstance(sent, Mapping) or any(name not in EDITS for name in sent):
        raise ValueError(f"edits have no other names than {', '.join(EDITS)}")
    cover, order = sent.get("cover") or {}, sent.get("order")
    if not isinstance(cover, Mapping):
        raise ValueError("a cover names patches")
    if not all(isinstance(how, str) for how in cover.values()):
        raise ValueError("a way to cover is a word")
    heads = [whole_numbers(pair) for pair in listed(sent.get("headsOff"))]
    if any(len(pair) != 2 for pair in heads):
        raise ValueError("a head is a pair of block and head")
    patches = None if order is None else whole_numbers(order)
    if patches is not None and len(patches) != config.num_patches:
        raise ValueError(f"an order names each of the {config.num_patches} patches")
    return Edits(
        heads_off=tuple(Head(*pair) for pair in heads),
        no_position=bool(sent.get("noPosition")),
        cover=tuple((whole_number(patch), how) for patch, how in cover.items()),
        swaps=() if patches is None else swaps_of(patches),
    )


def whole_numbers(sent: object) -> tuple[int, ...]:
    return tuple(whole_number(value) for value in listed(sent))


def listed(sent: object) -> list[object]:
    if sent is None:
        return []
    if not isinstance(sent, list | tuple):
        raise ValueError("a list is expected")
    return list(sent)


def whole_number(sent: object) -> int:
    """Return an index; the names of a JSON object's entries are texts."""
    if isinstance(sent, str) and sent.isdecimal() and len(sent) < 10:
        return int(sent)
    if isinstance(sent, bool) or not isinstance(sent, int):
        raise ValueError("an index is a whole number")
    return sent
