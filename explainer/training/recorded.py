"""The runs that come with the app: a healthy one, and one for each classic mistake."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from vit_core.runs.history import RunHistory

FOLDER = Path(__file__).parent / "recorded_runs"
HEALTHY = "healthy"


@cache
def recorded(name: str) -> RunHistory:
    """Return the recorded run of a mistake of ``vit_core.mistakes``, or of ``HEALTHY``."""
    return RunHistory(FOLDER / name.replace("_", "-"))


@cache
def chosen_on_test() -> dict[str, Any]:
    """Return what ``benchmarks/chosen_on_test.py`` measured; nobody changes it."""
    text = (FOLDER / "chosen-on-test.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
