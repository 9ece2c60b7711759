"""What people call the tokens of a model."""

from collections.abc import Mapping

from vit_core import ViTConfig


def prefix_names(config: ViTConfig, texts: Mapping[str, str]) -> list[str]:
    """Name the tokens before the first patch: the class token, if any, and the registers."""
    registers = range(1, config.num_registers + 1)
    return [texts["class_token"]] * (config.pool == "cls") + [
        texts["register"].format(number=number) for number in registers
    ]


def token_names(config: ViTConfig, texts: Mapping[str, str]) -> list[str]:
    """Name every token, in order; rows and columns of patches count from 1."""
    rows, columns = config.grid_size
    return prefix_names(config, texts) + [
        texts["patch"].format(row=row, column=column)
        for row in range(1, rows + 1)
        for column in range(1, columns + 1)
    ]
