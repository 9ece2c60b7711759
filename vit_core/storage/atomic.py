"""Writing files so that a reader never sees half of one."""

import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

# Windows does not replace a file while somebody reads it, and readers here take milliseconds
WAITS = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.4) if os.name == "nt" else ()  # seconds


def write_atomically(path: Path, content: bytes | Iterable[bytes | memoryview]) -> None:
    """Write ``content``, or its parts one after another, to ``path``, completely or not at all.

    Raises:
        OSError: the folder is missing or unwritable, or the disk is full. An existing file then
            stays as it was.
    """
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            for part in (content,) if isinstance(content, bytes) else content:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def replace(source: Path | str, target: Path) -> None:
    """Move a file over another one; on Windows, wait for up to a second for its readers.

    Raises:
        OSError: the file cannot be replaced, or is still being read after a second.
    """
    for seconds in WAITS:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(seconds)
    os.replace(source, target)
