"""The data of a run directory: a named data set, an image folder, or the images that it keeps."""

from pathlib import Path

from vit_core.data import ImageData
from vit_core.data.kept import KEPT, load_images
from vit_core.data.limit import limited
from vit_core.data.open import Reading, open_data
from vit_core.runs.directory import RunConfig, RunError
from vit_core.storage.plain_text import plain


def open_run_data(folder: Path, config: RunConfig, reading: Reading) -> ImageData:
    """Open the data that a run was started on, with its limit.

    Args:
        folder: of the run.

    Raises:
        ValueError: they are gone, damaged, or others than when the run was started.
    """
    if config.dataset == KEPT:
        data = load_images(folder)
    else:
        data = open_data(config.dataset, config.model, reading)
    check_same(data, config)
    return limited(data, config.limit_per_class)


def check_same(data: ImageData, config: RunConfig) -> None:
    """Refuse data that differ from those that the run was started on.

    Raises:
        RunError: they do.
    """
    # for a streamed folder, runs of earlier versions have only the first part of the hash
    if not config.data or not data.info.fingerprint.startswith(config.data):
        raise RunError(
            f"{plain(config.dataset)} holds other data now than when this run was started"
        )
