"""Which models the pages can show: their shape, and what they tell apart."""

from vit_core import CheckpointError, ViTConfig
from vit_core.data import DataInfo

IMAGE = (28, 28)
DIGITS = tuple("0123456789")
MOST_TOKENS = 197
MOST_BLOCKS = 12
MOST_HEADS = 16
MOST_BYTES = 40 * 1024**2  # of weights and one image's tensors, a little above the knobs' largest


def check_showable(config: ViTConfig, info: DataInfo) -> None:
    """Refuse a model that the pages have no pictures for.

    Raises:
        CheckpointError: the message is one sentence that says what is allowed.
    """
    check_shape(config)
    if info.class_names != DIGITS:
        raise CheckpointError("this model tells other classes apart than the ten digits 0 to 9")
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
    if ((height, width), channels, classes) != (IMAGE, 1, len(DIGITS)):
        raise CheckpointError(
            f"this model takes images of {channels} x {height} x {width} and tells {classes} "
            f"classes apart; the pages show models of 1 x 28 x 28 and ten classes"
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
