"""The runs that come with the app: a healthy one, and one for each classic mistake."""

from functools import cache
from pathlib import Path

from vit_core.runs.history import RunHistory

FOLDER = Path(__file__).parent / "recorded_runs"
HEALTHY = "healthy"


@cache
def recorded(name: str) -> RunHistory:
    """Return a recorded run: ``HEALTHY``, or a mistake as ``vit_core.mistakes`` names it."""
    return RunHistory(FOLDER / name.replace("_", "-"))
