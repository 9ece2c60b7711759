"""Train into a run directory: start or resume the run there, and write as it goes on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vit_core.checkpoint import load_checkpoint
from vit_core.data import DataInfo, ImageData
from vit_core.data.sample_pictures import sample_pictures
from vit_core.mistakes import build_with
from vit_core.model import ViT
from vit_core.runs.directory import RunDirectory, RunError
from vit_core.runs.file_names import clear_leftovers
from vit_core.runs.snapshot import take_snapshot
from vit_core.runs.tensorboard import MetricsSink, no_metrics
from vit_core.training.evaluation import hardest_images
from vit_core.training.events import Done, EpochEnd, Event, StepEnd
from vit_core.training.initial import checkpoint_of, start_from
from vit_core.training.loop import Training
from vit_core.training.processes import ALONE, Group

HARDEST_COUNT = 24  # test images in hardest.json


@dataclass(frozen=True)
class Cadence:
    """How often a run writes during an epoch.

    Attributes:
        steps: between two lines of metrics; None to use ``seconds`` instead.
        seconds: between two lines of metrics, if ``steps`` is None.
        snapshot_seconds: between two snapshots of the model; None for no snapshots.
    """

    steps: int | None = 50
    seconds: float = 0.4
    snapshot_seconds: float | None = None


class Recorder:
    """A training and the run directory that it fills."""

    def __init__(
        self,
        run: RunDirectory,
        data: ImageData,
        cadence: Cadence,
        group: Group = ALONE,
        open_sink: Callable[[Path, int], MetricsSink] = no_metrics,
    ) -> None:
        """Resume the run after its last whole epoch, or start it.

        Args:
            data: on the device to train on.
            group: the processes that train together; this one must be the main one.
            open_sink: opens an extra metrics sink for a run directory and the step at which the run
                resumes.

        Raises:
            RunError: the saved state is damaged or belongs to another model.
            OSError: the directory cannot be written.
        """
        clear_leftovers(run.path)
        config = run.config.train
        self.run, self.cadence = run, cadence
        if run.config.takes_pictures:
            run.pictures = sample_pictures(data.val)
        state = run.load_state()
        model = build_with(run.config.model, config, config.seed)
        if state is None and run.config.init:
            self.start_from_init(model, data.info)
        self.training = Training(model.to(data.train.labels.device), data, config, group)
        if state is None:
            run.save_epoch(
                "epoch-000", self.training.eval_model, {"epoch": 0, "step": 0}, data.info
            )
        else:
            try:
                self.training.load(*state)
            except (KeyError, RuntimeError, IndexError):
                raise RunError(f"{run.path / 'state.safetensors'} is of another model") from None
        run.keep_metrics_up_to(self.training.epoch)
        lines = run.metrics()
        whole = [line for line in lines if line.get("val_accuracy") is not None]
        self.last: dict[str, Any] = whole[-1] if whole else {}  # metrics of the last whole epoch
        self.started = time.monotonic() - (lines[-1]["seconds"] if lines else 0.0)
        self.metrics_written = self.snapshot_taken = time.monotonic()
        self.metrics_sink = open_sink(run.path, self.last.get("step", 0))
        self.losses: list[float] = []
        self.accuracies: list[float] = []

    def start_from_init(self, model: ViT, info: DataInfo) -> None:
        """Give a new model the weights that its run starts from, and note what it took.

        Raises:
            RunError: the file of these weights is gone or damaged, or of another kind of model.
        """
        config = self.run.config
        untrained = self.run.path / "epoch-000.safetensors"  # has them, since it was written
        try:
            if untrained.is_file():
                model.load_state_dict(load_checkpoint(untrained, config.model).model.state_dict())
                return
            taken = start_from(model, checkpoint_of(config.init), info.class_names)
        except (ValueError, OSError) as error:
            # without its folder, which visitors of a server need not know
            why = str(error).replace(config.init, Path(config.init).name)
            raise RunError(f"the weights to start from cannot be used: {why}") from None
        self.run.config = replace(config, taken=str(taken))
        self.run.save_config()

    @property
    def is_complete(self) -> bool:
        """Whether the run is finished and tested."""
        return "test_accuracy" in self.last

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken so far, all resumptions together, without pauses."""
        return round(time.monotonic() - self.started, 3)

    def leave_out(self, seconds: float) -> None:
        """Leave a pause out of the run's time."""
        self.started += seconds

    def events(self) -> Iterator[Event]:
        """Train to the end; each event is written before it is yielded.

        Raises:
            TrainingDivergedError: the loss became infinite or not a number.
            OSError: the directory can no longer be written; every file in it is complete.
        """
        if self.cadence.snapshot_seconds is not None:
            self.snapshot(self.training.epoch * self.training.steps_per_epoch, self.training.epoch)
        for event in self.training.events():
            match event:
                case StepEnd():
                    self.write_step(event)
                case EpochEnd():
                    self.write_epoch(event)
                case Done():
                    self.write_end(event)
            yield event

    def write_step(self, event: StepEnd) -> None:
        """Write the means since the last line, and a snapshot, if they are due."""
        self.losses.append(event.train_loss)
        self.accuracies.append(event.train_accuracy)
        now = time.monotonic()
        if self.is_due(event.step, now):
            means = {"train_loss": mean(self.losses), "train_accuracy": mean(self.accuracies)}
            self.forget_steps()
            self.metrics_written = now
            position = {"step": event.step, "epoch": event.epoch}
            self.write(position | means | {"val_loss": None, "val_accuracy": None, "lr": event.lr})
        interval = self.cadence.snapshot_seconds
        if interval is not None and now - self.snapshot_taken >= interval:
            self.snapshot(event.step, event.epoch)

    def is_due(self, step: int, now: float) -> bool:
        """Whether to write a line of metrics after ``step``; by time, step 1 always has one."""
        if self.cadence.steps is not None:
            return step % self.cadence.steps == 0
        return step == 1 or now - self.metrics_written >= self.cadence.seconds

    def forget_steps(self) -> None:
        """Start new means."""
        self.losses.clear()
        self.accuracies.clear()

    def snapshot(self, step: int, epoch: int) -> None:
        """Write a snapshot of the model, and its metrics on a sample of the validation images."""
        training = self.training
        snapshot, evaluation = take_snapshot(
            training.eval_model,
            training.data,
            step=step,
            epoch=epoch,
            seconds=self.seconds,
            softmax_before_loss=training.config.softmax_before_loss,
        )
        self.run.check_fence()
        snapshot.save(self.run.path)
        sample = {"sample_loss": evaluation.loss, "sample_accuracy": evaluation.accuracy}
        self.write({"step": step, "epoch": epoch} | sample)
        self.snapshot_taken = time.monotonic()

    def write_epoch(self, event: EpochEnd) -> None:
        """Write the metrics of an epoch, its model, and what the run can be resumed from."""
        self.forget_steps()
        self.last = {
            "step": event.step,
            "epoch": event.epoch,
            "train_loss": event.train_loss,
            "train_accuracy": event.train_accuracy,
            "val_loss": event.val_loss,
            "val_accuracy": event.val_accuracy,
        }
        self.write(self.last)
        info = self.training.data.info
        self.run.save_epoch(f"epoch-{event.epoch:03d}", self.training.eval_model, self.last, info)
        self.run.save_state(self.training.tensors(), event.epoch)
        if self.cadence.snapshot_seconds is not None:
            self.snapshot(event.step, event.epoch)

    def write_end(self, event: Done) -> None:
        """Write the hardest test images, the final model and the last line of metrics."""
        self.last = {k: v for k, v in self.last.items() if k not in ("seconds", "lr")}
        self.last |= {"test_loss": event.test.loss, "test_accuracy": event.test_accuracy}
        self.last["seconds"] = self.seconds
        training = self.training
        model = training.eval_model.eval()
        data = training.data
        hardest = hardest_images(model, data.test, data.info, HARDEST_COUNT)
        if self.run.config.takes_pictures:
            self.run.save_hardest_pictures(data.test.at([one.index for one in hardest]))
        self.run.save_hardest(hardest)
        self.run.save_epoch("final", model, self.last, training.data.info)
        self.write(self.last)

    def write(self, values: dict[str, Any]) -> None:
        """Write a line of metrics."""
        line = {"seconds": self.seconds} | values
        self.run.append_metrics(line)
        self.metrics_sink.add(line)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)
