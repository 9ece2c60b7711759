"""A Ray cluster of two nodes on this machine, for tests."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).parents[2]
QUICK = {
    # a node that is gone is noticed within a second or two
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "300",
    "RAY_health_check_failure_threshold": "5",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray listens at every address of a machine, and runs the programs of whoever comes
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}


class Node:
    """One node; ``temporary`` is where its actors make temporary folders."""

    def __init__(self, folder: Path, name: str, where: list[str], **environment: str) -> None:
        self.temporary = folder / name
        self.temporary.mkdir()
        ray = Path(sys.executable).parent / "ray"
        self.process = subprocess.Popen(
            [
                *(str(ray), "start", "--block", *where),
                *("--node-ip-address", "127.0.0.1", "--num-cpus", "2"),
                *("--memory", str(8 * 1024**3), "--object-store-memory", "80000000"),
                *("--disable-usage-stats", "--include-log-monitor", "false"),
                *("--dashboard-agent-listen-port", "0"),
            ],
            env=os.environ
            | QUICK
            | {"TMPDIR": str(self.temporary), "PYTHONPATH": str(PROJECT)}
            | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def programs(self) -> list[psutil.Process]:
        """Return its processes, those of the actors too."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            return []

    def training(self) -> list[psutil.Process]:
        """Return its training processes."""
        return [one for one in self.programs() if "vit_core.worker" in command_of(one)]

    def kill(self) -> None:
        """End all of its processes at once, as a machine does that loses its current."""
        for one in (self.process, *self.programs()):
            try:
                one.kill()
            except psutil.Error:
                continue
        self.process.wait()


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """Two nodes.

    Attributes:
        address: of the cluster.
        first: the head, which shares this machine's folders.
        second: acts as if it did not, and as if it had a GPU.
    """

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.folder, self.address = folder, f"127.0.0.1:{port}"
        self.nodes: list[Node] = []
        self._head = ["--head", "--port", str(port)]
        self._head += ["--include-dashboard", "false", "--dashboard-port", str(free_port())]
        self.start_head()
        where = ["--address", self.address, "--num-gpus", "1"]
        self.second = self._add("apart", where, VIT_EXPLAINER_RAY_SHARED="no")

    def start_head(self) -> None:
        """Start a head at the cluster's address; it knows nothing of one that was lost."""
        name = f"shared-{len(self.nodes)}"
        self.first = self._add(name, [*self._head, "--temp-dir", str(self.folder / f"ray-{name}")])

    def _add(self, name: str, where: list[str], **environment: str) -> Node:
        self.nodes.append(Node(self.folder, name, where, **environment))
        return self.nodes[-1]

    def kill(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.kill()


@contextmanager
def two_nodes() -> Iterator[Cluster]:
    """Start two nodes on this machine, and end them afterwards."""
    if find_spec("ray") is None and "CI" not in os.environ:
        pytest.skip("Ray is not installed")
    # its sockets have long paths of their own, and the system allows 107 characters
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.kill()
        shutil.rmtree(folder, ignore_errors=True)
