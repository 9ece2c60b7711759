"""Runs as models: which of them a visitor can choose, their saved epochs, and what is said of them.

What a link or a slider asks for may be gone, unfinished or damaged; then the nearest that can be
shown is, and a sentence says so.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explainer import training
from explainer.content import load_texts
from explainer.content.strangers_words import plain_format
from explainer.inputs.models import load
from explainer.state.choice import read_saved, saved
from explainer.state.link import State
from explainer.training import Run, load_limits, visitor
from explainer.training.command import command_of
from vit_core import Checkpoint, CheckpointError
from vit_core.runs.directory import RunError

TEXTS = load_texts("run_models")
MOST_OFFERED = 12  # of a visitor's own runs; the training page knows them all


@dataclass(frozen=True)
class Shown:
    """A run's model as it is shown.

    Attributes:
        run: as the manager knows it.
        epochs: the saved ones, in order.
        epoch: the one that is shown.
    """

    run: Run
    epochs: tuple[int, ...]
    epoch: int

    @property
    def source(self) -> str:
        """As ``Choice`` has it."""
        return saved(self.run.id, self.epoch)


def look_up(now: State) -> tuple[Shown | None, str]:
    """Return the run's model that a state asks for, and a sentence if it gets another or none."""
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
    for epoch in sorted(epochs, key=lambda one: (abs(one - wanted), one)):
        try:
            with waiting() as say:
                load.load_source(saved(run.id, epoch), on_wait=say)
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
def waiting() -> Iterator[Callable[[float], None]]:
    """Give what says, on the page, that a large model waits for a place in memory."""
    places: list[DeltaGenerator] = []

    def say(seconds: float) -> None:
        if not places:
            places.append(st.empty())
        texts, count = load_texts("pretrained"), load_limits().large_models
        places[0].info(texts["waiting"].format(count=max(1, count), seconds=round(seconds)))

    try:
        yield say
    finally:
        for place in places:
            place.empty()


def missing(run: Run, epochs: tuple[int, ...], wanted: int) -> str:
    return plain_format(
        TEXTS["no_epoch"], title=run.title, wanted=wanted, first=epochs[0], last=epochs[-1]
    )


def reason(error: Exception) -> str:
    """Return why a file cannot be used, without naming folders of the server."""
    if isinstance(error, OSError):
        return TEXTS["unreadable"]
    return re.sub(r"^/.*?\.safetensors ", TEXTS["file"], str(error))


def offered(now: State) -> dict[str, str]:
    """Return the runs that can be chosen: id → label; no two labels are the same."""
    labels: dict[str, str] = {}
    for run, words in runs_of_visitor(now):
        label = plain_format(TEXTS[words], title=run.title, result=result(run))
        same = sum(one.startswith(label) for one in labels.values())
        labels[run.id] = f"{label} ({same + 1})" if same else label
    return labels


def runs_of_visitor(now: State) -> Iterator[tuple[Run, str]]:
    """Yield each run that can be chosen, and the name of the text that says what it is."""
    manager, secret = training.the_manager(), visitor.current()
    known = set()
    for run in manager.recorded():
        if not run.history.epochs():  # curves alone, for the gallery
            continue
        known.add(run.id)
        yield run, "recorded"
    own = (run for run in manager.runs_of(secret) if run.history.epochs())
    for _, run in zip(range(MOST_OFFERED), own, strict=False):
        known.add(run.id)
        yield run, "own"
    # the one that was looked at last, which may have come by a link
    run = manager.find(now.run) if now.run and now.run not in known else None
    if run and run.history.epochs():
        yield run, "own" if run.belongs_to(secret) else "shared"


def result(run: Run) -> str:
    """Say how a run stands, or how good it became; what a stranger's file claims is not said."""
    accuracy = run.history.test_accuracy
    if accuracy is not None and run.status != "uploaded":
        return written(accuracy)
    return TEXTS["status"].get(run.status, run.status)


def epoch_words(shown: Shown) -> str:
    """Say which epoch is shown and how good the model was then."""
    if shown.epoch == 0:
        return TEXTS["epoch_untrained"]
    line = shown.run.history.epoch_line(shown.epoch)
    if line is None:
        return TEXTS["epoch_unmeasured"].format(epoch=shown.epoch)
    return TEXTS["epoch_measured"].format(epoch=shown.epoch, share=written(line["val_accuracy"]))


def written(accuracy: float) -> str:
    return f"{100 * accuracy:.2f} %"


def forget(now: State) -> State:
    """Return a state whose model is a shipped one, while the run's own page keeps the run."""
    keep = now.run if now.run and load.find_run(now.run) else ""
    return replace(now, source=load.available_sources()[0], run=keep, epoch=None)


def origin(source: str, texts: Mapping[str, str]) -> str:
    """Say which epoch of which run a model is, and how good it is.

    Args:
        texts: the page's own, with ``origin_…``.
    """
    run_id, epoch = read_saved(source)
    history = (run := load.find_run(run_id)).history
    facts = {"title": run.title, "epoch": epoch}
    line, test = history.epoch_line(epoch), history.test_accuracy
    if run.status == "uploaded":
        said = texts["origin_uploaded"].format(**facts)
        accuracy = test if test is not None else line and line["val_accuracy"]
        if accuracy is None:
            return said
        what = texts["origin_test" if test is not None else "origin_validation"]
        claim = texts["origin_uploaded_claim"].format(accuracy=written(accuracy), what=what)
        return f"{said} {claim}"
    if test is not None and epoch == history.epochs()[-1]:
        return texts["origin_run_last"].format(accuracy=written(test), **facts)
    if line is None:
        return texts["origin_run_unmeasured"].format(**facts)
    return texts["origin_run"].format(accuracy=written(line["val_accuracy"]), **facts)


def command(source: str, checkpoint: Checkpoint) -> tuple[str, str]:
    """Return the command that trains what a run's model says, and the name of the text about it."""
    run = load.find_run(read_saved(source)[0])
    is_uploaded = run.status == "uploaded"
    try:
        config = run.history.config
    except RunError:
        return "", "origin_command"
    if is_uploaded and not config.command:  # its file did not say how it was trained
        return "", "origin_command"
    said = command_of(checkpoint, config.threads)
    return said, "origin_command_uploaded" if is_uploaded else "origin_command"
