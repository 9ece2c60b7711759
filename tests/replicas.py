"""Three servers of the app on one folder, behind a real nginx with the settings of deploy/."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket
from time import monotonic, sleep

PROJECT = Path(__file__).parents[1]
CONFIG = PROJECT / "deploy" / "nginx.conf"
ADDRESSES = ("10.83.18.11:8501", "10.83.18.12:8501", "10.83.18.13:8501")
BASE = "vit"
COOKIE = "vit_explainer_replica"
PATIENCE = 120  # seconds, on a machine that is busy with other things


def nginx() -> str | None:
    """Return where nginx is on this machine; None where there is none."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def rendered(listen: int, ports: list[int], folder: Path) -> str:
    """Return the shipped settings, with other addresses and paths and nothing else."""
    text = CONFIG.read_text(encoding="utf-8")
    changes = [
        ("listen 8080;", f"listen 127.0.0.1:{listen};"),
        ("/tmp/", f"{folder}/"),
        ("/dev/stdout", f"{folder}/access.log"),
        ("/dev/stderr", f"{folder}/error.log"),
    ]
    changes += [
        (address, f"127.0.0.1:{port}") for address, port in zip(ADDRESSES, ports, strict=True)
    ]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens to."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Replicas:
    """Three servers, numbered from 1 as in the cookie, and the proxy before them.

    Attributes:
        url: of the app, through the proxy.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listen, *self.ports = free_ports(4)
        self.url = f"http://localhost:{listen}/{BASE}"
        self._listen = listen
        self._servers: dict[int, subprocess.Popen] = {}
        self._proxy: subprocess.Popen | None = None

    def start(self, *numbers: int) -> None:
        """Start servers together, and return when all answer."""
        for number in numbers:
            command = [sys.executable, "-m", "streamlit", "run", "explainer/Home.py"]
            command += ["--server.port", str(self.ports[number - 1]), "--server.headless", "true"]
            command += ["--server.baseUrlPath", BASE, "--server.address", "127.0.0.1"]
            with (self.folder / f"server-{number}.txt").open("a") as output:
                self._servers[number] = subprocess.Popen(
                    command,
                    cwd=PROJECT,
                    env=os.environ | {"VIT_EXPLAINER_RUNS": str(self.folder / "runs")},
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
        for number in numbers:
            self._wait(number)

    def _wait(self, number: int) -> None:
        end = monotonic() + PATIENCE
        log = self.folder / f"server-{number}.txt"
        while monotonic() < end:
            assert self._servers[number].poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{self.address(number)}/_stcore/health", timeout=2)
                return
            except OSError:
                sleep(0.05)
        raise AssertionError(f"no server after {PATIENCE} s:\n{log.read_text()}")

    def start_proxy(self) -> None:
        path = self.folder / "nginx.conf"
        path.write_text(rendered(self._listen, self.ports, self.folder), encoding="utf-8")
        directives = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
        program = nginx()
        assert program
        self._proxy = subprocess.Popen(
            [program, "-p", str(self.folder), "-c", str(path), "-g", directives],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2)
                return
            except OSError as error:
                log = self.folder / "error.log"
                assert self._proxy.poll() is None, log.read_text() if log.exists() else error
                assert monotonic() < end, error
                sleep(0.05)

    def address(self, number: int) -> str:
        """Return the address of one server, past the proxy."""
        return f"http://127.0.0.1:{self.ports[number - 1]}/{BASE}"

    def kill(self, number: int) -> None:
        """End a server as a machine does that loses its power."""
        self._servers[number].kill()
        self._servers[number].wait(timeout=PATIENCE)

    def restart(self, number: int) -> None:
        """End a server as an update does, and start it again."""
        self._servers[number].send_signal(signal.SIGTERM)
        self._servers[number].wait(timeout=PATIENCE)
        self.start(number)

    def revive(self) -> None:
        """Start again those that were killed."""
        self.start(*(n for n, server in self._servers.items() if server.poll() is not None))

    def close(self) -> None:
        processes = [*self._servers.values(), *([self._proxy] if self._proxy else [])]
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=PATIENCE)

    def log(self) -> str:
        """Return what the proxy has written of requests."""
        return (self.folder / "access.log").read_text(encoding="utf-8")

    def complaints(self) -> list[str]:
        """Return the lines of the servers that tell of an error nobody foresaw."""
        text = "".join(path.read_text() for path in self.folder.glob("server-*.txt"))
        return re.findall(r".*(?:Traceback|Uncaught).*", text)


@contextmanager
def three_replicas(folder: Path) -> Iterator[Replicas]:
    """Serve the app from three processes and one address."""
    replicas = Replicas(folder)
    try:
        replicas.start(1, 2, 3)
        replicas.start_proxy()
        yield replicas
    finally:
        replicas.close()
