"""Reading runs and naming a command must not load what only training needs."""

import subprocess
import sys

HEAVY = (
    "torchvision",
    "vit_core.data.open",
    "vit_core.data.streaming",
    "vit_core.runs.recorder",
    "vit_core.runs.train_command",
    "vit_core.runs.train_options",
    "vit_core.training.loop",
)
LIGHT = """
import sys
import vit_core.runs.history, vit_core.runs.command, vit_core.training.speed
heavy = set(sys.argv[1:])
assert not heavy & set(sys.modules), f"the core loads {heavy & set(sys.modules)}"
import explainer.training, explainer.training.command, explainer.training.progress
print(*heavy & set(sys.modules))
"""


def test_the_server_of_runs_loads_neither_training_nor_its_command_line() -> None:
    command = [sys.executable, "-c", LIGHT, *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
