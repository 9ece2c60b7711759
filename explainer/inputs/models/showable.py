"""Which models the pages can show: their shape, and what they tell apart.

Names of classes are a stranger's words: they are taken as they are, and escaped where they are
shown. Only what a line of text cannot hold is refused.
"""

import math
import unicodedata
from collections.abc import Sequence

import torch
from torch import Tensor

from vit_core import CheckpointError, ViT, ViTConfig
from vit_core.data import DataInfo, normalize
from vit_core.interpret.heads import block_bytes

CHANNELS = (1, 3)
SIDES = range(8, 449)  # pixels
MOST_CLASSES = 1_000
MOST_TOKENS = 257
MOST_BLOCKS = 12
MOST_HEADS = 16
MEGABYTE = 1024**2
MOST_TENSORS = 128 * MEGABYTE  # of one image, all of which a page keeps
MOST_OF_BLOCK = 48 * MEGABYTE  # of those that are needed at the same time
USUAL_WEIGHT = 1_000.0  # trained ones stay below 100
LONGEST_NAME = 160  # characters of a class's name; the longest of ImageNet's has 131
# what a character may not be: a control, half of one, or an end of a line or paragraph
FORBIDDEN = ("Cc", "Cs", "Zl", "Zp")
# they turn the direction of all that follows, even beyond the name
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
BLANK = ("Z", "C")  # first letters of the kinds that leave no mark


def check_showable(config: ViTConfig, info: DataInfo) -> None:
    """Refuse a model that the pages have no pictures for.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    check_shape(config)
    check_names(info.class_names)
    check_range(info)


def check_range(info: DataInfo) -> None:
    """Refuse pixels of a range that the pages have no pictures for.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    if not (all(0 <= mean <= 1 for mean in info.mean) and all(1e-2 <= s <= 1e2 for s in info.std)):
        raise CheckpointError(
            "this model was trained on pixels of another range; allowed are a mean from 0 to 1 and "
            "a standard deviation from 0.01 to 100, of pixels scaled to 0..1"
        )


def check_names(names: Sequence[str]) -> None:
    """Refuse names of classes that cannot be written, or not be told apart.

    Raises:
        CheckpointError: the message is one sentence that says which class it is.
    """
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        which = f"class {place + 1} of {len(names):,}"
        if all(unicodedata.category(character)[0] in BLANK for character in name):
            raise CheckpointError(f"{which} has no name; a name has at least one visible character")
        if len(name) > LONGEST_NAME:
            raise CheckpointError(
                f"the name of {which} has {len(name):,} characters; the pages show at most "
                f"{LONGEST_NAME}"
            )
        if bad := next((one for one in name if is_forbidden(one)), None):
            raise CheckpointError(
                f"the name of {which} has the character U+{ord(bad):04X}, which no text can show; "
                f"all are allowed but controls, ends of lines, and marks that turn the direction "
                f"of reading"
            )
        if (first := places.setdefault(name, place)) != place:
            raise CheckpointError(
                f"classes {first + 1} and {place + 1} have the same name, so that nobody could "
                f"tell them apart"
            )


def is_forbidden(character: str) -> bool:
    return character in TURNS or unicodedata.category(character) in FORBIDDEN


def check_memory(config: ViTConfig, most: int) -> None:
    """Refuse a model that takes more memory than this server gives to one.

    A small file may hold a model whose tensors are large: what grows is tokens times heads times
    blocks, or the width of the MLP.

    Args:
        most: megabytes for its weights and the tensors of one image.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    weights = 4 * config.num_parameters
    for what, found, allowed in (
        ("weights and the tensors of one image", config.memory_bytes, most * MEGABYTE),
        ("the tensors of one image", config.memory_bytes - weights, MOST_TENSORS),
        ("the tensors of one block", block_bytes(config), MOST_OF_BLOCK),
    ):
        if found > allowed:
            raise CheckpointError(
                f"this model needs {math.ceil(found / MEGABYTE):,} MB for {what}; this server has "
                f"{allowed // MEGABYTE:,} MB for them"
            )


def check_shape(config: ViTConfig) -> None:
    """Refuse a shape that the pages have no pictures for, or that is too large for an upload.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    check_drawable(config)
    for what, found, most in (
        ("tokens", config.num_tokens, MOST_TOKENS),
        ("encoder blocks", config.depth, MOST_BLOCKS),
        ("heads", config.num_heads, MOST_HEADS),
    ):
        if found > most:
            raise CheckpointError(
                f"this model has {found:,} {what}; the pages show at most {most:,}"
            )


def check_drawable(config: ViTConfig) -> None:
    """Refuse a shape that the pages have no pictures for, however large a model may be.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    (height, width), channels, classes = config.image_hw, config.in_channels, config.num_classes
    if channels not in CHANNELS or height not in SIDES or width not in SIDES:
        raise CheckpointError(
            f"this model takes images of {channels} x {height} x {width}; the pages show models "
            f"of 1 or 3 channels and {SIDES.start} to {SIDES.stop - 1} pixels a side"
        )
    if height != width:
        raise CheckpointError(
            f"this model takes images of {height} x {width} pixels; the pages show square ones"
        )
    if classes == 1:
        raise CheckpointError(
            f"this model has a single class, so that it tells nothing apart; the pages show models "
            f"of 2 to {MOST_CLASSES:,} classes, and models without a head"
        )
    if classes > MOST_CLASSES:
        raise CheckpointError(
            f"this model tells {classes:,} classes apart; the pages show models of 2 to "
            f"{MOST_CLASSES:,}, and models without a head"
        )
    if config.patch_hw[0] != config.patch_hw[1]:
        raise CheckpointError(
            f"this model cuts patches of {config.patch_hw[0]} x {config.patch_hw[1]}; the pages "
            f"show square ones"
        )
    if config.num_tokens < 2:
        raise CheckpointError(
            "this model has a single token, which has no other to look at; the pages show models "
            "of at least 2"
        )


def check_finite(model: ViT, info: DataInfo) -> None:
    """Refuse a model whose own numbers overflow, which finite weights can bring about.

    It looks at a black, a white and a random picture, one at a time, and keeps no tensor.

    Raises:
        CheckpointError: the message is one sentence.
    """
    shape = (1, model.config.in_channels, *model.config.image_hw)
    drawn = torch.Generator().manual_seed(0)
    black = torch.zeros(shape, dtype=torch.uint8)
    noise = torch.randint(256, shape, generator=drawn, dtype=torch.uint8)
    with torch.no_grad():
        for image in (noise, black, black + 255):
            model(normalize(image, info), finite)


def has_usual_weights(model: ViT) -> bool:
    """Whether no weight is so large that a pass could overflow for it."""
    return all(value.abs().max() <= USUAL_WEIGHT for value in model.parameters())


def finite(name: str, tensor: Tensor) -> Tensor:
    """Let a tensor of a pass through, as a tap does, if all its numbers are finite."""
    if not tensor.isfinite().all():
        raise CheckpointError(
            "this model's numbers overflow while it looks at a picture, so that there is nothing "
            "to show"
        )
    return tensor
