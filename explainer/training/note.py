"""What the app knows of a run beside what the run writes itself: a small file in its folder."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from explainer.content import load_texts
from vit_core.storage.strict_json import number_in, read_json

MOST_BYTES = 16 * 1024
LATEST = 4_102_444_800.0  # seconds since 1970, at the end of 2099
LONGEST = 1e9  # seconds that a run may be expected to take
STATES = ("queued", "running", "paused", "stopped", "finished", "failed", "interrupted", "uploaded")
OWNER = re.compile(r"|[0-9a-f]{64}")
SERVER = re.compile(r"|[0-9a-f]{12}")


@dataclass(frozen=True)
class Note:
    """The note of a run.

    Attributes:
        owner: hash of the visitor's secret; empty for nobody.
        state: one of ``STATES``.
        said: why it is in that state, one sentence; may be empty.
        title: what it is, in a few words.
        created: seconds since 1970, by the clock of then.
        estimate: seconds that it was expected to take; None if nobody had measured.
        server: which server queued or trained it last; see ``explainer.training.servers``.
    """

    owner: str
    state: str
    said: str
    title: str
    created: float
    estimate: float | None = None
    server: str = ""


def written(note: Note, run_id: str) -> bytes:
    """Return the file's content, which says whose note it is: a copy elsewhere is none."""
    return json.dumps(asdict(note) | {"run": run_id}).encode()


def read_note(path: Path, run_id: str) -> Note | None:
    """Read the note of a run; a damaged one counts as failed, and nobody's.

    Returns:
        None for one that was copied from another run.

    Raises:
        OSError: it cannot be read.
    """
    try:
        values = read_json(path, MOST_BYTES)
        if values.get("run", run_id) != run_id:
            return None
        return Note(
            owner=text_of(values["owner"], OWNER),
            state=one_of(values["state"]),
            said=text_of(values["said"]),
            title=text_of(values["title"]),
            created=number_of(values["created"], LATEST),
            estimate=None if (e := values.get("estimate")) is None else number_of(e, LONGEST),
            server=text_of(values.get("server", ""), SERVER),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return damaged_note()


def damaged_note() -> Note:
    texts = load_texts("runs")
    return Note("", "failed", texts["damaged"], texts["title_own"], 0.0)


def text_of(value: Any, form: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or (form and not form.fullmatch(value)):
        raise ValueError(value)
    return value


def one_of(value: Any) -> str:
    if value not in STATES:
        raise ValueError(value)
    return value


def number_of(value: Any, most: float) -> float:
    if (number := number_in(value, 0.0, most)) is None:
        raise ValueError(value)
    return float(number)


def hashed(visitor: str) -> str:
    """Return what is written of a visitor's secret, from which nobody can tell the secret."""
    return hashlib.sha256(visitor.encode()).hexdigest()
