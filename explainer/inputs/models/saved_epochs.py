"""Runs as models: which runs a visitor can choose, their saved epochs, and the texts about them.

The epoch that a link or a slider asks for may be deleted, unfinished or damaged. Then the nearest
epoch that can be read is shown, with a sentence that says so.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explainer import training
from explainer.content import load_texts
from explainer.content.numbers import share_of_right
from explainer.content.strangers_words import plain_format
from explainer.inputs.models import load
from explainer.state.choice import read_saved, saved
from explainer.state.link import State
from explainer.training import Run, load_limits, visitor
from explainer.training.command import command_of
from explainer.training.run import PROBED
from vit_core import Checkpoint, CheckpointError
from vit_core.runs.directory import RunError

TEXTS = load_texts("run_models")
MAX_OFFERED = 12  # of a visitor's own runs; the training page lists all of them


@dataclass(frozen=True)
class Shown:
    """The model of a run that a page shows.

    Attributes:
        epochs: that are saved, in order.
        epoch: that is shown.
    """

    run: Run
    epochs: tuple[int, ...]
    epoch: int

    @property
    def source(self) -> str:
        """The source, as ``Choice`` names it."""
        return saved(self.run.id, self.epoch)


def look_up(now: State) -> tuple[Shown | None, str]:
    """Return the run's model that a state asks for.

    Returns:
        The model, or None; and a sentence if it is another one or none, else an empty text.
    """
    if not now.run:
        return None, TEXTS["unnamed"]
    run = load.find_run(now.run)
    if run is None:
        return None, TEXTS["gone"].format(run=now.run)
    epochs = run.history.epochs()
    if not epochs:
        return None, plain_format(TEXTS["none_saved"], title=run.title)
    wanted = epochs[-1] if now.epoch is None else now.epoch
    problem = "" if wanted in epochs else missing(run, epochs, wanted)
    for epoch in sorted(epochs, key=lambda epoch: (abs(epoch - wanted), epoch)):
        try:
            with waiting_message() as show_wait:
                load.load_source(saved(run.id, epoch), on_wait=show_wait)
        except (CheckpointError, OSError) as error:
            problem = problem or plain_format(
                TEXTS["damaged"], epoch=epoch, title=run.title, why=reason(error)
            )
        else:
            if epoch != wanted:
                problem = f"{problem} {TEXTS['instead'].format(epoch=epoch)}"
            return Shown(run, epochs, epoch), problem
    return None, problem


@contextmanager
def waiting_message() -> Iterator[Callable[[float], None]]:
    """Yield a function that shows how long a large model waits; remove the message at the end."""
    containers: list[DeltaGenerator] = []

    def show_wait(seconds: float) -> None:
        if not containers:  # nothing is added to the page unless the model has to wait
            containers.append(st.empty())
        texts, count = load_texts("pretrained"), load_limits().large_models
        containers[0].info(texts["waiting"].format(count=max(1, count), seconds=round(seconds)))

    try:
        yield show_wait
    finally:
        for container in containers:
            container.empty()


def missing(run: Run, epochs: tuple[int, ...], wanted: int) -> str:
    return plain_format(
        TEXTS["no_epoch"], title=run.title, wanted=wanted, first=epochs[0], last=epochs[-1]
    )


def reason(error: Exception) -> str:
    """Return why a file cannot be used, without the names of folders on the server."""
    if isinstance(error, OSError):
        return TEXTS["unreadable"]
    return re.sub(r"^/.*?\.safetensors ", TEXTS["file"], str(error))


def offered(now: State) -> dict[str, str]:
    """Return the labels of the runs that can be chosen, by their ids; each label is different."""
    labels: dict[str, str] = {}
    for run, kind in runs_of_visitor(now):
        label = plain_format(TEXTS[kind], title=run.title, result=result(run))
        same = sum(other.startswith(label) for other in labels.values())
        labels[run.id] = f"{label} ({same + 1})" if same else label
    return labels


def runs_of_visitor(now: State) -> Iterator[tuple[Run, str]]:
    """Yield each run that can be chosen, with its kind: "recorded", "own" or "shared"."""
    manager, secret = training.the_manager(), visitor.current()
    known = set()
    for run in manager.recorded():
        if not run.history.epochs():  # recorded without models, for the gallery of mistakes
            continue
        known.add(run.id)
        yield run, "recorded"
    own = (run for run in manager.runs_of(secret) if run.history.epochs())
    for _, run in zip(range(MAX_OFFERED), own, strict=False):
        known.add(run.id)
        yield run, "own"
    # the run in the address, which a link may have brought
    linked = manager.find(now.run) if now.run and now.run not in known else None
    if linked and linked.history.epochs():
        yield linked, "own" if linked.belongs_to(secret) else "shared"


def result(run: Run) -> str:
    """Return the accuracy of a finished run, else its state.

    The accuracy that an uploaded file claims is not shown.
    """
    accuracy = run.history.test_accuracy
    if run.status == PROBED and (line := run.history.epoch_line(1)):
        accuracy = line["val_accuracy"]  # on the held-out pictures
    if accuracy is not None and run.status != "uploaded":
        count = run.validated if run.status == PROBED else run.tested
        return share_of_right(accuracy, count)
    return load_texts("runs")["status"].get(run.status, run.status)


def epoch_words(shown: Shown) -> str:
    """Return a text that says which epoch is shown and how good the model was then."""
    if shown.epoch == 0:
        return TEXTS["epoch_untrained"]
    line = shown.run.history.epoch_line(shown.epoch)
    if line is None:
        return TEXTS["epoch_unmeasured"].format(epoch=shown.epoch)
    share = share_of_right(line["val_accuracy"], shown.run.validated)
    return TEXTS["epoch_measured"].format(epoch=shown.epoch, share=share)


def forget(now: State) -> State:
    """Return a state with a shipped model; it keeps the run, which the page Train still shows."""
    keep = now.run if now.run and load.find_run(now.run) else ""
    return replace(now, source=load.available_sources()[0], run=keep, epoch=None)


def origin(source: str, texts: Mapping[str, str]) -> str:
    """Return a text that says which epoch of which run a model is, and how good it is.

    Args:
        texts: of the page, with keys ``origin_…``.
    """
    run, epoch = saved_run(source)
    history = run.history
    facts = {"title": run.title, "epoch": epoch}
    line, test = history.epoch_line(epoch), history.test_accuracy
    if run.status == PROBED and line is not None:
        return texts["origin_probed"].format(
            accuracy=share_of_right(line["val_accuracy"], run.validated), title=run.title
        )
    if run.status == "uploaded":
        origin_text = texts["origin_uploaded"].format(**facts)
        validation = line["val_accuracy"] if line else None
        accuracy = test if test is not None else validation
        if accuracy is None:
            return origin_text
        what = texts["origin_test" if test is not None else "origin_validation"]
        claim = texts["origin_uploaded_claim"].format(accuracy=share_of_right(accuracy), what=what)
        return f"{origin_text} {claim}"
    if test is not None and epoch == history.epochs()[-1]:
        return texts["origin_run_last"].format(accuracy=share_of_right(test, run.tested), **facts)
    if line is None:
        return texts["origin_run_unmeasured"].format(**facts)
    return texts["origin_run"].format(
        accuracy=share_of_right(line["val_accuracy"], run.validated), **facts
    )


def saved_run(source: str) -> tuple[Run, int]:
    """Return the run and the epoch of a source that is a saved epoch."""
    saved = read_saved(source)
    run = load.find_run(saved[0]) if saved else None
    assert saved is not None and run is not None, f"{source} is no saved epoch of a run"
    return run, saved[1]


def command(source: str, checkpoint: Checkpoint) -> tuple[str, str]:
    """Return the command that trains a run's model again, and the key of the text about it."""
    run, _ = saved_run(source)
    is_uploaded = run.status == "uploaded"
    if run.status == PROBED:
        return "", "origin_command"
    try:
        config = run.history.config
    except RunError:
        return "", "origin_command"
    if is_uploaded and not config.command:  # its file does not hold the settings of its training
        return "", "origin_command"
    line = command_of(checkpoint, config.threads)
    return line, "origin_command_uploaded" if is_uploaded else "origin_command"
