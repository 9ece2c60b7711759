"""Which pretrained models there are, and the few of them that are in memory."""

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

FOLDER = "VIT_EXPLAINER_PRETRAINED"
LOCAL = "local/"
TURN = 15.0  # seconds that somebody waits at most for a place in memory
MEGABYTE = 1024**2
TEXTS = load_texts("pretrained")


@dataclass(frozen=True)
class Offer:
    """A pretrained model that can be chosen or downloaded.

    Attributes:
        name: as a link has it: ``hf/…``, ``timm/…``, ``torchvision/…``, or ``local/`` and the name
            of a folder of this server.
        title: for people.
        megabytes: to download; 0 for one on this server.
        licence, about: of the model; empty where nobody said.
    """

    name: str
    title: str
    megabytes: int = 0
    licence: str = ""
    about: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether it can be read without the network, as those on this server can."""
        return self.name.startswith(LOCAL) or core().is_here(self.name)


@dataclass(frozen=True)
class Pretrained:
    """A model that others trained, and how its pictures are prepared."""

    model: ViT
    preprocessing: Any


def core() -> ModuleType:
    """Return what reads others' formats, which most visitors never ask for."""
    return importlib.import_module("vit_core.pretrained")


@cache
def catalogue() -> tuple[Offer, ...]:
    return tuple(Offer(**entry) for entry in TEXTS["models"])


def offers() -> list[Offer]:
    """Return those on this server, then those that a hub has."""
    local = [
        Offer(LOCAL + name, joined(plain_format(TEXTS["local"], name=strangers_word(name))))
        for name in sorted(local_folders())
    ]
    return [*local, *catalogue()]


def find(name: str) -> Offer | None:
    return next((offer for offer in offers() if offer.name == name), None)


def local_folders() -> dict[str, Path]:
    """Return the models in the folder that the administrator named, by names that a link can have.

    Folders of runs of this project are among them.
    """
    folder = os.environ.get(FOLDER)
    found = core().local_models(Path(folder)) if folder else {}
    return {linked(name): path for name, path in found.items() if is_text(name)}


def linked(name: str) -> str:
    """Return the name of a folder as links have it: systems write accents in two ways."""
    return unicodedata.normalize("NFC", name)


def is_text(name: str) -> bool:
    """Whether a folder's name is text that a link can hold, without controls or broken letters."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)


def path_of(name: str) -> str | Path | None:
    """Return what ``load`` takes for a model that can be read without the network."""
    if name.startswith(LOCAL):
        wanted = linked(name.removeprefix(LOCAL))
        return local_folders().get(wanted) or other_folder(wanted)
    return name if core().is_here(name) else None


def other_folder(wanted: str) -> Path | None:
    """Return a folder beside the models that holds none, of which reading it says what it holds."""
    home = Path(os.environ.get(FOLDER) or "")
    try:
        names = os.listdir(home) if os.environ.get(FOLDER) else []
        return next(
            (home / one for one in names if linked(one) == wanted and (home / one).is_dir()), None
        )
    except OSError:
        return None


def load_model(name: str, on_wait: Callable[[float], None] = lambda seconds: None) -> Pretrained:
    """Return a pretrained model, from memory where somebody has looked at it a moment ago.

    Args:
        on_wait: called again and again, with the seconds left at most, while others use the memory.

    Raises:
        CheckpointError: it is not on this server, too large for it, or damaged.
    """
    return take_place(name, lambda: read(name), on_wait)


def take_place(
    key: Hashable, make: Callable[[], Any], on_wait: Callable[[float], None] = lambda seconds: None
) -> Any:
    """Return a large model, made if it is not in memory.

    Args:
        on_wait: called again and again, with the seconds left at most, while others use the memory.
    """
    began = monotonic()
    return places().get(key, make, lambda: on_wait(max(0.0, TURN - (monotonic() - began))))


def read(name: str) -> Pretrained:
    if (path := path_of(name)) is None:
        raise CheckpointError(missing(name))
    most = load_limits().large_megabytes
    try:
        model, preprocessing = core().load(path, most_bytes=most * MEGABYTE)
        check_size(model.config, most)
        check_drawable(model.config)
        check_range(preprocessing.info)
        if not has_usual_weights(model):
            check_finite(model, preprocessing.info)
    except (core().PretrainedError, CheckpointError, OSError) as error:
        raise CheckpointError(sentence(plain(str(error), path))) from None
    return Pretrained(model, preprocessing)


def check_size(config: ViTConfig, most: int) -> None:
    found = math.ceil(config.memory_bytes / MEGABYTE)
    if found > most:
        raise CheckpointError(TEXTS["too_large"].format(found=found, most=most))


def missing(name: str) -> str:
    offer = find(name)
    return plain_format(TEXTS["gone" if offer is None else "missing"], name=strangers_word(name))


def plain(text: str, path: str | Path) -> str:
    """Return a sentence without the folders of the server."""
    for folder in (f"{path}{os.sep}", f"{Path(path).parent}{os.sep}"):
        if isinstance(path, Path):
            text = text.replace(folder, "")
    return re.sub(r"(?<!\S)/\S+/", "", text)


def sentence(text: str) -> str:
    """Return what went wrong as a sentence; the name of a file that begins it stays as it is."""
    first = text.split(" ", 1)[0]
    begun = f"{text[:1].upper()}{text[1:]}" if first.isalpha() else text
    return begun if begun.endswith((".", "…")) else f"{begun}."


@st.cache_resource
def places() -> Slots[Any]:
    """Return the places of large models, pretrained ones and those that visitors brought."""
    return Slots(max(1, load_limits().large_models), turn=TURN)
