"""The command line of training: ``python -m vit_core.train --preset fast --run-dir runs/x``."""

import argparse
import dataclasses
import shlex
import signal
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

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
from vit_core.data import ImageData, mnist
from vit_core.image_folder import read_folder
from vit_core.presets import PRESETS
from vit_core.record import Cadence, Recorder
from vit_core.run import RunConfig, RunDirectory, RunError
from vit_core.train import StepEnd, TrainingDiverged

CHOICES = {
    "pos_embed": POSITIONS,
    "pool": POOLS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "augment": AUGMENTATIONS,
    "precision": PRECISIONS,
}


def main(arguments: list[str] | None = None) -> int:
    """Train and return the exit code: 0 done, 2 a mistake that is named, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = build_parser().parse_args(arguments)
    # also where a shell started this in the background, with Ctrl-C's signal switched off
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    try:
        run = open_run(options, arguments)
        try:
            train(run, options.log_every)
        except KeyboardInterrupt:
            print(
                f"\nstopped; go on with: python -m vit_core.train --run-dir {run.path} --resume",
                file=sys.stderr,
            )
            return 130
        finally:
            run.close()
    except (ValueError, OSError, TrainingDiverged) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vit_core.train",
        description="Train a Vision Transformer on MNIST. Options not given are the preset's.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="presets:\n" + "\n".join(f"  {k:14}{p.summary}" for k, p in PRESETS.items()),
    )
    parser.add_argument("--preset", choices=PRESETS, help="the settings to start from (default)")
    parser.add_argument("--dataset", help="mnist, or the path of an image folder (mnist)")
    parser.add_argument("--run-dir", type=Path, required=True, help="a new directory for the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run-dir")
    parser.add_argument("--threads", type=int, help="CPU threads (default: PyTorch's choice)")
    parser.add_argument("--log-every", type=int, default=50, help="steps between metrics (50)")
    for title, kind in (("model", ViTConfig), ("training", TrainConfig)):
        group = parser.add_argument_group(title)
        for field in dataclasses.fields(kind):
            add_option(group, field)
    return parser


def add_option(group: Any, field: "dataclasses.Field[Any]") -> None:
    """Add one field of a configuration; an option that is not given is not in the namespace."""
    name, kind = f"--{field.name.replace('_', '-')}", field.type
    if kind is bool:
        group.add_argument(name, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS)
        return
    parse = {int: int, str: str}.get(kind, float)  # type: ignore[call-overload]
    if field.name in ("image_size", "patch_size"):
        parse = parse_size
    group.add_argument(
        name,
        type=parse,
        choices=CHOICES.get(field.name),
        default=argparse.SUPPRESS,
        metavar=None if field.name in CHOICES else "N",
    )


def parse_size(text: str) -> int | tuple[int, int]:
    """Read "28" or "28x32" (height x width)."""
    numbers = [int(part) for part in text.lower().split("x")]
    return numbers[0] if len(numbers) == 1 else tuple(numbers)  # type: ignore[return-value]


def open_run(options: argparse.Namespace, arguments: list[str]) -> RunDirectory:
    """Make the run directory that the options describe, or open the one to resume.

    Raises:
        ValueError: a setting is not allowed, or differs from those of the run to resume.
        OSError: the directory cannot be written.
    """
    given = vars(options)
    if options.threads is not None and not 1 <= options.threads <= 1024:
        raise ValueError(f"threads must be from 1 to 1024, not {options.threads}")
    if options.log_every < 1:
        raise ValueError(f"log-every must be at least 1, not {options.log_every}")
    if options.resume:
        run = RunDirectory.open(options.run_dir)
        refuse_other_settings(run, given)
        return run
    preset = PRESETS[options.preset or "default"]
    model, training = pick(preset.model, given), pick(preset.train, given)
    dataset = options.dataset or "mnist"
    data = open_data(dataset, model)
    config = RunConfig(
        preset=options.preset or "default",
        model=model,
        train=training,
        threads=options.threads or torch.get_num_threads(),
        data=data.info.fingerprint,
        dataset=dataset,
        command=shlex.join(["python", "-m", "vit_core.train", *arguments]),
    )
    check_data(data, model)
    return RunDirectory.create(options.run_dir, config)


def pick(config: Any, given: dict[str, Any]) -> Any:
    """Return ``config`` with the fields that were given on the command line."""
    names = [field.name for field in dataclasses.fields(config)]
    return dataclasses.replace(config, **{name: given[name] for name in names if name in given})


def check_data(data: ImageData, model: ViTConfig) -> None:
    shape = tuple(data.train.images.shape[1:])
    if shape != (model.in_channels, *model.image_hw) or model.num_classes != len(
        data.info.class_names
    ):
        raise ValueError(
            f"{data.info.name} has {len(data.info.class_names)} classes and images of "
            f"{' x '.join(map(str, shape))}; image-size, in-channels and num-classes must fit them"
        )


def refuse_other_settings(run: RunDirectory, given: dict[str, Any]) -> None:
    """Refuse to resume with settings that would change the result half-way."""
    known = {
        **run.config.model.to_dict(),
        **run.config.train.to_dict(),
        "preset": run.config.preset,
        "threads": run.config.threads,
    }
    for name, value in given.items():
        value = list(value) if isinstance(value, tuple) else value
        if name in known and value is not None and value != known[name]:
            raise RunError(
                f"{run.path} was started with {name} {known[name]!r}, not {value!r}; resume it "
                f"without that option, or start a new run"
            )


@cache
def open_data(dataset: str, model: ViTConfig) -> ImageData:
    return mnist() if dataset == "mnist" else read_folder(Path(dataset), model.image_hw[0])


def train(run: RunDirectory, log_every: int) -> None:
    """Train on to the end with a bar on the terminal, writing as it goes."""
    torch.set_num_threads(run.config.threads)
    data = open_data(run.config.dataset, run.config.model)
    if run.config.data != data.info.fingerprint:
        raise RunError(f"{run.path} was started on other data than {run.config.dataset} has now")
    recorder = Recorder(run, data, Cadence(steps=log_every))
    if recorder.is_complete:
        print(f"{run.path} is complete: test accuracy {recorder.last['test_accuracy']:.2%}")
        return
    training = recorder.training
    images = training.steps_per_epoch * training.batch_size
    with tqdm(
        total=images * training.config.epochs,
        initial=images * training.epoch,
        unit=" images",
        unit_scale=True,
        dynamic_ncols=True,
    ) as bar:
        losses: list[float] = []
        for event in recorder.events():
            if isinstance(event, StepEnd):
                bar.update(event.images)
                losses.append(event.train_loss)
                if event.step % log_every == 0:
                    bar.set_postfix_str(postfix(losses, recorder.last.get("val_accuracy")))
                    losses.clear()
    last = recorder.last
    print(f"test accuracy {last['test_accuracy']:.2%} after {last['seconds']:.0f} s")


def postfix(losses: list[float], accuracy: float | None) -> str:
    shown = "–" if accuracy is None else f"{accuracy:.2%}"
    return f"loss {sum(losses) / len(losses):.3f}, val accuracy {shown}"


def command_line(preset: str | None, model: ViTConfig, train: TrainConfig, threads: int) -> str:
    """Return the command that trains the same: the preset, and an option for what differs."""
    base = PRESETS[preset or "default"]
    words = ["python", "-m", "vit_core.train", "--preset", preset or "default"]
    for config, start in ((model, base.model), (train, base.train)):
        for field in dataclasses.fields(config):
            value = getattr(config, field.name)
            if value != getattr(start, field.name):
                words += option(field.name, value)
    return shlex.join([*words, "--threads", str(threads), "--run-dir", f"runs/{preset or 'own'}"])


def option(name: str, value: object) -> list[str]:
    """Return the words that set one field on the command line."""
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{dashed}" if value else f"--no-{dashed}"]
    if isinstance(value, tuple):
        return [f"--{dashed}", "x".join(map(str, value))]
    return [f"--{dashed}", str(value)]
