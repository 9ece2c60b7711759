"""One training process on a machine of a Ray cluster, as the server holds it."""

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from explainer.training.wording import MESSAGES
from explainer.training.worker_process import LOST
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data.sets import Counts

KEEPS = {"answer", "failed"}  # news after which the worker is still there
END_SECONDS = 3.0  # that ``end`` waits until the process is gone


class RayWorker:
    """Takes the place of ``WorkerProcess``, which says what its attributes and methods are."""

    def __init__(
        self,
        tell: Callable[[str, dict[str, Any]], None],
        on_answer: Callable[["RayWorker", dict[str, Any]], None],
        on_exit: Callable[["RayWorker", int], None],
        pid: int,
    ) -> None:
        """Start with nothing to do.

        Args:
            tell: passes an order to the cluster: what to do, and the values that belong to it.
            pid: of the process that speaks with the cluster.
        """
        self.run_id: str | None = None
        self.measuring: tuple[ViTConfig, TrainConfig, Counts] | None = None
        self.idle_since = time.monotonic()
        self.pid = pid
        self._tell = tell
        self._is_gone = Event()
        self._news: SimpleQueue[dict[str, Any]] = SimpleQueue()
        Thread(target=self._pass_news, args=(on_answer, on_exit), daemon=True).start()

    def hear(self, news: dict[str, Any]) -> None:
        """Take what the bridge says of this worker; never waits for the server."""
        if not KEEPS & news.keys():
            self._is_gone.set()
        self._news.put(news)

    def _pass_news(
        self,
        on_answer: Callable[["RayWorker", dict[str, Any]], None],
        on_exit: Callable[["RayWorker", int], None],
    ) -> None:
        while KEEPS & (news := self._news.get()).keys():
            if "failed" in news:
                why = news["failed"]
                message = MESSAGES["no_files"].format(why=why) if why else MESSAGES["elsewhere"]
                news = {"answer": {"event": "ended", "state": "failed", "message": message}}
            on_answer(self, news["answer"])
        on_exit(self, news.get("exit", LOST))

    def send(self, **command: Any) -> None:
        """Send a command; if the worker is gone, it is lost, and ``on_exit`` reports the end."""
        self._tell("order", {"order": command})

    def kill(self) -> None:
        """End the worker, without waiting until it is gone."""
        self._tell("kill", {})

    def end(self) -> None:
        """End the worker, and wait a moment until it is gone."""
        self.kill()
        self._is_gone.wait(END_SECONDS)

    def close(self) -> None:
        """Let the worker end after the orders that it has."""
        self._tell("close", {})
