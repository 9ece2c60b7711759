"""One actor on a machine of the cluster as the bridge holds it."""

import contextlib
import time
from importlib import import_module
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, Protocol

# the bridge is a script: the files beside it have no package there
BESIDE = f"{__package__}." if __package__ else ""
node_worker = import_module(f"{BESIDE}node_worker")
run_files = import_module(f"{BESIDE}run_files")

MEGABYTE = 1024**2
CONCURRENT = 4  # calls of one actor: an order while it waits for news, and a lost one of each


class Teller(Protocol):
    """What an actor needs of the bridge."""

    def say(self, **answer: Any) -> None:
        """Write one line to the server."""

    def tell_slots(self) -> None:
        """Tell how many runs have room, if that has changed."""


class Actor:
    """Passes orders to a ``NodeWorker``, and what it answers to the server."""

    def __init__(self, number: int, command: dict[str, Any], bridge: Teller, ray: Any) -> None:
        """Ask for the actor; Ray places it as soon as a machine has room.

        Args:
            ray: the library, which only the bridge's process imports.
        """
        self.number, self._bridge, self._say, self._ray = number, bridge, bridge.say, ray
        self._errors = ray.exceptions
        self.orders: Queue[dict[str, Any] | None] = Queue()
        self.was_killed = self.is_gone = False
        self._files = run_files.RunFiles(Path(), None)
        self._actor = (
            ray.remote(node_worker.NodeWorker)
            .options(
                num_cpus=command["threads"],
                memory=command["megabytes"] * MEGABYTE,
                num_gpus=command["gpus"],
                max_concurrency=CONCURRENT,
                max_restarts=0,
            )
            .remote(command["options"], command["threads"], command["path"])
        )
        Thread(target=self._pass_orders, daemon=True).start()
        Thread(target=self._pass_news, daemon=True).start()

    def kill(self) -> None:
        """End the actor and its process."""
        self.was_killed = True
        self.kill_lost()

    def kill_lost(self) -> None:
        """End an actor that cannot be reached; ``_pass_news`` reports it as lost."""
        with contextlib.suppress(self._errors.RayError, ValueError):
            self._ray.kill(self._actor)

    def _pass_orders(self) -> None:
        while (order := self.orders.get()) is not None:
            try:
                files = None
                if order["do"] == "run":
                    self._files = run_files.RunFiles(Path(order["path"]), order.get("fence"))
                    files = None if self._files.is_shared(self._sees) else self._files.needed()
                self._ray.get(self._actor.take.remote(order, files))
            except self._errors.RayError:
                self.kill_lost()
                return
            except OSError as error:
                self._fail(error)
        self.kill()

    def _sees(self, token: str) -> bool:
        return bool(self._ray.get(self._actor.sees.remote(token)))

    def _pass_news(self) -> None:
        number = 0
        while True:
            try:
                number, news = self._ray.get(self._actor.news.remote(number))
            except self._errors.ActorUnavailableError:  # Ray finds out whether its machine is gone
                time.sleep(0.5)
                continue
            except self._errors.RayError:
                self._end(**({"exit": -9} if self.was_killed else {"lost": True}))
                return
            for one in news:
                if "file" in one:
                    try:
                        self._files.write(one)
                    except OSError as error:
                        self._fail(error)
                        break
                elif "exit" in one:
                    self.kill_lost()
                    self._end(**one)
                    return
                else:
                    self._say(worker=self.number, **one)

    def _end(self, **how: Any) -> None:
        self.is_gone = True
        # first, so that nothing new is sent to a machine that is gone
        self._bridge.tell_slots()
        self._say(worker=self.number, **how)

    def _fail(self, error: OSError) -> None:
        """End a run whose folder here cannot be read or written, or is another server's now."""
        self._say(worker=self.number, failed=error.strerror or "")
        self.kill()
