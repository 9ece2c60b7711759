"""Uploaded models as runs of their visitors.

An accepted checkpoint is written anew, so that a run's folder holds only what this project wrote.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from explainer.inputs.models.check_upload import COPIES, TEXTS, Upload, check_form, read_upload
from explainer.inputs.models.passes import one_large_pass
from explainer.training.command import command_of
from explainer.training.limits import RefusedError
from explainer.training.manager import Manager
from explainer.training.note import Note, hashed
from explainer.training.run import Run
from vit_core import TrainConfig
from vit_core.data import MNIST_TRAINING, mnist_info
from vit_core.presets import PRESETS
from vit_core.runs.directory import RunConfig, RunDirectory

MAX_UPLOADS = 12  # of one visitor


def add_upload(manager: Manager, visitor: str, content: bytes, name: str) -> Run:
    """Check an uploaded checkpoint and make it a run of this visitor.

    Args:
        name: of the file, as the visitor called it.

    Raises:
        RefusedError: the pages cannot show it, or there is no room for it; one sentence.
    """
    check_form(content, name)
    with one_large_pass:  # memory would not suffice for the models of several visitors at once
        runs = manager.runs_of(visitor)
        if sum(run.status == "uploaded" for run in runs) >= MAX_UPLOADS:
            raise RefusedError(TEXTS["many"].format(most=MAX_UPLOADS), "visitor_limit")
        upload = read_upload(content, name, manager.limits)
        with manager.reserve_upload_space(bytes_of(upload)):
            return keep_upload(manager, visitor, upload)


def keep_upload(manager: Manager, visitor: str, upload: Upload) -> Run:
    """Write an upload as a run of this visitor.

    Raises:
        RefusedError: the disk is full, or the folder of runs cannot be written.
    """
    store, run_id = manager.store, ""
    note = Note(hashed(visitor), "uploaded", "", upload.title, time.time())
    try:
        run_id = store.new_id()
        # the note is written last, so that nobody sees a half-written run
        write_upload(upload, store.folder(run_id), partial(store.write, run_id, note))
    except OSError as error:
        with suppress(OSError):
            store.delete(run_id)
        raise RefusedError(TEXTS["no_disk"].format(why=error.strerror or error), "disk") from None
    return Run(run_id, store.history(run_id), "uploaded", "", note.title, note.owner, note.created)


def bytes_of(upload: Upload) -> int:
    """Return roughly how many bytes an upload takes on the disk."""
    return COPIES * 4 * upload.checkpoint.config.num_parameters + 64 * 1024


def write_upload(upload: Upload, folder: Path, finish: Callable[[], None]) -> None:
    """Write a run's folder with this one model, as the model of its epoch and as the final one.

    Args:
        finish: called at the end, while the folder is still locked. A clean-up would take a folder
            that is half written and not locked for one that a killed process left.

    Raises:
        OSError: the disk is full, or the folder cannot be created.
    """
    checkpoint, epoch = upload.checkpoint, upload.epoch
    config = RunConfig(
        preset=checkpoint.preset if checkpoint.preset in PRESETS else None,
        model=checkpoint.config,
        train=checkpoint.train_config or TrainConfig(epochs=max(epoch, 1)),
        threads=1,
        data=(checkpoint.data or mnist_info()).fingerprint,
        command=command_of(checkpoint),  # empty if the file does not hold its settings
        limit_per_class=checkpoint.limit_per_class,
        init=checkpoint.init,
        takes_pictures=checkpoint.pictures is not None,
    )
    run = RunDirectory.create(folder, config)
    run.pictures = checkpoint.pictures
    try:
        steps = epoch * (MNIST_TRAINING // min(config.train.batch_size, MNIST_TRAINING))
        line = {"epoch": epoch, "step": steps, **upload.metrics}
        run.append_metrics({"seconds": 0.0, **line})
        data = checkpoint.data or mnist_info()
        run.save_epoch(f"epoch-{epoch:03d}", checkpoint.model, line, data)
        run.save_epoch("final", checkpoint.model, line, data)
        finish()
    finally:
        run.close()
