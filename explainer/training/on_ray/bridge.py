"""The process between a server and a Ray cluster: ``python bridge.py ADDRESS``.

Ray's library ends its process when the cluster is gone, prints, and starts threads of its own. So
it lives here, and the server stays as it is. Each line of the standard input is one JSON object,

    {"worker": 3, "do": "start", "options": […], "threads": 1, "megabytes": 1500, "path": …}
    {"worker": 3, "do": "order", "order": {…}}       as ``vit_core.worker`` takes it
    {"worker": 3, "do": "kill"}, {"worker": 3, "do": "close"}
    {"cpus": 1, "megabytes": 1500}                   what one run asks for

and each line of the standard output too:

    {"slots": 4}                                     so many runs have room in the cluster
    {"problem": "…"}                                 the cluster cannot be reached
    {"worker": 3, "answer": {…}}, {"worker": 3, "exit": -9}, {"worker": 3, "lost": true}
    {"worker": 3, "failed": "…"}                     the run's folder cannot be read or written

When the standard input closes, the server is gone, and the actors end with this process.
"""

import contextlib
import json
import logging
import os
import secrets
import sys
import time
from pathlib import Path
from queue import Queue
from threading import Lock, Thread
from typing import Any

import ray
from node_worker import CONFIG, INIT, METRICS, STATE, NodeWorker  # type: ignore[import-not-found]
from ray._private.state import available_resources_per_node
from ray.exceptions import ActorUnavailableError, RayError

FIRST_MODEL = "epoch-000.safetensors"
# what a run needs to start or to go on; the other checkpoints stay at home
NEEDED = (CONFIG, METRICS, STATE, FIRST_MODEL, "images.safetensors")
OURS = ("status.json", "order.json", "lease-")  # what servers write, and no machine may
LOOK_SECONDS = 1.0  # between two looks at the cluster
MEGABYTE = 1024**2
CONCURRENT = 4  # calls of one actor: an order while it waits for news, and a lost one of each


