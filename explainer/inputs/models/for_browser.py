"""A model as a browser gets it, so that a page can run it while a visitor draws."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from weakref import WeakKeyDictionary

import streamlit as st
import torch
from torch import Tensor

from explainer.inputs.models.load import Source, source_of
from explainer.inputs.models.memory import pass_bytes
from explainer.state.choice import Choice
from vit_core import ViT, ViTConfig
from vit_core.checkpoint import parts_of
from vit_core.mistakes import flaws_of

LARGEST_MODEL = 3_000_000  # learned numbers
LARGEST_PASS = 48 * 1024**2  # bytes of one image's tensors; the knobs reach 37 MB
TYPE = "application/octet-stream"

_files: WeakKeyDictionary[ViT, "BrowserFile"] = WeakKeyDictionary()
_making = threading.Lock()


@dataclass(frozen=True)
class BrowserFile:
    """A model's weights as safetensors.

    Attributes:
        hash: of everything that decides what the model computes.
    """

    content: bytes
    hash: str
    config: dict[str, Any]


def browser_model(choice: Choice) -> dict[str, Any] | None:
    """Return what ``openLive`` in ``components/live/live.js`` needs; None for a large model.

    Call it in each run that draws a component with the model: the server keeps the file for as long
    as some visitor's page has asked for it. All visitors share one copy. Its address is made from
    its content, so that only who may look at the model learns it.

    Returns:
        ``address`` below the app's own, ``hash``, ``config`` (the ``ViTConfig`` with ``mean``,
        ``std`` and ``flaws``), ``mean``, ``std``, ``class_names``.

    Raises:
        CheckpointError, OSError: as ``source_of`` does.
    """
    if not fits_browser(choice.config):
        return None
    source = source_of(choice)
    file = file_of(source)
    return {
        "address": publish(file),
        "hash": file.hash,
        "config": file.config,
        "mean": list(source.info.mean),
        "std": list(source.info.std),
        "class_names": list(source.info.class_names),
    }


def fits_browser(config: ViTConfig) -> bool:
    """Return whether a model is small enough to run in a browser while a visitor draws."""
    return config.num_parameters <= LARGEST_MODEL and pass_bytes(config) <= LARGEST_PASS


def file_of(source: Source) -> BrowserFile:
    """Return a model's file, made once for as long as the model is in memory."""
    with _making:
        if source.model not in _files:
            _files[source.model] = make_file(source)
        return _files[source.model]


def make_file(source: Source) -> BrowserFile:
    model, info = source.model, source.info
    config = {
        **model.config.to_dict(),
        "mean": list(info.mean),
        "std": list(info.std),
        "flaws": asdict(flaws_of(model)),
    }
    tensors = {name: small(value) for name, value in sorted(tensors_of(model))}
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for part in parts_of(tensors, {}):
        digest.update(part)
    # inside the file, too: the server makes the address of a large file from a part of it
    metadata = {"hash": digest.hexdigest()}
    return BrowserFile(b"".join(parts_of(tensors, metadata)), digest.hexdigest(), config)


def tensors_of(model: ViT) -> Iterator[tuple[str, Tensor]]:
    """Yield a model's weights by name, and its positions also if they are computed."""
    yield from model.state_dict().items()
    if model.config.pos_embed not in ("learned", "none"):
        yield "pos_embed", model.pos_embed


def small(weights: Tensor) -> Tensor:
    """Return weights in half precision where nothing is lost, as if they were stored so."""
    weights = weights.detach().contiguous()
    half = weights.half()
    return half if torch.equal(half.float(), weights) else weights


def publish(file: BrowserFile) -> str:
    """Let the server hand out a file to this visitor, and return its address; empty without one."""
    if not st.runtime.exists():
        return ""
    manager = st.runtime.get_instance().media_file_mgr
    return manager.add(file.content, TYPE, f"live-{file.hash}")
