"""Results of trainings that were recorded once, by scripts in ``benchmarks``; see README.md."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def load(name: str) -> dict[str, Any]:
    """Return what was recorded under a name, such as "data_hunger"; nobody changes it."""
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content
