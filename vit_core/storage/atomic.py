"""Writing files so that a reader never sees half of one."""

import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

# Windows puts no file in the place of one that somebody reads at that moment; readers here take
# some milliseconds
WAITS = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.4) if os.name == "nt" else ()  # seconds


def write_atomically(path: Path, content: bytes | Iterable[bytes | memoryview]) -> None:
    """Write ``content``, or its parts one after another, to ``path``, whole or not at all.

    Raises:
        OSError: the folder is missing or unwritable, or the disk is full; a file that was there
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
    """Put a file in the place of another one, as soon as nobody reads that.

    Raises:
        OSError: it cannot be done, or is still read after a second.
    """
    for seconds in WAITS:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(seconds)
    os.replace(source, target)
