"""Visitors' own photographs: on the server for a while, in memory alone, found by their content."""

import hashlib

import numpy as np
import streamlit as st
from PIL import Image

from explainer.cache import BytesCache

LIMIT = 48 * 1024**2  # bytes; one takes at most 0.8 MB
LONGEST = 16  # letters of a name


def keep(pixels: np.ndarray) -> str:
    """Keep a photograph (height, width, 3) uint8 and return its name, which its content decides."""
    content = f"{pixels.shape}".encode() + pixels.tobytes()
    name = hashlib.sha256(content).hexdigest()[:LONGEST]
    photographs().get(name, lambda: pixels)
    return name


def is_kept(name: str) -> bool:
    return name in photographs()


def find(name: str) -> Image.Image:
    """Return a photograph.

    Raises:
        LookupError: it was never here, or it is gone.
    """

    def missing() -> np.ndarray:
        raise LookupError(name)

    return Image.fromarray(photographs().get(name, missing))


@st.cache_resource
def photographs() -> BytesCache[np.ndarray]:
    return BytesCache(LIMIT, lambda pixels: pixels.nbytes)
