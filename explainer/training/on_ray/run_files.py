"""The folder of a run as the bridge reads and writes it, for a machine that does not see it."""

import contextlib
import json
import os
import secrets
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

# the bridge is a script: the files beside it have no package there
node_worker = import_module(f"{__package__}.node_worker" if __package__ else "node_worker")
CONFIG, INIT = node_worker.CONFIG, node_worker.INIT

FIRST_MODEL = "epoch-000.safetensors"
# what a run needs to start or to go on; the other checkpoints stay at home
NEEDED = (CONFIG, node_worker.METRICS, node_worker.STATE, FIRST_MODEL, "images.safetensors")
OURS = ("status.json", "order.json", "lease-")  # what servers write, and no machine may


class RunFiles:
    """Reads what a machine needs of a run's folder, and writes what comes back."""

    def __init__(self, folder: Path, fence: dict[str, str] | None) -> None:
        """Read nothing yet.

        Args:
            fence: what shows that this server may still write, as ``vit_core.runs.fence`` explains.
        """
        self.folder, self._fence = folder, fence
        self._init = ""  # the path here of the weights that a run on copies starts from

    def is_shared(self, is_seen: Callable[[str], bool]) -> bool:
        """Return whether a machine sees the folder; a token file proves it.

        The token's name is that of a half-written file, which the next run removes if this process
        dies.

        Args:
            is_seen: asks the machine to remove the file with this path; says whether it could.
        """
        token = self.folder / f".{CONFIG}.{secrets.token_hex(4)}"
        token.touch()
        could = is_seen(str(token))
        try:
            token.unlink()
        except FileNotFoundError:
            return could
        return False

    def needed(self) -> dict[str, bytes]:
        """Return the files that a machine needs, by their names.

        Raises:
            OSError: one of them cannot be read.
        """
        files = {}
        for name in (*NEEDED, *([self._fence["file"]] if self._fence else [])):
            with contextlib.suppress(FileNotFoundError):
                files[name] = (self.folder / name).read_bytes()
        self._init = ""
        init = json.loads(files[CONFIG]).get("init", "")
        if FIRST_MODEL not in files and os.path.isabs(init):
            self._init, files[INIT] = init, Path(init).read_bytes()
        return files

    def write(self, news: dict[str, Any]) -> None:
        """Write what has come home: a whole file at once, or further lines of metrics.

        Raises:
            OSError: it cannot be written, or another server has taken the run over.
        """
        name, content = str(news["file"]), news["content"]
        if os.path.basename(name) != name or name.startswith((".", *OURS)):
            return
        if self._fence:
            text = (self.folder / self._fence["file"]).read_text(encoding="utf-8")
            if self._fence["text"] not in text:
                raise OSError  # another server has taken it over
        path = self.folder / name
        if start := news.get("start"):
            with path.open("r+b") as file:
                file.truncate(start)
                file.seek(start)
                file.write(content)
            return
        if name == CONFIG and self._init:
            content = json.dumps(json.loads(content) | {"init": self._init}, indent=2).encode()
        temporary = self.folder / f".{name}.{secrets.token_hex(4)}"
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
