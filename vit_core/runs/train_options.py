"""The options of ``python -m vit_core.train``: a preset, each setting of which can be changed."""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from vit_core.config import (
    AUGMENTATIONS,
    OPTIMIZERS,
    POOLS,
    POSITIONS,
    PRECISIONS,
    SCHEDULES,
    TrainConfig,
    ViTConfig,
)
from vit_core.data.open import STATISTICS, Reading
from vit_core.data.sets import DATASETS
from vit_core.presets import PRESETS
from vit_core.storage.plain_text import program
from vit_core.training.processes import DEVICES

Config = TypeVar("Config", ViTConfig, TrainConfig)

CHOICES = {
    "pos_embed": POSITIONS,
    "pool": POOLS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "augment": AUGMENTATIONS,
    "precision": PRECISIONS,
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the training command."""
    parser = argparse.ArgumentParser(
        prog=program("vit-train", "vit_core.train"),
        description="Train a Vision Transformer. Options not given are the preset's.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="presets:\n" + "\n".join(f"  {k:14}{p.summary}" for k, p in PRESETS.items()),
    )
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        help="the settings to start from (default; photographs for an image folder)",
    )
    parser.add_argument(
        "--dataset",
        help=f"{', '.join(DATASETS)}, an image folder, or the images.safetensors of a run (mnist)",
    )
    parser.add_argument(
        "--limit-per-class",
        type=int,
        metavar="N",
        help="learn only from the first N images of each class (all)",
    )
    parser.add_argument(
        "--init",
        metavar="CHECKPOINT",
        help="start from the weights of a shipped model or of a .safetensors file (random weights)",
    )
    parser.add_argument(
        "--statistics",
        choices=STATISTICS,
        help="whose mean and deviation normalise the images (data)",
    )
    parser.add_argument(
        "--memory",
        type=float,
        default=Reading.memory,
        metavar="GB",
        help="an image folder with more than this is read while it is used (2)",
    )
    parser.add_argument("--workers", type=int, help="processes that read it (one a core, up to 8)")
    parser.add_argument("--run-dir", type=Path, required=True, help="a new directory for the run")
    parser.add_argument(
        "--pictures",
        action=argparse.BooleanOptionalAction,
        help="put up to 12 validation pictures into each checkpoint, for the app to show; whoever "
        "gets the file gets them too (yes, except for mnist)",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run-dir")
    parser.add_argument(
        "--device", choices=DEVICES, default="auto", help="a GPU if there is (auto)"
    )
    parser.add_argument("--threads", type=int, help="CPU threads (as many as pay, measured)")
    parser.add_argument("--log-every", type=int, default=50, help="steps between metrics (50)")
    for title, kind in (("model", ViTConfig), ("training", TrainConfig)):
        group = parser.add_argument_group(title)
        for field in dataclasses.fields(kind):
            add_option(group, field)
    return parser


def add_option(group: "argparse._ArgumentGroup", field: "dataclasses.Field[Any]") -> None:
    """Add an option for a field; if the user does not give it, the namespace does not have it."""
    name = f"--{field.name.replace('_', '-')}"
    if field.type is bool:
        group.add_argument(name, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS)
        return
    parse: Callable[[str], Any] = float  # also for float | None
    if field.type is int:
        parse = int
    elif field.type is str:
        parse = str
    elif field.name in ("image_size", "patch_size"):
        parse = parse_size
    group.add_argument(
        name,
        type=parse,
        choices=CHOICES.get(field.name),
        default=argparse.SUPPRESS,
        metavar=None if field.name in CHOICES else "N",
    )


def parse_size(text: str) -> int | tuple[int, ...]:
    """Read "28" or "28x32" (height x width); the configuration refuses more numbers.

    Raises:
        ValueError: a part is no whole number.
    """
    numbers = [int(part) for part in text.lower().split("x")]
    return numbers[0] if len(numbers) == 1 else tuple(numbers)


def pick(config: Config, given: dict[str, Any]) -> Config:
    """Return ``config`` with the fields that were given on the command line.

    Raises:
        ValueError: a value is not allowed.
    """
    names = [field.name for field in dataclasses.fields(config)]
    return dataclasses.replace(config, **{name: given[name] for name in names if name in given})
