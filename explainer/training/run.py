"""A run as the pages see it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.training.note import hashed
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import ImageData
from vit_core.data.sets import COUNTS, Counts
from vit_core.runs.directory import RunError
from vit_core.runs.history import RunHistory

ACTIVE_STATES = ("queued", "running", "paused")
ENDED_EARLY = ("stopped", "failed", "interrupted")
SPEED_WINDOW_SECONDS = 30.0  # of training, over which the speed is measured
WAITS_FOR = CLUSTER, MACHINE = "cluster", "machine"  # the connection to it; a larger one
PROBED = "probed"  # the status of a new head on another model, which took no training
MAX_LENGTHS = {"status": 20, "title": 60, "message": LONGEST_SENTENCE}  # characters


@dataclass(frozen=True)
class RunRequest:
    """What a visitor wants to train.

    Attributes:
        preset: name of the settings that it started from; None for the visitor's own.
        dataset: that it learns from; ``KEPT`` for ``images``.
        images: that the run keeps in its own folder (see ``vit_core.data.kept.kept_data``).
        init: name of a shipped model, or path of a checkpoint, whose weights it starts from; empty
            for random ones.
        limit_per_class: it learns from the first so many images of each class; None for all.
    """

    model: ViTConfig
    train: TrainConfig
    preset: str | None = None
    dataset: str = "mnist"
    images: ImageData | None = None
    init: str = ""
    limit_per_class: int | None = None

    @property
    def counts(self) -> Counts:
        """Number of images for training, validation and test.

        Raises:
            KeyError: the data set is unknown.
        """
        if self.images is not None:
            return tuple(map(len, (self.images.train, self.images.val, self.images.test)))  # type: ignore[return-value]
        train, val, test = COUNTS[self.dataset]
        if self.limit_per_class is not None:
            train = min(train, self.limit_per_class * self.model.num_classes)
        return train, val, test


@dataclass(frozen=True)
class Run:
    """The state of a run when the manager was asked; only its history changes afterwards.

    Attributes:
        status: "queued", "running", "paused", "stopped", "finished", "failed", "interrupted" (its
            server stopped), "uploaded", "probed" (a new head on another model) or "recorded".
        message: why, in one sentence; may be empty.
        title: what it is, in a few words.
        owner: hash of the visitor's secret; empty for a recorded run.
        created: seconds since 1970.
        estimate: seconds that it was expected to take; None if that had not been measured.
        queue_position: from 1; None outside the queue.
        wait_seconds: about how long it will wait; None outside the queue, or if unknown.
        waits_for: what has to come before any run of the queue starts, as ``WAITS_FOR`` names it;
            empty where a free place is enough.
    """

    id: str
    history: RunHistory
    status: str
    message: str = ""
    title: str = ""
    owner: str = ""
    created: float = 0.0
    estimate: float | None = None
    queue_position: int | None = None
    wait_seconds: float | None = None
    waits_for: str = ""

    def __post_init__(self) -> None:
        # these texts come from files that anybody may have written
        for name, longest in MAX_LENGTHS.items():
            object.__setattr__(self, name, strangers_word(getattr(self, name), longest))

    @property
    def is_active(self) -> bool:
        """Whether it waits, trains or pauses."""
        return self.status in ACTIVE_STATES

    @property
    def can_resume(self) -> bool:
        """Whether it ended early and can continue after its last whole epoch."""
        try:
            return self.status in ENDED_EARLY and bool(self.history.config)
        except RunError:
            return False

    @property
    def validated(self) -> int:
        """Number of its validation pictures; 0 if that is not known."""
        return self._count("val_images")

    @property
    def tested(self) -> int:
        """Number of its test pictures; 0 if that is not known."""
        return self._count("test_images")

    def _count(self, name: str) -> int:
        try:
            return int(getattr(self.history.config, name))
        except RunError:
            return 0

    @property
    def started(self) -> datetime:
        """When it was created, in UTC."""
        return datetime.fromtimestamp(self.created, UTC)

    def belongs_to(self, visitor: str) -> bool:
        """Return whether the visitor with this secret started it."""
        return self.owner == hashed(visitor)

    @property
    def images_per_second(self) -> float | None:
        """The recent speed, evaluation time included; None if it is not known yet."""
        speed = self._steps_per_second()
        return speed and speed * self.history.config.train.batch_size

    @property
    def seconds_left(self) -> float | None:
        """The time that training still takes at the recent speed; None if it is not known yet."""
        speed, lines = self._steps_per_second(), self.history.metrics()
        return (self.history.total_steps - lines[-1]["step"]) / speed if speed else None

    def _steps_per_second(self) -> float | None:
        lines = self.history.metrics()
        recent = [
            line for line in lines if line["seconds"] >= lines[-1]["seconds"] - SPEED_WINDOW_SECONDS
        ]
        if len(recent) < 2:
            return None
        steps = recent[-1]["step"] - recent[0]["step"]
        seconds = recent[-1]["seconds"] - recent[0]["seconds"]
        return steps / seconds if steps > 0 and seconds > 0 else None
