"""What the server answers to ``openServerLive`` of ``components/live/server.js``.

A model that is too large for a browser runs here, with the same edits as in ``vit.js``, and tensors
go back under the same names. A browser may send anything, so all of it is checked.
"""

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from explainer.inputs.models.load import Source, source_of
from explainer.inputs.models.memory import forward_lock
from explainer.state.choice import Choice
from vit_core import CheckpointError, ViTConfig
from vit_core.checkpoint import parts_of
from vit_core.data import normalize
from vit_core.interpret.cover import cover_patches, leave_out_patches
from vit_core.interpret.heads import switch_heads_off
from vit_core.interpret.position import shuffle_patches

LONGEST_ID = 40  # characters
EXACT = ("pooled", "logits")  # what pages compute with; other tensors are drawn
LARGEST_HALF = 65_504.0
COVERS = ("mean", "black", "drop")
EDITS = ("headsOff", "noPosition", "cover", "order")


@dataclass(frozen=True)
class Edits:
    """Changes of a pass; ``vit.js`` says what each does.

    Attributes:
        heads_off: (block, head) pairs.
        cover: patch of the picture → one of ``COVERS``.
        order: the patch of the picture that stands at each place; None for the picture's own order.
    """

    heads_off: tuple[tuple[int, int], ...] = ()
    no_position: bool = False
    cover: Mapping[int, str] = field(default_factory=dict)
    order: tuple[int, ...] | None = None

    def covered(self, how: str) -> list[int]:
        return [patch for patch, found in self.cover.items() if found == how]

    @property
    def left_out(self) -> list[int]:
        """The places whose tokens are left out."""
        patches = self.covered("drop")
        return patches if self.order is None else [self.order.index(patch) for patch in patches]


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
        edits = read_edits(sent.get("edits"))
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
    config, images = source.model.config, source.batch(pixels)
    for how, value in (("mean", images.mean(dim=(2, 3))), ("black", black_of(source))):
        images = cover_patches(images, config.patch_hw, edits.covered(how), value)
    if edits.order is not None:
        images = shuffle_patches(images, config.patch_hw, torch.tensor(edits.order))
    changes = dict(switch_heads_off(config, edits.heads_off))
    if edits.no_position:
        changes["pos_embed"] = torch.zeros_like
    kept: dict[str, Tensor] = {}

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name in changes:
            tensor = changes[name](tensor.clone())
        elif name == "embed" and edits.left_out:
            tensor = leave_out_patches(tensor, config, edits.left_out)
        if names is None or name in names:
            kept[name] = tensor[0].clone(memory_format=torch.contiguous_format)
        return tensor

    with torch.no_grad(), forward_lock(config):
        source.model(images, tap)
    return kept


def black_of(source: Source) -> Tensor:
    """Return what a black pixel becomes, (channels,)."""
    pixel = torch.zeros((1, source.model.config.in_channels, 1, 1), dtype=torch.uint8)
    return normalize(pixel, source.info)[0, :, 0, 0]


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


def read_edits(sent: object) -> Edits:
    """Return the edits that a browser sent; whether they fit a model is found out in the pass.

    Raises:
        ValueError: they are none.
    """
    if sent is None:
        return Edits()
    if not isinstance(sent, Mapping) or any(name not in EDITS for name in sent):
        raise ValueError(f"edits have no other names than {', '.join(EDITS)}")
    cover, order = sent.get("cover") or {}, sent.get("order")
    if not isinstance(cover, Mapping) or any(how not in COVERS for how in cover.values()):
        raise ValueError(f"a patch is covered by one of {', '.join(COVERS)}")
    heads = [whole_numbers(pair) for pair in listed(sent.get("headsOff"))]
    if any(len(pair) != 2 for pair in heads):
        raise ValueError("a head is a pair of block and head")
    return Edits(
        heads_off=tuple((pair[0], pair[1]) for pair in heads),
        no_position=bool(sent.get("noPosition")),
        cover={whole_number(patch): how for patch, how in cover.items()},
        order=None if order is None else whole_numbers(order),
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
