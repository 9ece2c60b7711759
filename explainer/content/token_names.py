"""What people call the tokens of a model, and the values of a patch."""

from explainer.content import load_texts
from vit_core import ViTConfig


def prefix_names(config: ViTConfig) -> list[str]:
    """Name the tokens before the first patch: the class token, if any, and the registers."""
    texts = load_texts("token_explorer")
    registers = range(1, config.num_registers + 1)
    return [texts["class_token"]] * (config.pool == "cls") + [
        texts["register"].format(number=number) for number in registers
    ]


def value_names(config: ViTConfig) -> list[str]:
    """Name the values of a flattened patch, in order: channel by channel, rows from the top."""
    height, width = config.patch_hw
    texts = load_texts("values")
    words = texts["pixel" if config.in_channels == 1 else "pixel_of_channel"]
    return [
        words.format(channel=channel_name(config, channel), row=row + 1, column=column + 1)
        for channel in range(config.in_channels)
        for row in range(height)
        for column in range(width)
    ]


def channel_name(config: ViTConfig, channel: int) -> str:
    """Name a channel: red, green or blue of three, a number otherwise."""
    texts = load_texts("values")
    if config.in_channels == 3:
        return texts["channels"][channel]
    return texts["channel"].format(number=channel + 1)


def patch_names(config: ViTConfig) -> list[str]:
    """Name every patch, in reading order; rows and columns count from 1."""
    texts, (rows, columns) = load_texts("token_explorer"), config.grid_size
    return [
        texts["patch"].format(row=row, column=column)
        for row in range(1, rows + 1)
        for column in range(1, columns + 1)
    ]


def token_names(config: ViTConfig) -> list[str]:
    """Name every token, in order: those before the first patch, and the patches."""
    return prefix_names(config) + patch_names(config)
