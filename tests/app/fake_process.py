"""A training process that does nothing by itself: tests give its answers and let it die."""

from typing import Any, ClassVar

from explainer.training.limits import Limits


class FakeProcess:
    """Takes the place of ``WorkerProcess``; all that were started are in ``started``."""

    started: ClassVar[list["FakeProcess"]] = []

    def __init__(self, limits: Limits, on_answer: Any, on_exit: Any) -> None:
        self.run_id: str | None = None
        self.measuring: Any = None
        self.idle_since = 0.0
        self.commands: list[dict[str, Any]] = []
        self.is_alive = True
        self._on_answer, self._on_exit = on_answer, on_exit
        FakeProcess.started.append(self)

    def send(self, **command: Any) -> None:
        self.commands.append(command)

    def answer(self, **answer: Any) -> None:
        self._on_answer(self, answer)

    def end_run(self, state: str = "finished", said: str = "") -> None:
        self.answer(event="ended", state=state, message=said)

    def kill(self) -> None:
        self.die(-9)

    def die(self, code: int) -> None:
        self.is_alive = False
        self._on_exit(self, code)

    def end(self) -> None:
        self.is_alive = False

    close = end
