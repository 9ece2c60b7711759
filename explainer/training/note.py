"""What the app knows of a run beside what the run writes itself: a small file in its folder."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from explainer.content import load_texts
from vit_core.storage.strict_json import number_in, read_json

MAX_BYTES = 16 * 1024
LATEST = 4_102_444_800.0  # seconds since 1970, at the end of 2099
MAX_ESTIMATE = 1e9  # seconds
STATES = (
    *("queued", "running", "paused", "stopped", "finished", "failed", "interrupted"),
    *("uploaded", "probed"),
)
OWNER = re.compile(r"|[0-9a-f]{64}")
SERVER = re.compile(r"|[0-9a-f]{12}")


@dataclass(frozen=True)
class Note:
    """The note of a run.

    Attributes:
        owner: hash of the visitor's secret; empty for nobody.
        state: one of ``STATES``.
        message: why it is in that state, one sentence; may be empty.
        title: what it is, in a few words.
        created: seconds since 1970, by the server's clock at that time.
        estimate: seconds that it was expected to take; None if that had not been measured.
        server: which server queued or trained it last; see ``explainer.training.servers``.
    """

    owner: str
    state: str
    message: str
    title: str
    created: float
    estimate: float | None = None
    server: str = ""


def note_bytes(note: Note, run_id: str) -> bytes:
    """Return the content of a note's file.

    It names the run, so that a copy in another folder is not taken for that folder's note. The file
    calls the message "said", as it always has.
    """
    values = {"said" if name == "message" else name: one for name, one in asdict(note).items()}
    return json.dumps(values | {"run": run_id}).encode()


def read_note(path: Path, run_id: str) -> Note | None:
    """Read the note of a run. A damaged note counts as "failed" and belongs to nobody.

    Returns:
        None for a note that was copied from another run.

    Raises:
        OSError: it cannot be read.
    """
    try:
        values = read_json(path, MAX_BYTES)
        if values.get("run", run_id) != run_id:
            return None
        estimate = values.get("estimate")
        return Note(
            owner=checked_text(values["owner"], OWNER),
            state=checked_state(values["state"]),
            message=checked_text(values["said"]),
            title=checked_text(values["title"]),
            created=checked_number(values["created"], LATEST),
            estimate=None if estimate is None else checked_number(estimate, MAX_ESTIMATE),
            server=checked_text(values.get("server", ""), SERVER),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return damaged_note()


def damaged_note() -> Note:
    texts = load_texts("runs")
    return Note("", "failed", texts["damaged"], texts["title_unknown"], 0.0)


def checked_text(value: Any, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or (pattern and not pattern.fullmatch(value)):
        raise ValueError(value)
    return value


def checked_state(value: Any) -> str:
    if value not in STATES:
        raise ValueError(value)
    return value


def checked_number(value: Any, maximum: float) -> float:
    if (number := number_in(value, 0.0, maximum)) is None:
        raise ValueError(value)
    return float(number)


def hashed(visitor: str) -> str:
    """Return the hash that is stored instead of a visitor's secret.

    The secret cannot be computed from it.
    """
    return hashlib.sha256(visitor.encode()).hexdigest()
