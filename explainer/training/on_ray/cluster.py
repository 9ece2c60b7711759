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
from explainer.training.on_ray.reports import Reports, kind_of_error
from explainer.training.on_ray.worker import KEEPS, RayWorker
from explainer.training.run import CLUSTER, MACHINE
from explainer.training.worker_process import PROJECT

BRIDGE = Path(__file__).parent / "bridge.py"
ADDRESS = "RAY_ADDRESS"  # where the file of limits names none
REFUSED = "InvalidAuthToken"
AGAIN_SECONDS = 5.0  # until a bridge that has ended is started again
READ_SECONDS = 2.0  # until all that it printed is read
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
        self._is_refused = self._is_explained = self._is_without_gpu = False  # this bridge
        self._last_line = ""  # that it printed
        self._reports = Reports()
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
        names = {"": "", CLUSTER: "cluster_away", MACHINE: "cluster_too_small"}
        name = names[self.missing()]
        return load_texts("runs")[name] if name else ""

    def missing(self) -> str:
        """Return what is missing for any run to train, as ``Run.waits_for`` has it."""
        if self.most is None:
            return CLUSTER
        return "" if self.most else MACHINE

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
                lambda do, values: self._say(worker=number, do=do, **values),
                *(on_answer, on_exit, pid),
            )
            # within the lock: a bridge that ends now has to find all of its workers
            self._workers[number] = worker
        self._say(
            worker=number,
            do="start",
            options=[
                *("--nice", str(limits.nice), "--memory", str(limits.worker_megabytes)),
                *("--device", "auto" if limits.worker_gpus else "cpu"),
            ],
            threads=limits.threads,
            megabytes=limits.worker_megabytes,
            gpus=limits.worker_gpus,
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
        try:
            bridge = start_bridge(self.limits.ray_address)
        except OSError as error:  # such as too many processes
            self._reports.say("not_started", why=error.strerror or type(error).__name__)
            return
        self._is_refused = self._is_explained = self._is_without_gpu = False
        self._last_line = ""
        with self._lock:
            self._bridge = bridge
        reader = Thread(target=self._read_errors, args=(bridge,), daemon=True)
        reader.start()
        self._say(**self._demand())
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
        reader.join(READ_SECONDS)
        if not self._is_closed.is_set():
            self._report_end(bridge.returncode, was_there)
        for worker in lost.values():
            worker.hear({"lost": True})

    def _demand(self) -> dict[str, Any]:
        """Return what one run asks for."""
        limits = self.limits
        return {
            "cpus": limits.threads,
            "megabytes": limits.worker_megabytes,
            "gpus": limits.worker_gpus,
        }

    def _report_end(self, code: int, was_there: bool) -> None:
        """Tell the operator of a bridge that has ended, unless it has said itself why."""
        if was_there:
            self._reports.say("lost", fields={"code": code})
        elif not self._is_explained:
            fields = {"code": code, **kind_of_error(self._last_line)}
            why, same = self._last_line, tuple(fields.values())
            self._reports.say("ended", code=code, why=why, same=same, fields=fields)

    def _read_errors(self, bridge: subprocess.Popen[str]) -> None:
        """Read what Ray prints: only there it says that a token is wrong, or why it ends."""
        with contextlib.suppress(OSError, ValueError):
            for line in bridge.stderr or ():
                self._is_refused |= REFUSED in line
                self._last_line = line.strip() or self._last_line
        if bridge.stderr:
            bridge.stderr.close()

    def _hear(self, news: dict[str, Any]) -> None:
        if "slots" in news:
            self.slots, self.most = news["slots"], news["most"]
            if self.most:
                self._reports.say("there", runs=self.most, fields={"runs": self.most})
            else:
                asked = load_texts("limits")["cluster_gpus"].format(gpus=self.limits.worker_gpus)
                demand = self._demand() | {"gpus": asked if self.limits.worker_gpus else ""}
                self._reports.say("too_small", **demand)
        elif "problem" in news:
            self._is_explained = True
            kind = "token" if self._is_refused else news["kind"]
            self._reports.say(kind, why=news["problem"])
        elif worker := self._workers.get(news["worker"]):
            if not KEEPS & news.keys():
                self._workers.pop(news["worker"], None)
            answer = news.get("answer", {})
            if answer.get("event") == "ready" and self.limits.worker_gpus:
                self._check_device(answer["device"])
            worker.hear(news)

    def _check_device(self, device: str) -> None:
        """Tell the operator, once a connection, of a machine without the GPU that it promised."""
        if device == "cpu" and not self._is_without_gpu:
            self._is_without_gpu = True
            Reports().say("no_gpu")


def start_bridge(address: str) -> subprocess.Popen[str]:
    """Start the process that speaks with a cluster.

    Args:
        address: of the cluster; empty for the one that the environment names.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(
        [sys.executable, str(BRIDGE), address or os.environ.get(ADDRESS) or "auto"],
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
