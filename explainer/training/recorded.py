"""The runs that come with the app: a healthy one, and one for each classic mistake."""

from functools import cache
from pathlib import Path

from vit_core.runs.history import RunHistory

FOLDER = Path(__file__).parent / "recorded_runs"
HEALTHY = "healthy"


@cache
def recorded(name: str) -> RunHistory:
    """Return the recorded run of a mistake of ``vit_core.mistakes``, or of ``HEALTHY``."""
    return RunHistory(FOLDER / name.replace("_", "-"))
