"""Pretrained models by name: where they are, how to get them, and reading them."""

import os
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from vit_core.model import ViT
from vit_core.pretrained.errors import Cancelled, PretrainedError
from vit_core.pretrained.hub import Progress, download, first_line, snapshot_of
from vit_core.pretrained.huggingface import (
    CONFIG,
    KINDS,
    WEIGHTS,
    from_huggingface,
    read_json,
    read_tensors,
)
from vit_core.pretrained.preprocessing import Preprocessing
from vit_core.pretrained.timm_models import from_timm
from vit_core.pretrained.torchvision_models import from_torchvision
from vit_core.torchvision_import import import_torchvision

NAME = re.compile(r"(hf)/([\w.-]+/[\w.-]+)|(timm)/([\w.-]+)|(torchvision)/(\w+)", re.ASCII)
TAGS = {  # the weights that timm takes where a name does not say which
    "vit_tiny_patch16_224": "augreg_in21k_ft_in1k",
    "vit_small_patch16_224": "augreg_in21k_ft_in1k",
    "vit_base_patch16_224": "augreg2_in21k_ft_in1k",
    "deit_tiny_patch16_224": "fb_in1k",
    "deit_small_patch16_224": "fb_in1k",
    "deit_base_patch16_224": "fb_in1k",
    "vit_small_patch14_dinov2": "lvd142m",
    "vit_base_patch14_dinov2": "lvd142m",
    "vit_small_patch14_reg4_dinov2": "lvd142m",
    "vit_base_patch14_reg4_dinov2": "lvd142m",
}
DINO_SIZE = 224  # pixels; theirs are 518, which is 1,369 patches
CHUNK = 1024**2  # bytes


