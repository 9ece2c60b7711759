"""Find, download and read pretrained models by name."""

import hashlib
import os
import re
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from vit_core.checks import quoted
from vit_core.config import MEMORY_LIMIT
from vit_core.model import ViT
from vit_core.pretrained.errors import Cancelled, PretrainedError, in_a_sentence
from vit_core.pretrained.folder import CONFIG, WEIGHTS
from vit_core.pretrained.hub import Progress, download, first_line, snapshot_of
from vit_core.pretrained.local import read_folder, read_path
from vit_core.pretrained.preprocessing import Preprocessing
from vit_core.pretrained.torchvision_models import STEPS, from_torchvision
from vit_core.torchvision_import import import_torchvision

NAME = re.compile(r"(hf)/([\w.-]+/[\w.-]+)|(timm)/([\w.-]+)|(torchvision)/(\w+)", re.ASCII)
TAGS = {  # the weights that timm takes if a name has no tag
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
CHUNK = 1024**2  # bytes


@in_a_sentence
def load(
    name: str | Path,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    most_bytes: int = MEMORY_LIMIT,
) -> tuple[ViT, Preprocessing]:
    """Return a pretrained model in evaluation mode, and the preprocessing of its pictures.

    Args:
        name: "hf/<organisation>/<model>", "timm/<model>", "torchvision/<model>", or a folder: with
            ``config.json`` and ``model.safetensors``, or of a run of this project. What is in the
            hub's cache or torchvision's is not downloaded again.
        progress, cancelled: as ``fetch`` takes them.
        most_bytes: memory that the weights may take, in bytes. A larger model is refused before
            it is read.

    Raises:
        Cancelled: ``cancelled`` returned True.
        PretrainedError: there is no such model, it cannot be downloaded or read, or it has parts
            that this project's model lacks. The message is one sentence.
    """
    if not isinstance(name, Path) and (match := NAME.fullmatch(name)):
        kind, model = [part for part in match.groups() if part]
        if kind == "torchvision":
            return load_torchvision(model, progress, cancelled)
        repository = repository_of(kind, model)
        folder = snapshot_of(repository) or download(repository, progress, cancelled)
        return with_source(read_folder(folder, most_bytes), f"{name}, from Hugging Face's hub")
    path = Path(name)
    if not path.exists():
        raise PretrainedError(
            f"{name} is neither a folder with {CONFIG} and {WEIGHTS} nor a name as in "
            f"hf/facebook/dinov2-small, timm/vit_tiny_patch16_224 or torchvision/vit_b_16"
        )
    network, prepared = read_path(path, most_bytes)
    if prepared.run is not None:
        return network, prepared
    return with_source((network, prepared), f"the folder {path.resolve().name}")


def fetch(
    name: str,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Download a model so that ``load`` finds it without a network.

    Args:
        progress: called with the bytes downloaded so far and the bytes of the whole file.
        cancelled: asked again and again; True stops.

    Raises:
        Cancelled, PretrainedError: as ``load``.
    """
    match = NAME.fullmatch(name)
    if match is None:
        raise PretrainedError(f"{quoted(name)} is no name of a model that can be downloaded")
    kind, model = [part for part in match.groups() if part]
    if kind == "torchvision":
        get_torchvision(model, progress, cancelled)
    elif snapshot_of(repository_of(kind, model)) is None:
        download(repository_of(kind, model), progress, cancelled)


def is_here(name: str) -> bool:
    """Whether ``load`` finds a model without the network. The name may be any text."""
    match = NAME.fullmatch(name)
    if match is None:
        return False
    kind, model = [part for part in match.groups() if part]
    if kind == "torchvision":
        files = (checkpoints() / entry for entry in TORCHVISION_FILES.get(model, ()))
        return any(file.is_file() for file in files)
    try:
        return snapshot_of(repository_of(kind, model)) is not None
    except PretrainedError:  # the name has no tag, and there is no usual one
        return False


def repository_of(kind: str, model: str) -> str:
    """Return the hub's name of a model; timm's names end in a dot and the tag of the weights.

    Raises:
        PretrainedError: the name has no tag, and there is no usual one.
    """
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


def with_source(loaded: tuple[ViT, Preprocessing], source: str) -> tuple[ViT, Preprocessing]:
    """Return a loaded model with a text for people that says where it comes from."""
    model, prepared = loaded
    return model, replace(prepared, source=source)


# torchvision

TORCHVISION_FILES = {  # the default weights' files, so that looking for one imports nothing
    "vit_b_16": ("vit_b_16-c867db91.pth",),
    "vit_b_32": ("vit_b_32-d86f8d99.pth",),
    "vit_l_16": ("vit_l_16-852ce7e3.pth",),
    "vit_l_32": ("vit_l_32-c7638314.pth",),
}


def checkpoints() -> Path:
    """Return the folder in which torchvision keeps its weights."""
    home = os.environ.get("TORCH_HOME") or Path.home() / ".cache" / "torch"
    return Path(home) / "hub" / "checkpoints"


def weights_of(model: str) -> Any:
    """Return torchvision's entry for a model's default weights.

    Raises:
        PretrainedError: torchvision is not installed, or has no such model.
    """
    try:
        models = import_torchvision().models
    except ImportError:
        raise PretrainedError(
            "torchvision's models need the package torchvision (pip install torchvision)"
        ) from None
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
    network, prepared = from_torchvision(tensors, num_heads=12 if "_b_" in model else 16)
    steps = weights.transforms()
    return network, replace(
        prepared,
        size=steps.crop_size[0],
        resize=steps.resize_size[0],
        interpolation=steps.interpolation.value,
        mean=tuple(steps.mean),
        std=tuple(steps.std),
        source=f"torchvision/{model}, {weights.name}",
        notes=tuple(note for note in prepared.notes if note != STEPS),
    )


def get_torchvision(model: str, progress: Progress, cancelled: Callable[[], bool]) -> Path:
    """Return the file of torchvision's weights, and download it first if it is missing."""
    url: str = weights_of(model).url
    path = checkpoints() / url.rsplit("/", 1)[1]
    if path.is_file():
        return path
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        copy(url, part, progress, cancelled)
        os.replace(part, path)
    except OSError as error:
        raise PretrainedError(
            f"{path.name} could not be downloaded ({first_line(error)}); without a network, put it "
            f"into torchvision's cache: hub/checkpoints in the folder that TORCH_HOME names, or in "
            f"~/.cache/torch"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return path


def copy(url: str, path: Path, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Download ``url`` into a file, and check the hash that is part of its name.

    Raises:
        Cancelled: ``cancelled`` returned True.
        OSError: the download failed, or the hash differs.
    """
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
