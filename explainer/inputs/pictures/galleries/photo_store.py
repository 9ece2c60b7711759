"""Visitors' own photographs: kept in the server's memory for a while, named by their content.

No visitor can push out the photographs of others. Each visitor may have a few; when the memory is
full, the visitor with the most photographs loses the oldest one.
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
NAME_LENGTH = 16  # characters


@dataclass
class StoredPhotograph:
    """A photograph, and the visitors who uploaded it."""

    pixels: np.ndarray
    owners: set[str] = field(default_factory=set)


class Photographs:
    """Keeps photographs by their names, the most recently used at the end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._photographs: OrderedDict[str, StoredPhotograph] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, name: str) -> bool:
        with self._lock:
            return name in self._photographs

    def add(self, name: str, pixels: np.ndarray, owner: str) -> None:
        with self._lock:
            self._photographs.setdefault(name, StoredPhotograph(pixels)).owners.add(owner)
            self._photographs.move_to_end(name)
            while self._count()[owner] > MAX_OF_VISITOR:
                self._release(owner)
            while len(self._photographs) > 1 and self._used() > self._limit:
                (richest, _), *_ = self._count().most_common(1)
                self._release(richest)

    def find(self, name: str) -> np.ndarray:
        """Return a photograph and mark it as used.

        Raises:
            LookupError: it is not here, or no longer here.
        """
        with self._lock:
            self._photographs.move_to_end(name)
            return self._photographs[name].pixels

    def _count(self) -> Counter[str]:
        """Return the number of photographs of each visitor.

        Of two visitors with the same number, the one with the older photograph comes first.
        """
        return Counter(owner for one in self._photographs.values() for owner in one.owners)

    def _used(self) -> int:
        return sum(one.pixels.nbytes for one in self._photographs.values())

    def _release(self, owner: str) -> None:
        """Drop a visitor's oldest photograph, unless another visitor uploaded it as well."""
        name = next(name for name, one in self._photographs.items() if owner in one.owners)
        self._photographs[name].owners.discard(owner)
        if not self._photographs[name].owners:
            del self._photographs[name]


def keep(pixels: np.ndarray, owner: str = "") -> str:
    """Keep a photograph (height, width, 3) uint8, and return its name, a hash of its content.

    Args:
        owner: the visitor who uploads it.
    """
    content = f"{pixels.shape}".encode() + pixels.tobytes()
    name = hashlib.sha256(content).hexdigest()[:NAME_LENGTH]
    photographs().add(name, pixels, owner)
    return name


def is_kept(name: str) -> bool:
    return name in photographs()


def find(name: str) -> Image.Image:
    """Return a photograph.

    Raises:
        LookupError: it is not here, or no longer here.
    """
    return Image.fromarray(photographs().find(name))


@st.cache_resource
def photographs() -> Photographs:
    return Photographs(LIMIT)