class Worker:
    """One actor as the bridge holds it."""

    def __init__(self, number: int, command: dict[str, Any], bridge: "Bridge") -> None:
        """Ask for the actor; Ray places it as soon as a machine has room."""
        self.number, self._bridge, self._say = number, bridge, bridge.say
        self.orders: Queue[dict[str, Any] | None] = Queue()
        self.was_killed = self.is_gone = False
        self._folder = Path()
        self._fence: dict[str, str] | None = None  # as vit_core.runs.fence explains it
        self._init = ""  # the path here of the weights that a run on copies starts from
        self._actor = (
            ray.remote(NodeWorker)
            .options(
                num_cpus=command["threads"],
                memory=command["megabytes"] * MEGABYTE,
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
        with contextlib.suppress(RayError, ValueError):
            ray.kill(self._actor)

    def _pass_orders(self) -> None:
        while (order := self.orders.get()) is not None:
            try:
                if order["do"] == "run":
                    self._folder, self._fence = Path(order["path"]), order.get("fence")
                    files = None if self._is_shared() else self._files()
                    ray.get(self._actor.take.remote(order, files))
                else:
                    ray.get(self._actor.take.remote(order))
            except RayError:
                self.kill_lost()
                return
            except OSError as error:
                self._fail(error)
        self.kill()

    def kill_lost(self) -> None:
        """End an actor that cannot be reached; ``_pass_news`` reports it as lost."""
        with contextlib.suppress(RayError, ValueError):
            ray.kill(self._actor)

    def _pass_news(self) -> None:
        number = 0
        while True:
            try:
                number, news = ray.get(self._actor.news.remote(number))
            except ActorUnavailableError:  # Ray finds out whether its machine is gone
                time.sleep(0.5)
                continue
            except RayError:
                self._end(**({"exit": -9} if self.was_killed else {"lost": True}))
                return
            for one in news:
                if "file" in one:
                    try:
                        self._write(one)
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

    def _is_shared(self) -> bool:
        """Return whether the actor's machine sees the run's folder; a token file proves it.

        Its name is that of a half-written file, which the next run removes if this process dies.
        """
        token = self._folder / f".{CONFIG}.{secrets.token_hex(4)}"
        token.touch()
        is_seen = ray.get(self._actor.sees.remote(str(token)))
        try:
            token.unlink()
        except FileNotFoundError:
            return bool(is_seen)
        return False

    def _files(self) -> dict[str, bytes]:
        """Return the files that the actor's machine needs."""
        files = {}
        for name in (*NEEDED, *([self._fence["file"]] if self._fence else [])):
            with contextlib.suppress(FileNotFoundError):
                files[name] = (self._folder / name).read_bytes()
        self._init = ""
        init = json.loads(files[CONFIG]).get("init", "")
        if FIRST_MODEL not in files and os.path.isabs(init):
            self._init, files[INIT] = init, Path(init).read_bytes()
        return files

    def _write(self, news: dict[str, Any]) -> None:
        """Write what has come home: a whole file at once, or further lines of metrics."""
        name, content = str(news["file"]), news["content"]
        if os.path.basename(name) != name or name.startswith((".", *OURS)):
            return
        if self._fence:
            text = (self._folder / self._fence["file"]).read_text(encoding="utf-8")
            if self._fence["text"] not in text:
                raise OSError  # another server has taken it over
        path = self._folder / name
        if start := news.get("start"):
            with path.open("r+b") as file:
                file.truncate(start)
                file.seek(start)
                file.write(content)
            return
        if name == CONFIG and self._init:
            content = json.dumps(json.loads(content) | {"init": self._init}, indent=2).encode()
        temporary = self._folder / f".{name}.{secrets.token_hex(4)}"
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


class Bridge:
    """Passes orders to actors, and what they answer back."""

    def __init__(self) -> None:
        # libraries print to the standard output; only answers may reach the server
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._saying, self._looking = Lock(), Lock()
        self._one: dict[str, int] = {}  # what one run asks for
        self._told: int | None = None  # the number of slots that the server knows
        self._workers: dict[int, Worker] = {}

    def say(self, **answer: Any) -> None:
        """Write one line to the server."""
        with self._saying:
            self._answers.write(json.dumps(answer) + "\n")
            self._answers.flush()

    def listen(self) -> None:
        """Carry out what the server wants until it is gone."""
        for line in sys.stdin:
            command = json.loads(line)
            if "worker" not in command:
                Thread(target=self._watch, args=(command,), daemon=True).start()
                continue
            number = command["worker"]
            for gone in [one for one, worker in self._workers.items() if worker.is_gone]:
                del self._workers[gone]
            if command["do"] == "start":
                self._workers[number] = Worker(number, command, self)
            elif worker := self._workers.get(number):
                match command["do"]:
                    case "order":
                        worker.orders.put(command["order"])
                    case "kill":
                        worker.kill()
                    case "close":
                        worker.was_killed = True
                        worker.orders.put(None)

    def _watch(self, one: dict[str, int]) -> None:
        """Tell again and again how many runs have room."""
        self._one = one
        while True:
            self.tell_slots()
            time.sleep(LOOK_SECONDS)

    def tell_slots(self) -> None:
        """Tell how many runs have room, if that has changed."""
        with self._looking, contextlib.suppress(RayError):
            if (slots := self._slots(self._one)) != self._told:
                self.say(slots=slots)
                self._told = slots

    def _slots(self, one: dict[str, int]) -> int:
        """Return how many runs this server may have: its workers, and what others leave free."""
        alive = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
        free = available_resources_per_node()
        most = sum(slots_of(has, one) for has in alive.values())
        more = sum(slots_of(has, one) for name, has in free.items() if name in alive)
        ours = sum(not worker.is_gone for worker in list(self._workers.values()))
        return min(most, ours + more)


def slots_of(resources: dict[str, float], one: dict[str, int]) -> int:
    """Return how many runs have room in a machine's processors and its memory."""
    memory = one["megabytes"] * MEGABYTE
    return int(min(resources.get("CPU", 0) // one["cpus"], resources.get("memory", 0) // memory))


def main() -> None:
    """Join the cluster, and stay until the server is gone."""
    bridge = Bridge()
    try:
        ray.init(
            address=sys.argv[1],
            namespace=f"vit-explainer-{secrets.token_hex(6)}",
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except Exception as error:  # of many kinds, as Ray has no cluster to speak with
        bridge.say(problem=" ".join(str(error).split())[:200])
        os._exit(1)
    # the machines need no copy of this project's server to have the class
    ray.cloudpickle.register_pickle_by_value(sys.modules[NodeWorker.__module__])
    try:
        bridge.listen()
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main()
