"""The command that repeats a training, from the checked settings of a checkpoint.

The command text that an uploaded file may carry is never shown. A command that names folders of
somebody's own computer is shown to nobody, and is not in the files that others download.
"""

import json
import re
import shlex

from vit_core import Checkpoint, load_checkpoint
from vit_core.checkpoint import OTHER_MODEL
from vit_core.data import DataInfo, mnist_info
from vit_core.data.kept import IMAGES, OWN_PICTURES, OWN_SYMBOLS
from vit_core.data.sets import DATASETS
from vit_core.presets import PRESETS
from vit_core.runs.command import command_line

FOLDER = "path/to/images"  # the file does not say where the images are
CHECKPOINT = "path/to/checkpoint.safetensors"  # nor where the weights were that it started from
PUBLIC = re.compile(r"(runs|path/to)/[\w.-]+")  # paths that tell nothing of a computer
LOCAL = re.compile(r"[/\\]|^~|^[A-Za-z]:")


def command_of(checkpoint: Checkpoint, threads: int = 1) -> str:
    """Return the command for the settings of a checkpoint; empty if it does not have them.

    Args:
        threads: of the run that saved it.
    """
    if checkpoint.train_config is None:
        return ""
    is_preset = checkpoint.preset in PRESETS
    init = CHECKPOINT if checkpoint.init == OTHER_MODEL else checkpoint.init
    line = command_line(
        checkpoint.preset if is_preset else None,
        checkpoint.config,
        checkpoint.train_config,
        threads,
        limit_per_class=checkpoint.limit_per_class,
        init=init,
    )
    arguments = shlex.split(line)
    if "None" in arguments:  # the preset sets a value that no option can unset
        return ""
    return shlex.join([*arguments, *dataset_option(checkpoint.data or mnist_info())])


def public_command(checkpoint: Checkpoint) -> str:
    """Return the command in a shipped model's file, without the folders of any computer."""
    command = checkpoint.command or ""
    return command_of(checkpoint) if has_local_paths(command) else command


def has_local_paths(command: str) -> bool:
    """Return whether a command names folders of the computer on which it ran."""
    try:
        words = shlex.split(command)
    except ValueError:  # quotes without an end
        words = command.split()
    values = [word.partition("=")[2] if word.startswith("-") else word for word in words]
    return any(LOCAL.search(value) and not PUBLIC.fullmatch(value) for value in values)


def for_others(content: bytes) -> bytes:
    """Return a checkpoint's file without the folders of its owner's computer in its command."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    if not has_local_paths(header["__metadata__"].get("command", "")):
        return content
    header["__metadata__"]["command"] = command_of(load_checkpoint(content))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def dataset_option(data: DataInfo) -> list[str]:
    """Return the option that names the data set; none for MNIST, which is the default."""
    if data.fingerprint == mnist_info().fingerprint:
        return []
    if data.name in (OWN_SYMBOLS, OWN_PICTURES):
        return ["--dataset", f"path/to/{IMAGES}"]
    return ["--dataset", data.name if data.name in DATASETS[1:] else FOLDER]
