"""The Ray cluster that trains for a server, through a process that speaks with it.

Neither Ray nor its threads are in the server's own process: ``bridge.py`` has them. If that
process ends, because the cluster is gone or the network is, all runs there are interrupted, and it
is started again.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from explainer.content import load_texts
from explainer.training.limits import Limits
from explainer.training.on_ray.worker import KEEPS, RayWorker
from explainer.training.worker_process import PROJECT

BRIDGE = Path(__file__).parent / "bridge.py"
ADDRESS = "RAY_ADDRESS"  # where the file of limits names none
REFUSED = "InvalidAuthToken"
AGAIN_SECONDS = 5.0  # until a bridge that has ended is started again
# nothing is reported to Ray's makers, and a worker without GPU keeps its environment
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
}


class RayCluster:
    """Starts workers on the machines of a cluster; its methods may be called from any thread.

    Attributes:
        slots: how many runs have room there now; 0 while it cannot be reached.
        most: how many have room if nobody else trains; None while it cannot be reached.
    """

    def __init__(self, limits: Limits) -> None:
        """Connect in the background."""
        self.limits, self.slots = limits, 0
        self.most: int | None = None
        self._is_refused = False
        self._logged = ""  # the last sentence for the operator
        self._workers: dict[int, RayWorker] = {}
        self._numbers = count()
        self._lock = Lock()
        self._is_closed = Event()
        self._bridge: subprocess.Popen[str] | None = None
        Thread(target=self._keep_connected, daemon=True).start()

    def problem(self) -> str:
        """Return a sentence for visitors on why nothing can be trained; empty if it can.

        A cluster that other servers fill is no problem: runs wait until there is room.
        """
        if self.most is None:
            return load_texts("runs")["cluster_away"]
        return "" if self.most else load_texts("runs")["cluster_too_small"]

    def start_process(
        self,
        limits: Limits,
        on_answer: Callable[[Any, dict[str, Any]], None],
        on_exit: Callable[[Any, int], None],
    ) -> RayWorker:
        """Ask for a worker somewhere in the cluster, as the constructor of ``WorkerProcess`` does.

        Raises:
            OSError: there is no connection to the cluster.
        """
        with self._lock:
            if self._bridge is None or not self.slots:
                raise OSError(self.problem())
            number = next(self._numbers)
            pid = self._bridge.pid
        worker = RayWorker(
            lambda do, values: self._say(worker=number, do=do, **values), on_answer, on_exit, pid
        )
        with self._lock:
            self._workers[number] = worker
        self._say(
            worker=number,
            do="start",
            options=["--nice", str(limits.nice), "--memory", str(limits.worker_megabytes)],
            threads=limits.threads,
            megabytes=limits.worker_megabytes,
            path=str(PROJECT),
        )
        return worker

    def close(self) -> None:
        """Leave the cluster; everything that this server trains there ends."""
        self._is_closed.set()
        with self._lock:
            bridge = self._bridge
        if bridge and bridge.stdin:
            with contextlib.suppress(OSError):
                bridge.stdin.close()
            try:
                bridge.wait(timeout=10)
            except subprocess.TimeoutExpired:
                bridge.kill()

    def _say(self, **command: Any) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):
            assert self._bridge is None or self._bridge.stdin is not None
            if self._bridge and self._bridge.stdin:
                self._bridge.stdin.write(json.dumps(command) + "\n")
                self._bridge.stdin.flush()

    def _keep_connected(self) -> None:
        while not self._is_closed.is_set():
            self._connect()
            self._is_closed.wait(AGAIN_SECONDS)

    def _connect(self) -> None:
        """Run a bridge until it ends."""
        address = self.limits.ray_address or os.environ.get(ADDRESS) or "auto"
        bridge = subprocess.Popen(
            [sys.executable, str(BRIDGE), address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            stderr=subprocess.PIPE,
            # Ray has the folder of the program and the current one searched on all machines
            cwd=BRIDGE.parent,
            env=os.environ | QUIET,
            start_new_session=True,
        )
        with self._lock:
            self._bridge = bridge
        Thread(target=self._look_for_refusal, args=(bridge,), daemon=True).start()
        self._say(cpus=self.limits.threads, megabytes=self.limits.worker_megabytes)
        for line in bridge.stdout or ():
            with contextlib.suppress(ValueError):
                self._hear(json.loads(line))
        bridge.wait()
        for pipe in (bridge.stdin, bridge.stdout):  # the third is closed by whoever reads it
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
        with self._lock:
            was_there, self._bridge = self.most is not None, None
            self.slots, self.most = 0, None
            lost, self._workers = self._workers, {}
        if was_there and not self._is_closed.is_set():
            self._log("cluster_lost")
        for worker in lost.values():
            worker.hear({"lost": True})

    def _look_for_refusal(self, bridge: subprocess.Popen[str]) -> None:
        """Read what Ray prints: only there it says that a token is wrong."""
        self._is_refused = False
        with contextlib.suppress(OSError, ValueError):
            for line in bridge.stderr or ():
                self._is_refused |= REFUSED in line
        if bridge.stderr:
            bridge.stderr.close()

    def _hear(self, news: dict[str, Any]) -> None:
        if "slots" in news:
            self.slots, self.most = news["slots"], news["most"]
            limits = self.limits
            self._log(
                "cluster_there" if self.most else "cluster_too_small",
                runs=self.most,
                cpus=limits.threads,
                megabytes=limits.worker_megabytes,
            )
        elif "problem" in news:
            kind = "token" if self._is_refused else news["kind"]
            self._log(f"cluster_{kind}", why=news["problem"])
        elif worker := self._workers.get(news["worker"]):
            if not KEEPS & news.keys():
                self._workers.pop(news["worker"], None)
            worker.hear(news)

    def _log(self, name: str, **values: Any) -> None:
        """Tell the operator how it stands with the cluster, if that has changed."""
        sentence = load_texts("limits")[name].format(**values)
        if sentence != self._logged:
            self._logged = sentence
            print(sentence, file=sys.stderr, flush=True)
