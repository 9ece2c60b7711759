"""Visitors' own photographs: on the server for a while, in memory alone, found by their content.

Nobody can push out what others brought: each visitor has room for a few, and when all is full, the
oldest one goes of whoever has the most.
"""

import hashlib
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import streamlit as st
from PIL import Image

LIMIT = 48 * 1024**2  # bytes; one takes at most 0.8 MB
MAX_OF_VISITOR = 8  # photographs of one visitor
LONGEST = 16  # letters of a name


@dataclass
class Kept:
    """A photograph, and who has brought it."""

    pixels: np.ndarray
    owners: set[str] = field(default_factory=set)


class Photographs:
    """Keeps photographs by their names, what was used last at the end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, name: str) -> bool:
        with self._lock:
            return name in self._kept

    def add(self, name: str, pixels: np.ndarray, owner: str) -> None:
        with self._lock:
            self._kept.setdefault(name, Kept(pixels)).owners.add(owner)
            self._kept.move_to_end(name)
            while self._count()[owner] > MAX_OF_VISITOR:
                self._release(owner)
            while len(self._kept) > 1 and self._used() > self._limit:
                (richest, _), *_ = self._count().most_common(1)
                self._release(richest)

    def find(self, name: str) -> np.ndarray:
        """Return a photograph, which is used now.

        Raises:
            LookupError: it was never here, or it is gone.
        """
        with self._lock:
            self._kept.move_to_end(name)
            return self._kept[name].pixels

    def _count(self) -> Counter[str]:
        """Return how many each has; of two with the same number, first whose oldest is older."""
        return Counter(owner for kept in self._kept.values() for owner in kept.owners)

    def _used(self) -> int:
        return sum(kept.pixels.nbytes for kept in self._kept.values())

    def _release(self, owner: str) -> None:
        """Take the oldest of somebody's, which goes unless somebody else has brought it, too."""
        name = next(name for name, kept in self._kept.items() if owner in kept.owners)
        self._kept[name].owners.discard(owner)
        if not self._kept[name].owners:
            del self._kept[name]


def keep(pixels: np.ndarray, owner: str = "") -> str:
    """Keep a photograph (height, width, 3) uint8 and return its name, which its content decides.

    Args:
        owner: who brings it.
    """
    content = f"{pixels.shape}".encode() + pixels.tobytes()
    name = hashlib.sha256(content).hexdigest()[:LONGEST]
    photographs().add(name, pixels, owner)
    return name


def is_kept(name: str) -> bool:
    return name in photographs()


def find(name: str) -> Image.Image:
    """Return a photograph.

    Raises:
        LookupError: it was never here, or it is gone.
    """
    return Image.fromarray(photographs().find(name))


@st.cache_resource
def photographs() -> Photographs:
    return Photographs(LIMIT)
