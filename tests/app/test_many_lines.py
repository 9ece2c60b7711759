"""Many pupils answer at once through a real server, and every answer is kept."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "class_line.py"


def test_no_answer_of_a_class_is_lost() -> None:
    command = [sys.executable, str(SCRIPT), "--pupils", "40", "--questions", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "answers: 40, kept: 40, lost: 0" in done.stdout.splitlines()
