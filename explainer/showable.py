"""Which models the pages can show: their shape, and what they tell apart."""

import re

from vit_core import CheckpointError, ViTConfig
from vit_core.data import DataInfo

CHANNELS = (1, 3)
SIDES = range(8, 449)  # pixels
MOST_CLASSES = 1_000
MOST_TOKENS = 257
MOST_BLOCKS = 12
MOST_HEADS = 16
MOST_BYTES = 60 * 1024**2  # of weights and one image's tensors
# letters of any script, and what stands between words; nothing that Markdown or LaTeX would act on
CLASS_NAME = re.compile(r"[^\W_][\w ,.'’()/-]{0,59}")


def check_showable(config: ViTConfig, info: DataInfo) -> None:
    """Refuse a model that the pages have no pictures for.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    check_shape(config)
    if any(not CLASS_NAME.fullmatch(name) or "_" in name for name in info.class_names):
        raise CheckpointError(
            "this model's classes have names that the pages cannot write; allowed are letters, "
            "digits, spaces and . , ' ( ) / -, at most 60 of them"
        )
    if not (all(0 <= mean <= 1 for mean in info.mean) and all(1e-2 <= s <= 1e2 for s in info.std)):
        raise CheckpointError(
            "this model was trained on pixels of another range; allowed are a mean from 0 to 1 and "
            "a standard deviation from 0.01 to 100, of pixels scaled to 0..1"
        )


def check_shape(config: ViTConfig) -> None:
    """Refuse a shape that the pages have no pictures for.

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
    if classes == 1 or classes > MOST_CLASSES:
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
    for what, found, most in (
        ("tokens", config.num_tokens, MOST_TOKENS),
        ("encoder blocks", config.depth, MOST_BLOCKS),
        ("heads", config.num_heads, MOST_HEADS),
        ("MB of weights and tensors", config.memory_bytes // 1024**2, MOST_BYTES // 1024**2),
    ):
        if found > most:
            raise CheckpointError(
                f"this model has {found:,} {what}; the pages show at most {most:,}"
            )
