"""How long runs take on this server, and which need too much memory, as its workers measured."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from explainer.training.first_point import FirstPoints
from explainer.training.limits import Limits, RefusedError
from explainer.training.run_queries import RunQueries
from explainer.training.wording import MESSAGES
from explainer.training.worker_process import WorkerProcess
from explainer.training.workers import Settings, WorkerPool
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import ImageData
from vit_core.data.sets import COUNTS, Counts
from vit_core.training.speed import Speed

MNIST = COUNTS["mnist"]

MOST_TIMES = 3.0  # as long as with the processor for itself
SPREAD = 1.25  # of an estimate, at least: two measurements differ by about as much


@dataclass(frozen=True)
class Estimate:
    """How long a run takes.

    Attributes:
        least: seconds of the whole run if it has the processor for itself.
        seconds: of the whole run while others use the processor as they did when it was measured;
            at most ``MOST_TIMES`` as many, because nobody keeps a processor busy for long.
        images_per_second: that it trains on.
    """

    least: float
    seconds: float
    images_per_second: float

    @property
    def most(self) -> float:
        """Seconds that it takes at most, unless the machine becomes busier."""
        return max(self.seconds, SPREAD * self.least)


class Estimates(RunQueries):
    """A folder of runs with the worker processes of one server that train them."""

    def __init__(
        self,
        root: Path,
        limits: Limits,
        recorded: Path,
        start_process: Callable[..., WorkerProcess],
    ) -> None:
        """Read a folder of runs, and start no process yet."""
        super().__init__(root, limits, recorded)
        self._first_points = FirstPoints()
        self._workers = WorkerPool(
            limits, self._lock, self._on_ended, start_process, self._first_points.come
        )

    def _on_ended(self, run_id: str, state: str, message: str) -> None:
        """Record how a run ended."""
        raise NotImplementedError

    def estimate(
        self, model: ViTConfig, train: TrainConfig, counts: Counts = MNIST
    ) -> Estimate | None:
        """Return how long a run takes on this machine; None until that has been measured.

        A process without other work measures it, so that no run waits for the measurement.

        Args:
            counts: of the images, as ``RunRequest.counts`` gives them.
        """
        with self._lock:
            self._workers.request_speed(speed_settings(model, train, counts))
            return self._known_estimate(model, train, counts)

    def check(
        self,
        model: ViTConfig,
        train: TrainConfig,
        images: ImageData | None = None,
        counts: Counts = MNIST,
    ) -> None:
        """Refuse a run that this server cannot take, as far as that is known yet.

        Args:
            images: that the run shall keep in its own folder.
            counts: of its images.

        Raises:
            RefusedError: it exceeds a limit, or it needed too much memory when it was measured.
        """
        self.limits.check(model, train, images)
        with self._lock:
            speed = self._workers.speed(speed_settings(model, train, counts))
        if isinstance(speed, str):
            raise RefusedError(speed, "memory")

    def process_id_of(self, run_id: str) -> int:
        """Return the id of the process that trains a run.

        Raises:
            RefusedError: no process trains it.
        """
        with self._lock:
            if run_id not in self._running:
                raise RefusedError(MESSAGES["not_going"], "not_now")
            return self._running[run_id].process.pid

    def warm_up(self) -> None:
        """Start the processes that runs will need, so that a run starts without delay."""
        with self._lock:
            self._workers.warm_up()

    def _known_estimate(
        self, model: ViTConfig, train: TrainConfig, counts: Counts
    ) -> Estimate | None:
        speed = self._workers.speed(speed_settings(model, train, counts))
        if not isinstance(speed, Speed):
            return None
        seconds = speed.seconds(train.epochs)
        least = seconds / speed.slowdown
        return Estimate(least, min(seconds, MOST_TIMES * least), speed.images_per_second)


def speed_settings(model: ViTConfig, train: TrainConfig, counts: Counts = MNIST) -> Settings:
    """Return the settings that the speed depends on: the same for any length and any seed."""
    return model, replace(train, epochs=1, seed=0), counts
