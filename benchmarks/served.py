"""The app under measurement: started as its users start it, and the browser that looks at it."""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / "explainer" / "Home.py"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Server:
    """A Streamlit app on a free port, run from a directory of its own.

    Args:
        app: the script, the explainer unless another is given.
        flags: further ones for Streamlit.
    """

    def __init__(self, app: Path = HOME, flags: tuple[str, ...] = ()) -> None:
        self.app, self.flags = app, flags
        with socket.socket() as free:
            free.bind(("localhost", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://localhost:{self.port}"

    def __enter__(self) -> "Server":
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", str(self.app)),
                *("--server.port", str(self.port), "--server.headless", "true"),
                *("--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"),
                *self.flags,
            ],
            cwd=self.folder.name,
            env={"VIT_EXPLAINER_RUNS": f"{self.folder.name}/runs"}
            | os.environ
            | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with code {self.process.returncode}")
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1)
                return self
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def memory(self) -> float:
        """Return the server's resident memory in MB (of 10⁶ bytes)."""
        return self.status("VmRSS")

    def own_memory(self) -> float:
        """Return the part of it that is no file's, in MB (of 10⁶ bytes)."""
        return self.status("RssAnon")

    def most_memory(self) -> float:
        """Return the most resident memory that the server ever had, in MB (of 10⁶ bytes)."""
        return self.status("VmHWM")

    def cpu_seconds(self) -> float:
        """Return the processor time that the server has used so far, of all its threads."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def status(self, name: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines()
        return 1024 / 1e6 * next(int(x.split()[1]) for x in lines if x.startswith(f"{name}:"))


def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise SystemExit("this benchmark needs Chromium, and there is none on the path")
    return path


def middle(values: list[float]) -> float:
    return statistics.median(values)


def p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]
