"""One worker process as the server holds it: send it commands, read its answers, notice its end."""

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
from vit_core.data.sets import Counts

PROJECT = Path(__file__).parents[2]
LOST = 1000  # in place of an exit code: the machine with the process is gone


class WorkerProcess:
    """One ``python -m vit_core.worker``.

    Attributes:
        run_id: the run that it trains, or None.
        measuring: the settings whose speed it measures, or None.
        idle_since: when it last had work, by the monotonic clock.
    """

    def __init__(
        self,
        limits: Limits,
        on_answer: Callable[["WorkerProcess", dict[str, Any]], None],
        on_exit: Callable[["WorkerProcess", int], None],
    ) -> None:
        """Start the process; commands may be sent at once, and it runs them when it is ready.

        Args:
            on_answer: called with each answer, in a thread of this object.
            on_exit: called in that thread with the exit code, which is negative for a signal.

        Raises:
            OSError: no process can be started.
        """
        path = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
        self.run_id: str | None = None
        self.measuring: tuple[ViTConfig, TrainConfig, Counts] | None = None
        self.idle_since = time.monotonic()
        self.process = subprocess.Popen(
            [
                # -P: Python must not take modules from the folder where the server was started
                *(sys.executable, "-P", "-m", "vit_core.worker"),
                *("--nice", str(limits.nice), "--memory", str(limits.worker_megabytes)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",  # a library may print anything between two answers
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": str(limits.threads)},
            # Ctrl-C in the terminal must reach only the server. The first option does this on
            # Linux and macOS, the second on Windows, where it also opens no console window.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        Thread(target=self._read_answers, args=(on_answer, on_exit), daemon=True).start()

    def _read_answers(
        self,
        on_answer: Callable[["WorkerProcess", dict[str, Any]], None],
        on_exit: Callable[["WorkerProcess", int], None],
    ) -> None:
        for line in self.process.stdout or ():
            with contextlib.suppress(ValueError):
                on_answer(self, json.loads(line))
        code = self.process.wait()
        self.close()
        if self.process.stdout:
            self.process.stdout.close()
        on_exit(self, code)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def send(self, **command: Any) -> None:
        """Send a command, as ``vit_core.runs.worker`` lists them.

        If the process has just ended, the command is lost; ``on_exit`` reports the end.
        """
        with contextlib.suppress(OSError, ValueError):
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()

    def kill(self) -> None:
        """End the process, without waiting until it is gone."""
        self.process.kill()

    def end(self) -> None:
        """End the process, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Let the process end by closing its standard input."""
        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
