"""The command that repeats a training, from the checked settings of a checkpoint.

The command text that an uploaded file may carry is never shown.
"""

import shlex

from vit_core import Checkpoint
from vit_core.data import DataInfo, mnist_info
from vit_core.data.sets import DATASETS
from vit_core.presets import PRESETS
from vit_core.runs.command import command_line

FOLDER = "path/to/images"  # the file does not say where the images are


def command_of(checkpoint: Checkpoint, threads: int = 1) -> str:
    """Return the command for the settings of a checkpoint; empty if it does not have them.

    Args:
        threads: of the run that saved it.
    """
    if checkpoint.train_config is None:
        return ""
    is_preset = checkpoint.preset in PRESETS
    line = command_line(
        checkpoint.preset if is_preset else None,
        checkpoint.config,
        checkpoint.train_config,
        threads,
    )
    arguments = shlex.split(line)
    if "None" in arguments:  # the preset sets a value that no option can unset
        return ""
    return shlex.join([*arguments, *dataset_option(checkpoint.data or mnist_info())])


def dataset_option(data: DataInfo) -> list[str]:
    """Return the option that names the data set; none for MNIST, which is the default."""
    if data.fingerprint == mnist_info().fingerprint:
        return []
    return ["--dataset", data.name if data.name in DATASETS[1:] else FOLDER]