def load(
    name: str | Path,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[ViT, Preprocessing]:
    """Return a pretrained model in evaluation mode, and how its pictures are prepared.

    Args:
        name: "hf/<organisation>/<model>", "timm/<model>", "torchvision/<model>", or a folder with
            ``config.json`` and ``model.safetensors``. What is in the hub's cache or torchvision's
            is not downloaded again.
        progress, cancelled: as ``fetch`` takes them.

    Raises:
        Cancelled: ``cancelled`` said so.
        PretrainedError: there is no such model, it cannot be had, or it does not fit; the message
            is one sentence.
    """
    if not isinstance(name, Path) and (match := NAME.fullmatch(name)):
        kind, model = [part for part in match.groups() if part]
        if kind == "torchvision":
            return load_torchvision(model, progress, cancelled)
        repository = repository_of(kind, model)
        folder = snapshot_of(repository) or download(repository, progress, cancelled)
        return with_source(read_folder(folder), f"{name}, from Hugging Face's hub")
    folder = Path(name)
    if not folder.is_dir():
        raise PretrainedError(
            f"{name} is neither a folder with {CONFIG} and {WEIGHTS} nor a name as in "
            f"hf/facebook/dinov2-small, timm/vit_tiny_patch16_224 or torchvision/vit_b_16"
        )
    return with_source(read_folder(folder), f"the folder {folder.name}")


def fetch(
    name: str,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Download a model so that ``load`` finds it without a network.

    Args:
        progress: called with the bytes that are there, and those of the whole.
        cancelled: asked again and again.

    Raises:
        Cancelled, PretrainedError: as ``load``.
    """
    match = NAME.fullmatch(name)
    if match is None:
        raise PretrainedError(f"{name} is no name of a model that can be downloaded")
    kind, model = [part for part in match.groups() if part]
    if kind == "torchvision":
        get_torchvision(model, progress, cancelled)
    elif snapshot_of(repository_of(kind, model)) is None:
        download(repository_of(kind, model), progress, cancelled)


def is_here(name: str) -> bool:
    """Whether ``load`` finds a model of this name without the network."""
    match = NAME.fullmatch(name)
    if match is None:
        return False
    kind, model = [part for part in match.groups() if part]
    if kind == "torchvision":
        files = (checkpoints() / entry for entry in TORCHVISION_FILES.get(model, ()))
        return any(file.is_file() for file in files)
    return snapshot_of(repository_of(kind, model)) is not None


def local_models(folder: Path) -> dict[str, Path]:
    """Return the models in a folder: name of each folder in it that holds one → its path."""
    try:
        found = sorted(one for one in folder.iterdir() if (one / CONFIG).is_file())
    except OSError:
        return {}
    return {one.name: one for one in found if (one / WEIGHTS).is_file()}


def repository_of(kind: str, model: str) -> str:
    """Return the hub's name of a model; timm's weights have a tag behind a dot."""
    if kind == "hf":
        return model
    if "." not in model:
        if model not in TAGS:
            raise PretrainedError(
                f"say which of timm's weights for {model} are meant, as in "
                f"timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k"
            )
        model = f"{model}.{TAGS[model]}"
    return f"timm/{model}"


def read_folder(folder: Path) -> tuple[ViT, Preprocessing]:
    """Read a model in Hugging Face's format or in timm's, as its configuration says."""
    config = read_json(folder / CONFIG)
    if config.get("model_type") in KINDS or "architecture" not in config:
        return from_huggingface(folder)
    own = dict(config.get("pretrained_cfg") or {})
    own["label_names"] = own.get("label_names") or config.get("label_names")
    size = (own.get("input_size") or [3, None, None])[1]
    is_dino = "dinov2" in str(config["architecture"])
    return from_timm(
        read_tensors(folder / WEIGHTS), image_size=DINO_SIZE if is_dino else size, config=own
    )


def with_source(found: tuple[ViT, Preprocessing], source: str) -> tuple[ViT, Preprocessing]:
    model, prepared = found
    return model, Preprocessing(**{**vars(prepared), "source": source})


# torchvision

TORCHVISION_FILES = {  # the default weights' files, so that looking for one imports nothing
    "vit_b_16": ("vit_b_16-c867db91.pth",),
    "vit_b_32": ("vit_b_32-d86f8d99.pth",),
    "vit_l_16": ("vit_l_16-852ce7e3.pth",),
    "vit_l_32": ("vit_l_32-c7638314.pth",),
}


def checkpoints() -> Path:
    """Return where torchvision keeps its weights."""
    home = os.environ.get("TORCH_HOME") or Path.home() / ".cache" / "torch"
    return Path(home) / "hub" / "checkpoints"


def weights_of(model: str) -> Any:
    """Return torchvision's entry of a model's default weights."""
    models = import_torchvision().models
    if model not in TORCHVISION_FILES:
        raise PretrainedError(
            f"torchvision has no {model} that is read here; allowed are "
            f"{', '.join(TORCHVISION_FILES)}"
        )
    return models.get_model_weights(model)["IMAGENET1K_V1"]


def load_torchvision(
    model: str, progress: Progress, cancelled: Callable[[], bool]
) -> tuple[ViT, Preprocessing]:
    weights = weights_of(model)
    path = get_torchvision(model, progress, cancelled)
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise PretrainedError(f"{path.name} is damaged: {first_line(error)}") from None
    found, prepared = from_torchvision(tensors)
    steps = weights.transforms()
    return found, Preprocessing(
        size=steps.crop_size[0],
        resize=steps.resize_size[0],
        interpolation=steps.interpolation.value,
        mean=tuple(steps.mean),
        std=tuple(steps.std),
        class_names=prepared.class_names,
        source=f"torchvision/{model}, {weights.name}",
    )


def get_torchvision(model: str, progress: Progress, cancelled: Callable[[], bool]) -> Path:
    """Return the file of torchvision's weights, downloaded if it is not there."""
    url = weights_of(model).url
    path = checkpoints() / url.rsplit("/", 1)[1]
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        copy(url, part, progress, cancelled)
        os.replace(part, path)
    except OSError as error:
        raise PretrainedError(
            f"{path.name} could not be downloaded ({first_line(error)}); without a network, put it "
            f"into torchvision's cache, {checkpoints()}"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return path


def copy(url: str, path: Path, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Copy what is at ``url`` into a file, and hold it to the hash in its name."""
    import hashlib

    digest, done = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=30) as answer, path.open("wb") as file:
        total = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            if cancelled():
                raise Cancelled(f"the download of {url.rsplit('/', 1)[1]} was cancelled")
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress(done, total)
    expected = re.search(r"-([0-9a-f]{8,})\.", url.rsplit("/", 1)[1])
    if expected and not digest.hexdigest().startswith(expected[1]):
        raise OSError("what arrived is not the file that was asked for: its hash differs")
