"""Read the configurations and the tensors of a model's folder.

No file is unpickled, and no file is read into memory before its size is known. Messages name files
without their folders, because visitors of a server read them.
"""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor

from vit_core.checks import quoted
from vit_core.config import MEMORY_LIMIT
from vit_core.pretrained.errors import PretrainedError, one_line
from vit_core.pretrained.fields import listed

CONFIG, WEIGHTS, PREPROCESSOR = "config.json", "model.safetensors", "preprocessor_config.json"
INDEX = "model.safetensors.index.json"
LARGEST_JSON = 4 * 1024**2  # bytes
LARGEST_INDEX = 64 * 1024**2
LARGEST_HEADER = 32 * 1024**2
MOST_SHARDS = 1_000
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".tar", ".pkl", ".pickle")
OTHER_FORMATS = (".h5", ".msgpack", ".onnx", ".npz", ".gguf", ".tflite", ".pb")
PICKLED = (
    "a pickle, which can run any program when it is opened and is not opened here; convert one "
    "that you trust, as in docs/pretrained.md"
)


def read_json(path: Path, required: bool = True, most: int = LARGEST_JSON) -> Any:
    """Return the JSON object of a file, None if the file is missing and not ``required``.

    Args:
        most: the largest allowed size of the file, in bytes.

    Raises:
        PretrainedError: the file is missing, too large, or holds no JSON object.
    """
    try:
        if path.stat().st_size > most:
            raise PretrainedError(
                f"{path.name} is larger than {most // 1024**2} MB, which no such file is"
            )
        values = json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        if required:
            raise PretrainedError(f"{path.name} is not there; {what_is_in(path.parent)}") from None
        return None
    except RecursionError:
        raise PretrainedError(f"{path.name} cannot be read: it is nested too deeply") from None
    except OSError as error:  # its own text names the folder
        raise PretrainedError(f"{path.name} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise PretrainedError(f"{path.name} cannot be read: {one_line(str(error), 120)}") from None
    if not isinstance(values, dict):
        raise PretrainedError(f"{path.name} is no configuration: it holds no names and values")
    return values


def weight_files(folder: Path) -> list[Path]:
    """Return the files with the model's tensors: a single one, or those that an index names.

    Raises:
        PretrainedError: there are none; the message says what the folder holds instead.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        raise PretrainedError(f"{WEIGHTS} is not there; {what_is_in(folder)}")
    names = shards_of(folder)
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise PretrainedError(
            f"this model is in {len(names)} parts, and of those that {INDEX} names "
            f"{listed(map(quoted, missing))} "
            f"{'is' if len(missing) == 1 else 'are'} not there"
        )
    return [folder / name for name in names]


def shards_of(folder: Path) -> list[str]:
    """Return the names of the files that an index names.

    Raises:
        PretrainedError: there are none, too many, or one is outside the folder.
    """
    places = read_json(folder / INDEX, most=LARGEST_INDEX).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise PretrainedError(f"{INDEX} has no weight_map, which says where each tensor is")
    names = list(dict.fromkeys(map(str, places.values())))
    if len(names) > MOST_SHARDS:
        raise PretrainedError(f"{INDEX} names {len(names):,} files; allowed are {MOST_SHARDS:,}")
    for name in names:
        check_shard(folder, name)
    return names


def check_shard(folder: Path, name: str) -> None:
    """Refuse a name that leads out of the folder.

    The hub's cache is an exception: its folders have links to files in its own ``blobs``.

    Raises:
        PretrainedError: the file is somewhere else, or no safetensors file.
    """
    plain = (
        name == Path(name).name and not set(name) & set("/\\:\0") and name.endswith(".safetensors")
    )
    if plain:
        homes = [folder.resolve()]
        if folder.parent.name == "snapshots":
            homes.append((folder.parent.parent / "blobs").resolve())
        plain = (folder / name).resolve().parent in homes
    if not plain:
        raise PretrainedError(
            f"{INDEX} names {quoted(name)}; allowed are .safetensors files of the same folder"
        )


def what_is_in(folder: Path) -> str:
    """Return a sentence on what a folder without readable weights holds, and what to do."""
    try:
        names = sorted(one.name for one in folder.iterdir())
    except OSError:
        return "there is no such folder"
    adapters = [name for name in names if name.startswith("adapter_")]
    pickles = [name for name in names if name.lower().endswith(PICKLES)]
    others = [name for name in names if name.lower().endswith(OTHER_FORMATS)]
    tensors = [name for name in names if name.endswith(".safetensors") and name not in adapters]
    if adapters:
        return (
            f"the folder holds {listed(map(quoted, adapters))}, an adapter (LoRA) that changes "
            f"another model; merge it with merge_and_unload() and save the result"
        )
    if pickles:
        return f"the folder holds {listed(map(quoted, pickles))}, {PICKLED}"
    if tensors:
        return f"the folder holds {listed(map(quoted, tensors))}; name the one to read {WEIGHTS}"
    if others:
        return f"the folder holds {listed(map(quoted, others))}, in a format that is not read here"
    return f"a model's folder has {CONFIG} and {WEIGHTS}"


def read_tensors(files: Iterable[Path], most_bytes: int = MEMORY_LIMIT) -> dict[str, Tensor]:
    """Return the tensors of safetensors files, by name.

    The headers are read first, so that too large a model is refused before it takes memory.

    Args:
        most_bytes: memory that all tensors may take in float32, in bytes.

    Raises:
        PretrainedError: a file is damaged, the tensors are too large together, or two files have
            a tensor of the same name.
    """
    files = list(files)
    total, seen = 0, set()
    for file in files:
        for name, count in sizes_in(file).items():
            if name in seen:
                raise PretrainedError(f"{file.name} has {quoted(name)}, as another part has")
            seen.add(name)
            total += 4 * count  # in float32
    if total > most_bytes:
        raise PretrainedError(
            f"this model needs about {total / 1024**2:,.0f} MB for its weights alone; allowed are "
            f"{most_bytes / 1024**2:,.0f} MB"
        )
    tensors: dict[str, Tensor] = {}
    for file in files:
        try:
            with safetensors.safe_open(file, framework="pt") as opened:
                tensors |= {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        except Exception as error:  # an unknown type of number raises an error of its own
            raise damaged(file, error) from None
    return tensors


def sizes_in(file: Path) -> dict[str, int]:
    """Return the number of elements of each tensor of a file. Only the header is read.

    Raises:
        PretrainedError: the file is damaged.
    """
    try:
        with file.open("rb") as opened:
            header = int.from_bytes(opened.read(8), "little")
        if header > LARGEST_HEADER:
            raise PretrainedError(
                f"{file.name} is not a whole safetensors file: its header is {header:,} bytes"
            )
        with safetensors.safe_open(file, framework="pt") as opened:
            return {
                name: math.prod(opened.get_slice(name).get_shape())
                for name in opened.keys()  # noqa: SIM118
            }
    except PretrainedError:
        raise
    except (safetensors.SafetensorError, OSError, ValueError, TypeError) as error:
        raise damaged(file, error) from None


def damaged(file: Path, error: Exception) -> PretrainedError:
    return PretrainedError(
        f"{file.name} is not a whole safetensors file: {one_line(str(error), 160)}"
    )


def is_plain_number(tensor: Tensor) -> bool:
    """Whether a tensor holds plain floating-point numbers, and not quantisation codes."""
    return tensor.dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64)
