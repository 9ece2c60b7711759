"""The process between a server and a Ray cluster: ``python bridge.py ADDRESS``.

Ray's library ends its process when the cluster is gone, prints, and starts threads of its own. So
it lives here, and the server stays as it is. Each line of the standard input is one JSON object,

    {"worker": 3, "do": "start", "options": […], "threads": 1, "megabytes": 1500,
     "gpus": 0, "path": …}
    {"worker": 3, "do": "order", "order": {…}}       as ``vit_core.worker`` takes it
    {"worker": 3, "do": "kill"}, {"worker": 3, "do": "close"}
    {"cpus": 1, "megabytes": 1500, "gpus": 0.5}      what one run asks for

and each line of the standard output too:

    {"slots": 4, "most": 8}                          so many runs have room; if all is free
    {"problem": "…", "kind": "…"}                    no connection: why, and one of ``KINDS``
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
from importlib import import_module
from math import ceil
from threading import Lock, Thread
from typing import Any

# this is a script: the files beside it have no package there
actor = import_module(f"{__package__}.actor" if __package__ else "actor")

LOOK_SECONDS = 1.0  # between two looks at the cluster
MOST_LETTERS = 300  # of what Ray says
ROUNDING = 1e-6  # by which shares of a GPU may differ
KINDS = AWAY, TOKEN, VERSIONS = "away", "token", "versions"


class Bridge:
    """Passes orders to actors, and what they answer back."""

    def __init__(self, ray: Any) -> None:
        """Begin to answer.

        Args:
            ray: the library, which only this process imports.
        """
        self._ray = ray
        # libraries print to the standard output; only answers may reach the server
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._saying, self._looking = Lock(), Lock()
        self._one: dict[str, float] = {}  # what one run asks for
        self._told: tuple[int, int] | None = None  # the slots that the server knows
        self._actors: dict[int, Any] = {}

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
            for gone in [key for key, one in self._actors.items() if one.is_gone]:
                del self._actors[gone]
            if command["do"] == "start":
                self._actors[number] = actor.Actor(number, command, self, self._ray)
            elif one := self._actors.get(number):
                match command["do"]:
                    case "order":
                        one.orders.put(command["order"])
                    case "kill":
                        one.kill()
                    case "close":
                        one.was_killed = True
                        one.orders.put(None)

    def _watch(self, one: dict[str, float]) -> None:
        """Tell again and again how many runs have room."""
        self._one = one
        while True:
            self.tell_slots()
            time.sleep(LOOK_SECONDS)

    def tell_slots(self) -> None:
        """Tell how many runs have room, if that has changed."""
        with self._looking, contextlib.suppress(self._ray.exceptions.RayError):
            if (slots := self._slots(self._one)) != self._told:
                self.say(slots=slots[0], most=slots[1])
                self._told = slots

    def _slots(self, one: dict[str, float]) -> tuple[int, int]:
        """Return how many runs this server may have, and how many the machines can take.

        The first are its workers, and what others leave free.
        """
        from ray._private.state import available_resources_per_node

        alive = {node["NodeID"]: node["Resources"] for node in self._ray.nodes() if node["Alive"]}
        free = available_resources_per_node()
        most = sum(slots_of(has, one) for has in alive.values())
        more = sum(slots_of(alive[name], one, has) for name, has in free.items() if name in alive)
        ours = sum(not one.is_gone for one in list(self._actors.values()))
        return min(most, ours + more), most


def slots_of(
    resources: dict[str, float], one: dict[str, float], free: dict[str, float] | None = None
) -> int:
    """Return how many runs have room on a machine.

    Args:
        resources: that it has.
        one: what one run asks for.
        free: what others leave of the resources; None for all of them.
    """
    free = resources if free is None else free
    memory = one["megabytes"] * actor.MEGABYTE
    room = int(min(free.get("CPU", 0) // one["cpus"], free.get("memory", 0) // memory))
    if share := one["gpus"]:
        # a run has its share on one GPU, so that the rests of several add up to nothing
        gpus = int(resources.get("GPU", 0))
        used = resources.get("GPU", 0) - free.get("GPU", 0)
        room = min(room, gpus * int(1 / share + ROUNDING) - ceil(used / share - ROUNDING))
    return max(0, room)


def kind_of(error: Exception) -> str:
    """Return why a cluster cannot be used, as one of ``KINDS``."""
    if type(error).__name__ == "AuthenticationError":
        return TOKEN
    return VERSIONS if "mismatch" in str(error).lower() else AWAY


def main() -> None:
    """Join the cluster, and stay until the server is gone."""
    import ray

    bridge = Bridge(ray)
    try:
        ray.init(
            address=sys.argv[1],
            namespace=f"vit-explainer-{secrets.token_hex(6)}",
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except Exception as error:  # of many kinds, as Ray has no cluster to speak with
        bridge.say(problem=" ".join(str(error).split())[:MOST_LETTERS], kind=kind_of(error))
        os._exit(1)
    # the machines need no copy of this project's server to have the class
    ray.cloudpickle.register_pickle_by_value(actor.node_worker)
    try:
        bridge.listen()
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main()
