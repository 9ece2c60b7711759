"""The command that trains what a checkpoint's settings say, never the text that its file brings."""

import shlex

from vit_core import Checkpoint
from vit_core.data import DataInfo, mnist_info
from vit_core.data.sets import DATASETS
from vit_core.presets import PRESETS
from vit_core.runs.command import command_line

FOLDER = "path/to/images"  # where the images were is nobody's business, and not known of a file


def command_of(checkpoint: Checkpoint, threads: int = 1) -> str:
    """Return the command for a checkpoint's own, checked settings; empty if it does not say them.

    Args:
        threads: of the run that saved it.
    """
    if checkpoint.train_config is None:
        return ""
    known = checkpoint.preset in PRESETS
    line = command_line(
        checkpoint.preset if known else None, checkpoint.config, checkpoint.train_config, threads
    )
    words = shlex.split(line)
    if "None" in words:  # a preset's setting that no option takes away
        return ""
    return shlex.join([*words, *images_of(checkpoint.data or mnist_info())])


def images_of(data: DataInfo) -> list[str]:
    """Return the option that names the images; none for MNIST, which is trained on without one."""
    if data.fingerprint == mnist_info().fingerprint:
        return []
    return ["--dataset", data.name if data.name in DATASETS[1:] else FOLDER]
