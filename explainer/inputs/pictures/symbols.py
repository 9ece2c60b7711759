"""The symbols that a visitor drew: checked, and divided into what is learned and what is kept back.

Anybody may have sent them, so nothing is believed of them.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from explainer.content import load_texts
from explainer.content.strangers_words import plain_format, strangers_word
from explainer.inputs.pictures.link_code import SIDE
from vit_core.data import ImageData, Split
from vit_core.data.kept import OWN_SYMBOLS, kept_data
from vit_core.errors import VitError

CLASSES = (2, 10)  # least and most
DRAWINGS = (5, 20)  # of each class
AIM = 10  # drawings of each class that the page asks for
LONGEST_NAME = 24  # characters
KEPT_BACK_EVERY = 5  # of a class's drawings, one is not learned from; as in symbols/box.js
TEXTS = load_texts("symbols")["refused"]


class SymbolsError(VitError, ValueError):
    """Symbols that cannot be learned; the message is a sentence in bare letters."""


@dataclass(frozen=True)
class Symbols:
    """Drawings of some classes.

    Attributes:
        names: of the classes.
        drawings: (n, 28, 28) uint8, white on black, class by class.
        labels: (n,) int64, the class of each.
    """

    names: tuple[str, ...]
    drawings: np.ndarray
    labels: np.ndarray


def read_symbols(sent: object) -> Symbols:
    """Read what a browser sent: ``classes``, each with its name and count, and all ``pixels``.

    Raises:
        SymbolsError: it is something else, or cannot be learned; the message says why.
    """
    values: Mapping[Any, Any] = sent if isinstance(sent, Mapping) else {}
    classes = values.get("classes")
    if not isinstance(classes, list) or not all(map(is_class, classes)):
        raise SymbolsError(TEXTS["garbled"])
    names = tuple(tidy(one["name"]) for one in classes)
    counts = [one["drawings"] for one in classes]
    check_names(names)
    for name, count in zip(names, counts, strict=True):
        if not DRAWINGS[0] <= count <= DRAWINGS[1]:
            raise refused("drawings", name=name, count=count, least=DRAWINGS[0], most=DRAWINGS[1])
    drawings = pixels_of(values.get("pixels"), sum(counts))
    labels = np.repeat(np.arange(len(counts)), counts)
    check_drawings(names, drawings, labels)
    return Symbols(names, drawings, labels)


def is_class(one: object) -> bool:
    return (
        isinstance(one, Mapping)
        and isinstance(one.get("name"), str)
        and type(one.get("drawings")) is int
    )


def tidy(name: str) -> str:
    """Return a name without blanks around it, and with one at most between its words."""
    return " ".join(name.split())


def check_names(names: tuple[str, ...]) -> None:
    """Refuse names that are too many, too few, too long, or alike.

    Raises:
        SymbolsError: the message says which.
    """
    least, most = CLASSES
    if not least <= len(names) <= most:
        raise refused("classes", count=len(names), least=least, most=most)
    for name in names:
        if not name or len(name) > LONGEST_NAME:
            raise refused("name", name=name, most=LONGEST_NAME)
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise refused("named_twice", name=name)
        seen.add(name.casefold())


def pixels_of(text: object, count: int) -> np.ndarray:
    """Return ``count`` drawings, (count, 28, 28) uint8, from their bytes as base64.

    Raises:
        SymbolsError: the text is something else, or holds more or fewer.
    """
    size = count * SIDE * SIDE
    if not isinstance(text, str) or len(text) != 4 * -(-size // 3):
        raise SymbolsError(TEXTS["garbled"])
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SymbolsError(TEXTS["garbled"]) from None
    if len(content) != size:
        raise SymbolsError(TEXTS["garbled"])
    return np.frombuffer(content, dtype=np.uint8).reshape(count, SIDE, SIDE)


def check_drawings(names: tuple[str, ...], drawings: np.ndarray, labels: np.ndarray) -> None:
    """Refuse empty drawings, and one drawing under two names.

    Raises:
        SymbolsError: the message names the drawing.
    """
    first: dict[bytes, int] = {}
    for place, (drawing, label) in enumerate(zip(drawings, labels.tolist(), strict=True)):
        number = place - int(np.argmax(labels == label)) + 1
        if not drawing.any():
            raise refused("empty", name=names[label], number=number)
        other = first.setdefault(drawing.tobytes(), label)
        if other != label:
            raise refused("drawn_twice", name=names[label], number=number, other=names[other])


def refused(reason: str, **facts: object) -> SymbolsError:
    """Return the error for a reason, a key of ``refused`` in ``content/en/symbols.toml``."""
    if isinstance(name := facts.get("name"), str):
        facts["name"] = strangers_word(name, 2 * LONGEST_NAME)
    if isinstance(other := facts.get("other"), str):
        facts["other"] = strangers_word(other, 2 * LONGEST_NAME)
    return SymbolsError(plain_format(TEXTS[reason], **facts))


def as_data(symbols: Symbols) -> ImageData:
    """Return symbols as a data set that a run keeps.

    Every fifth drawing of each class is kept back. So few cannot be divided again: the same ones
    check the run on its way and at its end, and no choice is made by them.
    """
    ranks = np.concatenate(
        [np.arange(count) for count in np.bincount(symbols.labels, minlength=len(symbols.names))]
    )
    back = ranks % KEPT_BACK_EVERY == KEPT_BACK_EVERY - 1
    learned, val, test = (split_of(symbols, chosen) for chosen in (~back, back, back))
    return kept_data(OWN_SYMBOLS, symbols.names, learned, val, test)


def split_of(symbols: Symbols, chosen: np.ndarray) -> Split:
    images = torch.tensor(symbols.drawings[chosen])[:, None]
    return Split(images, torch.tensor(symbols.labels[chosen], dtype=torch.int64))
