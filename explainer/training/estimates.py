"""How long runs take on this server, and which need more than it has, as its processes measured."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from explainer.training.limits import Limits, RefusedError
from explainer.training.standing import Standing
from explainer.training.wording import SAID
from explainer.training.worker_process import WorkerProcess
from explainer.training.workers import Crew
from vit_core.config import TrainConfig, ViTConfig
from vit_core.training.speed import Speed


@dataclass(frozen=True)
class Estimate:
    """How long a run takes, in seconds, and how many images it trains on in one of them."""

    seconds: float
    images_per_second: float


class Estimates(Standing):
    """A folder of runs, and the processes of one server that train them."""

    def __init__(
        self,
        root: Path,
        limits: Limits,
        recorded: Path,
        start_process: Callable[..., WorkerProcess],
    ) -> None:
        """Start no process yet."""
        super().__init__(root, limits, recorded)
        self._crew = Crew(limits, self._lock, self._ended, start_process)

    def _ended(self, run_id: str, state: str, said: str) -> None:
        """Note how a run ended."""
        raise NotImplementedError

    def estimate(self, model: ViTConfig, train: TrainConfig) -> Estimate | None:
        """Return how long a run takes, measured on this machine; None until that is done.

        It is measured by a process that has nothing else to do, so that no run waits for it.
        """
        with self._lock:
            self._crew.want(settings(model, train))
            return self._known(model, train)

    def check(self, model: ViTConfig, train: TrainConfig) -> None:
        """Refuse a run that this server cannot take, as far as anybody knows yet.

        Raises:
            RefusedError: it is beyond a limit, or needed too much memory when it was tried.
        """
        self.limits.check(model, train)
        with self._lock:
            speed = self._crew.speed(settings(model, train))
        if isinstance(speed, str):
            raise RefusedError(speed)

    def process_of(self, run_id: str) -> int:
        """Return the process id that trains a run.

        Raises:
            RefusedError: none does.
        """
        with self._lock:
            if run_id not in self._active:
                raise RefusedError(SAID["not_going"])
            return self._active[run_id].process.pid

    def warm_up(self) -> None:
        """Start the processes that runs will need, so that a start is felt at once."""
        with self._lock:
            self._crew.warm_up()

    def _known(self, model: ViTConfig, train: TrainConfig) -> Estimate | None:
        speed = self._crew.speed(settings(model, train))
        if not isinstance(speed, Speed):
            return None
        return Estimate(speed.seconds(train.epochs), speed.images_per_second)


def settings(model: ViTConfig, train: TrainConfig) -> tuple[ViTConfig, TrainConfig]:
    """Return what the speed of a run depends on, the same for all lengths and seeds."""
    return model, replace(train, epochs=1, seed=0)
