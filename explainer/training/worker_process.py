"""A training process as the server holds it: give orders, hear answers, notice its end."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from explainer.training.limits import Limits
from vit_core.config import TrainConfig, ViTConfig

PROJECT = Path(__file__).parents[2]


class WorkerProcess:
    """One ``python -m vit_core.worker``.

    Attributes:
        run_id: the run that it is busy with, or None.
        measuring: the settings whose speed it measures, or None.
        idle_since: when it last had something to do, by the monotonic clock.
    """

    def __init__(
        self,
        limits: Limits,
        on_answer: Callable[["WorkerProcess", dict[str, Any]], None],
        on_end: Callable[["WorkerProcess", int], None],
    ) -> None:
        """Start the process, which takes orders at once and carries them out when it is ready.

        Args:
            on_answer: called in a thread of this object with each answer.
            on_end: called there with the exit code, which is negative for a signal.

        Raises:
            OSError: no process can be started.
        """
        path = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
        self.run_id: str | None = None
        self.measuring: tuple[ViTConfig, TrainConfig] | None = None
        self.idle_since = time.monotonic()
        self.process = subprocess.Popen(
            [
                # -P: no module is taken from the folder where the server was started
                *(sys.executable, "-P", "-m", "vit_core.worker"),
                *("--nice", str(limits.nice), "--memory", str(limits.worker_megabytes)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",  # whatever a library prints in between
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": str(limits.threads)},
            # Ctrl-C in the terminal is the server's: the first for Linux and macOS, then Windows,
            # where a server without a console shows none for its processes either
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        Thread(target=self._hear, args=(on_answer, on_end), daemon=True).start()

    def _hear(
        self,
        on_answer: Callable[["WorkerProcess", dict[str, Any]], None],
        on_end: Callable[["WorkerProcess", int], None],
    ) -> None:
        for line in self.process.stdout or ():
            with contextlib.suppress(ValueError):
                on_answer(self, json.loads(line))
        code = self.process.wait()
        self.close()
        if self.process.stdout:
            self.process.stdout.close()
        on_end(self, code)

    @property
    def pid(self) -> int:
        return self.process.pid

    def order(self, **order: Any) -> None:
        """Give an order; one to a process that has just ended is lost, and its end is noticed."""
        with contextlib.suppress(OSError, ValueError):
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()

    def end(self) -> None:
        """End the process, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Let the process end by closing its orders."""
        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
