"""Where a checkpoint's tensors are: in a safetensors file on disk, or in its bytes in memory.

Both give their header before any tensor is read. An upload is read from memory, so that it is never
written to a disk.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import safetensors
import safetensors.torch
from torch import Tensor


class Header(NamedTuple):
    """The header of a safetensors file.

    Attributes:
        metadata: free texts by name, from whoever wrote the file.
        shapes: name of a tensor → its shape.
        dtypes: name of a tensor → its type in the format's own words: "F32", "BF16", …
    """

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]
    dtypes: dict[str, str]


class TensorSource(Protocol):
    """A safetensors file; ``str()`` gives its name for messages."""

    def header(self) -> Header:
        """Read the header alone.

        Raises:
            safetensors.SafetensorError: it is no safetensors file, or it is truncated.
        """
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Read all tensors, by name.

        Raises:
            safetensors.SafetensorError: it is no safetensors file, or it is truncated.
        """
        ...


@dataclass(frozen=True)
class OnDisk:
    """A safetensors file on disk."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def header(self) -> Header:
        with safetensors.safe_open(self.path, framework="pt") as file:
            names = list(file.keys())
            return Header(
                file.metadata() or {},
                {name: tuple(file.get_slice(name).get_shape()) for name in names},
                {name: file.get_slice(name).get_dtype() for name in names},
            )

    def tensors(self) -> dict[str, Tensor]:
        return safetensors.torch.load_file(self.path)


@dataclass(frozen=True)
class InMemory:
    """The bytes of a safetensors file, which are never written to a disk."""

    content: bytes

    def __str__(self) -> str:
        return "it"

    def header(self) -> Header:
        # the library reads headers only from files on disk
        length = int.from_bytes(self.content[:8], "little")
        if len(self.content) < 8 or length > len(self.content) - 8:
            raise safetensors.SafetensorError("the list of contents is cut off")
        try:
            listed = json.loads(self.content[8 : 8 + length])
            metadata = listed.pop("__metadata__", {})
            return Header(
                {text(name): text(value) for name, value in metadata.items()},
                {name: tuple(entry["shape"]) for name, entry in listed.items()},
                {name: text(entry["dtype"]) for name, entry in listed.items()},
            )
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise safetensors.SafetensorError(
                f"the list of contents is damaged: {type(error).__name__}"
            ) from None

    def tensors(self) -> dict[str, Tensor]:
        return safetensors.torch.load(self.content)


def text(value: Any) -> str:
    """Return ``value``, which must be a text.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, str):
        raise TypeError(f"a text is expected, not a {type(value).__name__}")
    return value
