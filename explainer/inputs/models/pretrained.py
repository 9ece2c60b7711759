"""Which pretrained models can be chosen, and the few of them that are in memory."""

import importlib
import math
import os
import re
import unicodedata
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any

import streamlit as st

from explainer.content import load_texts
from explainer.content.strangers_words import joined, plain_format, strangers_word
from explainer.inputs.models.memory_slots import Slots
from explainer.inputs.models.showable import (
    check_drawable,
    check_finite,
    check_range,
    has_usual_weights,
)
from explainer.training import load_limits
from vit_core import CheckpointError, ViT, ViTConfig

FOLDER = "VIT_EXPLAINER_PRETRAINED"  # environment variable with the administrator's folder
LOCAL = "local/"
MAX_WAIT = 15.0  # seconds until a visitor gets a slot in memory
MEGABYTE = 1024**2
TEXTS = load_texts("pretrained")


@dataclass(frozen=True)
class Offer:
    """A pretrained model that can be chosen or downloaded.

    Attributes:
        name: as it stands in a link: ``hf/…``, ``timm/…``, ``torchvision/…``, or ``local/`` and the
            name of a folder on this server.
        title: that is shown.
        megabytes: to download; 0 for a model on this server.
        licence, about: of the model; empty if unknown.
    """

    name: str
    title: str
    megabytes: int = 0
    licence: str = ""
    about: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether it can be read without the network."""
        return self.name.startswith(LOCAL) or pretrained_package().is_here(self.name)


@dataclass(frozen=True)
class Pretrained:
    """A pretrained model, and how its pictures are prepared."""

    model: ViT
    preprocessing: Any


def pretrained_package() -> ModuleType:
    """Return ``vit_core.pretrained``, imported late because most visitors never need it."""
    return importlib.import_module("vit_core.pretrained")


@cache
def catalogue() -> tuple[Offer, ...]:
    """Return the models that can be downloaded."""
    return tuple(Offer(**entry) for entry in TEXTS["models"])


def offers() -> list[Offer]:
    """Return the models on this server, then those that can be downloaded."""
    local = [
        Offer(LOCAL + name, joined(plain_format(TEXTS["local"], name=strangers_word(name))))
        for name in sorted(local_folders())
    ]
    return [*local, *catalogue()]


def find(name: str) -> Offer | None:
    """Return the offer of a name, or None."""
    return next((offer for offer in offers() if offer.name == name), None)


def local_folders() -> dict[str, Path]:
    """Return the models in the administrator's folder by the names that links use for them.

    Models and runs of this project count as well.
    """
    folder = os.environ.get(FOLDER)
    paths = pretrained_package().local_models(Path(folder)) if folder else {}
    return {name_in_link(name): path for name, path in paths.items() if is_text(name)}


def name_in_link(name: str) -> str:
    """Return a folder's name in the form that links use: file systems write accents in two ways."""
    return unicodedata.normalize("NFC", name)


def is_text(name: str) -> bool:
    """Return whether a link can hold a folder's name: it has no controls or broken characters."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)


def path_of(name: str) -> str | Path | None:
    """Return what ``vit_core.pretrained.load`` takes; None if the model is not on this server."""
    if name.startswith(LOCAL):
        wanted = name_in_link(name.removeprefix(LOCAL))
        return local_folders().get(wanted) or other_folder(wanted)
    return name if pretrained_package().is_here(name) else None


def other_folder(wanted: str) -> Path | None:
    """Return a folder of this name without a model, for which an attempt to read it says why."""
    home = Path(os.environ.get(FOLDER) or "")
    try:
        names = os.listdir(home) if os.environ.get(FOLDER) else []
        return next(
            (
                home / name
                for name in names
                if name_in_link(name) == wanted and (home / name).is_dir()
            ),
            None,
        )
    except OSError:
        return None


def load_model(name: str, on_wait: Callable[[float], None] = lambda seconds: None) -> Pretrained:
    """Return a pretrained model, from memory if it is still there.

    Args:
        on_wait: called again and again while others use the memory, with the seconds that the
            visitor still waits at most.

    Raises:
        CheckpointError: it is not on this server, too large for it, or damaged.
    """
    return get_slot(name, lambda: read(name), on_wait)


def get_slot(
    key: Hashable, make: Callable[[], Any], on_wait: Callable[[float], None] = lambda seconds: None
) -> Any:
    """Return a large model; call ``make`` for it if it is not in memory.

    Args:
        on_wait: as in ``load_model``.
    """
    began = monotonic()
    return slots().get(key, make, lambda: on_wait(max(0.0, MAX_WAIT - (monotonic() - began))))


def read(name: str) -> Pretrained:
    """Read a pretrained model from this server's disk.

    Raises:
        CheckpointError: the message is one sentence.
    """
    if (path := path_of(name)) is None:
        raise CheckpointError(missing(name))
    megabytes = load_limits().large_megabytes
    try:
        model, preprocessing = pretrained_package().load(path, most_bytes=megabytes * MEGABYTE)
        check_size(model.config, megabytes)
        check_drawable(model.config)
        check_range(preprocessing.info)
        if not has_usual_weights(model):
            check_finite(model, preprocessing.info)
    except (pretrained_package().PretrainedError, CheckpointError, OSError) as error:
        raise CheckpointError(sentence(without_folders(str(error), path))) from None
    return Pretrained(model, preprocessing)


def check_size(config: ViTConfig, maximum: int) -> None:
    """Refuse a model whose weights and tensors of one image take more megabytes than allowed."""
    megabytes = math.ceil(config.memory_bytes / MEGABYTE)
    if megabytes > maximum:
        raise CheckpointError(TEXTS["too_large"].format(found=megabytes, most=maximum))


def missing(name: str) -> str:
    offer = find(name)
    return plain_format(TEXTS["gone" if offer is None else "missing"], name=strangers_word(name))


def without_folders(text: str, path: str | Path) -> str:
    """Return a sentence without the names of folders on the server."""
    for folder in (f"{path}{os.sep}", f"{Path(path).parent}{os.sep}"):
        if isinstance(path, Path):
            text = text.replace(folder, "")
    return re.sub(r"(?<!\S)/\S+/", "", text)


def sentence(text: str) -> str:
    """Return a message as a sentence; if it begins with a file's name, that keeps its letters."""
    first = text.split(" ", 1)[0]
    text = f"{text[:1].upper()}{text[1:]}" if first.isalpha() else text
    return text if text.endswith((".", "…")) else f"{text}."


@st.cache_resource
def slots() -> Slots[Any]:
    """Return the slots for large models, whether pretrained or uploaded by visitors."""
    return Slots(max(1, load_limits().large_models), max_wait=MAX_WAIT)
