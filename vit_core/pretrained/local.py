"""Read a model from a folder or file of this computer, whichever program wrote it."""

import os
from pathlib import Path

from vit_core.checkpoint import CheckpointError, load_checkpoint
from vit_core.config import MEMORY_LIMIT
from vit_core.mistakes import flaws_of
from vit_core.model import ViT
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.folder import (
    CONFIG,
    INDEX,
    PICKLED,
    PICKLES,
    WEIGHTS,
    read_json,
    read_tensors,
    weight_files,
)
from vit_core.pretrained.huggingface import from_huggingface
from vit_core.pretrained.preprocessing import Preprocessing
from vit_core.pretrained.timm_models import WRAPPER, from_timm

# files of a training run of this project: written at its end, and from its beginning
RUN, EPOCHS = "final.safetensors", "metrics.jsonl"


def read_path(path: Path, most_bytes: int = MEMORY_LIMIT) -> tuple[ViT, Preprocessing]:
    """Read a model from its folder, or from the path of its weights or configuration.

    Args:
        most_bytes: memory that the weights may take, in bytes.

    Raises:
        PretrainedError: there is no such folder, or it holds no model that is read here.
    """
    if path.is_dir():
        return read_folder(path, most_bytes)
    if not path.is_file():
        raise PretrainedError(f"{path} is not there")
    if path.suffix.lower() in PICKLES:
        raise PretrainedError(f"{path} is {PICKLED}")
    if path.name in (WEIGHTS, INDEX, CONFIG):
        return read_folder(path.parent, most_bytes)
    if path.suffix == ".safetensors":
        return read_run(path)
    raise PretrainedError(f"{path} is no model; allowed are folders with {CONFIG} and {WEIGHTS}")


def read_folder(folder: Path, most_bytes: int = MEMORY_LIMIT) -> tuple[ViT, Preprocessing]:
    """Read a folder in Hugging Face's format, in timm's or in this project's own.

    Raises:
        PretrainedError: files are missing or damaged, or the model is not one that is read here.
    """
    if (folder / RUN).is_file() and not any((folder / name).is_file() for name in (WEIGHTS, INDEX)):
        return read_run(folder / RUN)  # whose config.json is of another kind
    config = read_json(folder / CONFIG)
    if "model_type" not in config and "architecture" not in config and EPOCHS in names_in(folder):
        raise PretrainedError(
            f"this is a run of this project that has not ended: it has no {RUN} yet; name one of "
            f"its epoch-….safetensors so"
        )
    if config.get("model_type", WRAPPER) != WRAPPER or "architecture" not in config:
        return from_huggingface(folder, most_bytes=most_bytes)
    found, prepared = from_timm(read_tensors(weight_files(folder), most_bytes), config=config)
    return found, prepared


def read_run(file: Path) -> tuple[ViT, Preprocessing]:
    """Read a checkpoint of this project's own training.

    Raises:
        PretrainedError: the file is damaged, or lacks the mean and deviation of its pictures.
    """
    try:
        checkpoint = load_checkpoint(file)
    except (CheckpointError, OSError) as error:
        raise PretrainedError(str(error)) from None
    data, config = checkpoint.data, checkpoint.config
    if data is None:
        raise PretrainedError(f"{file.name} does not say how its pictures are normalised")
    notes = []
    if flaws_of(checkpoint.model):
        notes.append("It was trained, and computes, with a mistake that its run chose on purpose.")
    return checkpoint.model, Preprocessing(
        size=config.image_size,
        resize=config.image_size,
        middle=True,
        mean=data.mean,
        std=data.std,
        class_names=data.class_names,
        source=f"the run {file.parent.name} of this project",
        notes=tuple(notes),
        run=checkpoint,
    )


def local_models(folder: Path) -> dict[str, Path]:
    """Return the subfolders that hold a model, name → path, sorted by name."""
    folders = sorted(folder / name for name in names_in(folder))
    return {one.name: one for one in folders if holds_model(one)}


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder; none if it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def holds_model(folder: Path) -> bool:
    """Whether a folder has the files of a model. Their content is not checked."""
    try:
        has_config = (folder / CONFIG).is_file()
        has_weights = (folder / WEIGHTS).is_file() or (folder / INDEX).is_file()
        return (has_config and has_weights) or (folder / RUN).is_file()
    except OSError:
        return False
