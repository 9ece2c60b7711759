"""The command of training in a process that kills itself before a step: rank, step, options."""

import os
import signal
import sys
from typing import Any

from vit_core.runs.train_command import main
from vit_core.training.loop import Training
from vit_core.training.processes import leave

rank, step = (int(sys.argv.pop(1)) for _ in range(2))
run_step = Training.run_step


def run_or_die(self: Training, at: int, *rest: Any) -> tuple[float, float]:
    if self.group.rank == rank and at == step:
        os.kill(os.getpid(), signal.SIGKILL)
    return run_step(self, at, *rest)


Training.run_step = run_or_die
leave(main())
