"""``python -m vit_core.evaluate CHECKPOINT``: test a checkpoint; see ``--help``."""

import sys

from vit_core.runs.evaluate_command import main
from vit_core.training.evaluation import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate", "main"]

if __name__ == "__main__":
    sys.exit(main())
