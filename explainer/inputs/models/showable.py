"""Which models the pages can show, by their shape, their classes and their numbers.

Names of classes are a stranger's words: they are kept as they are, and escaped where they are
shown. Only characters that a line of text cannot hold are refused.
"""

import math
import unicodedata
from collections.abc import Sequence

import torch
from torch import Tensor

from explainer.content import load_texts
from vit_core import CheckpointError, ViT, ViTConfig
from vit_core.data import DataInfo, normalize
from vit_core.interpret.heads import block_bytes

TEXTS = load_texts("showable")
CHANNELS = (1, 3)
SIDES = range(8, 449)  # pixels
MAX_CLASSES = 1_000
MAX_TOKENS = 257
MAX_BLOCKS = 12
MAX_HEADS = 16
MEGABYTE = 1024**2
MAX_IMAGE_BYTES = 128 * MEGABYTE  # of one image's tensors, all of which a page keeps
MAX_BLOCK_BYTES = 48 * MEGABYTE  # of those that one block needs at the same time
USUAL_WEIGHT = 1_000.0  # weights of trained models stay below 100
MAX_NAME_LENGTH = 160  # characters of a class's name; the longest of ImageNet's has 131
# Unicode categories that no name may have: controls, halves of characters, ends of lines
FORBIDDEN = ("Cc", "Cs", "Zl", "Zp")
# these characters turn the direction of all that follows, even beyond the name
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
INVISIBLE = ("Z", "C")  # first letters of the categories whose characters leave no mark


def check_showable(config: ViTConfig, info: DataInfo) -> None:
    """Refuse a model that the pages cannot draw.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    check_shape(config)
    check_names(info.class_names)
    check_range(info)


def check_range(info: DataInfo) -> None:
    """Refuse pixels of a range that the pages cannot draw.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    if not (all(0 <= mean <= 1 for mean in info.mean) and all(1e-2 <= s <= 1e2 for s in info.std)):
        raise CheckpointError(TEXTS["range"])


def check_names(names: Sequence[str]) -> None:
    """Refuse names of classes that cannot be written, and two classes of the same name.

    Raises:
        CheckpointError: the message is one sentence that says which class it is.
    """
    indices: dict[str, int] = {}
    for index, name in enumerate(names):
        which = TEXTS["class"].format(number=index + 1, count=len(names))
        if all(unicodedata.category(character)[0] in INVISIBLE for character in name):
            raise CheckpointError(TEXTS["no_name"].format(which=which))
        if len(name) > MAX_NAME_LENGTH:
            raise CheckpointError(
                TEXTS["long_name"].format(which=which, found=len(name), most=MAX_NAME_LENGTH)
            )
        if bad := next((character for character in name if is_forbidden(character)), None):
            raise CheckpointError(TEXTS["character"].format(which=which, code=ord(bad)))
        if (first := indices.setdefault(name, index)) != index:
            raise CheckpointError(TEXTS["same_name"].format(first=first + 1, second=index + 1))


def is_forbidden(character: str) -> bool:
    return character in DIRECTION_MARKS or unicodedata.category(character) in FORBIDDEN


def check_memory(config: ViTConfig, megabytes: int) -> None:
    """Refuse a model that takes more memory than this server gives to one model.

    A small file may hold a model with large tensors: their size grows with tokens times heads times
    blocks, and with the width of the MLP.

    Args:
        megabytes: for its weights and the tensors of one image.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    weights = 4 * config.num_parameters
    for what, needed, allowed in (
        ("all", config.memory_bytes, megabytes * MEGABYTE),
        ("image", config.memory_bytes - weights, MAX_IMAGE_BYTES),
        ("block", block_bytes(config), MAX_BLOCK_BYTES),
    ):
        if needed > allowed:
            raise CheckpointError(
                TEXTS["memory"].format(
                    found=math.ceil(needed / MEGABYTE),
                    what=TEXTS["sizes"][what],
                    allowed=allowed // MEGABYTE,
                )
            )


def check_shape(config: ViTConfig) -> None:
    """Refuse a shape that the pages cannot draw, or that is too large for an upload.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    check_drawable(config)
    for what, number, maximum in (
        ("tokens", config.num_tokens, MAX_TOKENS),
        ("blocks", config.depth, MAX_BLOCKS),
        ("heads", config.num_heads, MAX_HEADS),
    ):
        if number > maximum:
            raise CheckpointError(
                TEXTS["too_many"].format(found=number, what=TEXTS["sizes"][what], most=maximum)
            )


def check_drawable(config: ViTConfig) -> None:
    """Refuse a shape that the pages cannot draw, however large a model may be.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    (height, width), channels, classes = config.image_hw, config.in_channels, config.num_classes
    if channels not in CHANNELS or height not in SIDES or width not in SIDES:
        raise CheckpointError(
            TEXTS["image"].format(
                channels=channels,
                height=height,
                width=width,
                least=SIDES.start,
                most=SIDES.stop - 1,
            )
        )
    if height != width:
        raise CheckpointError(TEXTS["not_square"].format(height=height, width=width))
    if classes == 1:
        raise CheckpointError(TEXTS["one_class"].format(most=MAX_CLASSES))
    if classes > MAX_CLASSES:
        raise CheckpointError(TEXTS["many_classes"].format(found=classes, most=MAX_CLASSES))
    if config.patch_hw[0] != config.patch_hw[1]:
        height, width = config.patch_hw
        raise CheckpointError(TEXTS["patch_not_square"].format(height=height, width=width))
    if config.num_tokens < 2:
        raise CheckpointError(TEXTS["one_token"])


def check_finite(model: ViT, info: DataInfo) -> None:
    """Refuse a model whose own numbers overflow, which can happen although its weights are finite.

    Raises:
        CheckpointError: the message is one sentence.
    """
    if overflows(model, info, trial_images(model.config, 1)):
        raise CheckpointError(TEXTS["overflow"])


def trial_images(config: ViTConfig, noise_count: int) -> Tensor:
    """Return images with random pixels, a black one and a white one, (images, …) uint8."""
    shape = (config.in_channels, *config.image_hw)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (noise_count, *shape), generator=generator, dtype=torch.uint8)
    black = torch.zeros((1, *shape), dtype=torch.uint8)
    return torch.cat((noise, black, black + 255))


def overflows(model: ViT, info: DataInfo, images: Tensor) -> bool:
    """Return whether any tensor of a pass has a number that is not finite.

    The images run one at a time, and no tensor is kept: a small file can hold a model whose tensors
    of a few images take hundreds of megabytes.
    """
    try:
        with torch.no_grad():
            for image in images.split(1):
                model(normalize(image, info), stop_at_overflow)
    except OverflowError:
        return True
    return False


def stop_at_overflow(name: str, tensor: Tensor) -> Tensor:
    """Pass a tensor on as a tap does; raise ``OverflowError`` if it is not finite."""
    if not tensor.isfinite().all():
        raise OverflowError(name)
    return tensor


def has_usual_weights(model: ViT) -> bool:
    """Return whether all weights are so small that no pass can overflow because of them."""
    return all(value.abs().max() <= USUAL_WEIGHT for value in model.parameters())
