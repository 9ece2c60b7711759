"""The command that trains a model with given settings, as text.

It imports only settings, so that a server can show the command without loading the command line.
"""

import dataclasses
import shlex

from vit_core.config import TrainConfig, ViTConfig
from vit_core.data.kept import IMAGES, KEPT
from vit_core.presets import PRESETS


def command_line(
    preset: str | None,
    model: ViTConfig,
    train: TrainConfig,
    threads: int,
    *,
    dataset: str = "mnist",
    limit_per_class: int | None = None,
    init: str = "",
) -> str:
    """Return the shell command of a training run.

    Args:
        preset: the settings to start from, which are "default" for None; whatever differs from them
            gets an option.
        threads: number of CPU threads.
        dataset, limit_per_class, init: as in ``RunConfig``. Images that a run keeps are named by
            their file, as the app hands it out.
    """
    base = PRESETS[preset or "default"]
    words = ["python", "-m", "vit_core.train", "--preset", preset or "default"]
    pairs: tuple[tuple[ViTConfig | TrainConfig, ViTConfig | TrainConfig], ...]
    pairs = ((model, base.model), (train, base.train))
    for config, start in pairs:
        for field in dataclasses.fields(config):
            value = getattr(config, field.name)
            if value != getattr(start, field.name):
                words += option(field.name, value)
    if dataset != "mnist":
        words += option("dataset", IMAGES if dataset == KEPT else dataset)
    if limit_per_class is not None:
        words += option("limit_per_class", limit_per_class)
    if init:
        words += option("init", init)
    return shlex.join([*words, "--threads", str(threads), "--run-dir", f"runs/{preset or 'own'}"])


def option(name: str, value: object) -> list[str]:
    """Return the words that set one field on the command line."""
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{dashed}" if value else f"--no-{dashed}"]
    if isinstance(value, tuple):
        return [f"--{dashed}", "x".join(map(str, value))]
    return [f"--{dashed}", str(value)]
