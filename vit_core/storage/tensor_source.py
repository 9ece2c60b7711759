"""Where a checkpoint's tensors lie: in a safetensors file on the disk, or in its bytes in memory.

Both say what is in them before any tensor is read. What came over the network is read from memory,
so that it never lies on a disk.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import safetensors
import safetensors.torch
from torch import Tensor


class Header(NamedTuple):
    """What a safetensors file says of itself.

    Attributes:
        metadata: free text of whoever wrote it.
        shapes: name of a tensor → its shape.
        kinds: name of a tensor → its type, as the format calls it: "F32", "BF16", …
    """

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]
    kinds: dict[str, str]


class TensorSource(Protocol):
    """A safetensors file; ``str()`` of it is its name in messages."""

    def header(self) -> Header:
        """Read what is in it, without the tensors.

        Raises:
            safetensors.SafetensorError: it is no such file, or not a whole one.
        """

    def tensors(self) -> dict[str, Tensor]:
        """Read all tensors.

        Raises:
            safetensors.SafetensorError: it is no such file, or not a whole one.
        """


@dataclass(frozen=True)
class OnDisk:
    """A file."""

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
    """The bytes of a file, of which nothing is ever written down."""

    content: bytes

    def __str__(self) -> str:
        return "it"

    def header(self) -> Header:
        # the library only reads headers of files on the disk
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
    if not isinstance(value, str):
        raise TypeError(f"a text is expected, not a {type(value).__name__}")
    return value
