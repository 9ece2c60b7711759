"""The names of all files that this project writes into a run directory."""

import os
import re
from contextlib import suppress
from pathlib import Path

EPOCH_FILE = re.compile(r"epoch-(\d{3,6})\.safetensors")
WRITTEN = (
    r"(?:(?:config|hardest|order|probe|status)\.json|metrics\.jsonl"
    r"|(?:epoch-\d{3,6}|final|state|images|hardest)\.safetensors)"
)
LEASE = re.compile(r"lease-(\d{6})")  # which server has the run; see explainer.training.lease
ORDER = "order.json"  # of a visitor on another server; see explainer.training.orders
FILE = re.compile(rf"{WRITTEN}|live\.safetensors|\.lock|\.lock-owner|{LEASE.pattern}")
# temporary files of a process that was killed; see write_atomically and Snapshot.save
LEFTOVER = re.compile(rf"\.{WRITTEN}\.[a-z0-9_]{{8}}|\.live\.safetensors")


def is_run_file(name: str) -> bool:
    """Whether a run, or the app for it, writes files of this name."""
    return bool(FILE.fullmatch(name) or LEFTOVER.fullmatch(name))


def clear_leftovers(folder: Path) -> None:
    """Remove temporary files; only the holder of the directory's lock may do so."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if LEFTOVER.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):  # Windows does not remove open files
                    os.unlink(entry.path)
