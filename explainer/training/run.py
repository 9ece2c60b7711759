"""A run as the pages see it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.training.note import hashed
from vit_core.config import TrainConfig, ViTConfig
from vit_core.runs.directory import RunError
from vit_core.runs.history import RunHistory

GOING = ("queued", "running", "paused")
ENDED_EARLY = ("stopped", "failed", "interrupted")
WINDOW = 15.0  # seconds of training from which the time left is told


@dataclass(frozen=True)
class RunRequest:
    """What somebody wants trained; ``preset`` names the settings that it started from, if any."""

    model: ViTConfig
    train: TrainConfig
    preset: str | None = None


@dataclass(frozen=True)
class Run:
    """How a run stood when the manager was asked; its history goes on by itself.

    Attributes:
        status: "queued", "running", "paused", "stopped", "finished", "failed", "interrupted" (its
            server stopped), "uploaded" or "recorded".
        said: why, in one sentence; may be empty.
        title: what it is, in a few words.
        owner: hash of the visitor's secret; empty for a recorded run.
        created: seconds since 1970.
        estimate: seconds that it was expected to take, None if nobody had measured.
        place: in the queue, from 1; None outside.
        wait_seconds: about how long it waits; None outside the queue, and while nobody can tell.
    """

    id: str
    history: RunHistory
    status: str
    said: str = ""
    title: str = ""
    owner: str = ""
    created: float = 0.0
    estimate: float | None = None
    place: int | None = None
    wait_seconds: float | None = None

    def __post_init__(self) -> None:
        # they come from files that anybody may have written
        for name, longest in (("status", 20), ("title", 60), ("said", LONGEST_SENTENCE)):
            object.__setattr__(self, name, strangers_word(getattr(self, name), longest))

    @property
    def is_going(self) -> bool:
        """Whether it waits, trains or pauses."""
        return self.status in GOING

    @property
    def can_resume(self) -> bool:
        """Whether it ended before its end, and can go on after its last whole epoch."""
        try:
            return self.status in ENDED_EARLY and bool(self.history.config)
        except RunError:
            return False

    @property
    def started(self) -> datetime:
        return datetime.fromtimestamp(self.created, UTC)

    def is_own(self, visitor: str) -> bool:
        return self.owner == hashed(visitor)

    @property
    def images_per_second(self) -> float | None:
        """Of the latest seconds, with the evaluations in them; None before anybody can tell."""
        speed = self._steps_per_second()
        return speed and speed * self.history.config.train.batch_size

    @property
    def seconds_left(self) -> float | None:
        """Of training, at the speed of the latest seconds; None before anybody can tell."""
        speed, lines = self._steps_per_second(), self.history.metrics()
        return (self.history.total_steps - lines[-1]["step"]) / speed if speed else None

    def _steps_per_second(self) -> float | None:
        lines = self.history.metrics()
        recent = [line for line in lines if line["seconds"] >= lines[-1]["seconds"] - WINDOW]
        if len(recent) < 2:
            return None
        steps = recent[-1]["step"] - recent[0]["step"]
        seconds = recent[-1]["seconds"] - recent[0]["seconds"]
        return steps / seconds if steps > 0 and seconds > 0 else None
