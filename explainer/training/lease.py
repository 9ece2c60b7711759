"""Which server has a run that waits or trains: a lease in the run's folder.

The lease is a small file, ``lease-000001``. Its server renews it with every beat: it counts on in
the file. Others watch the count with their own monotonic clock. If it stands still for
``lease_seconds``, the server is gone or frozen, and another one takes the run over: it creates the
file with the next number, which only one process can, and removes the old file. So no clock is ever
compared with another computer's, and no lock of the drive is needed.

The former server finds its file gone at its next beat, and ends its worker. The worker asks for the
file before each write by itself (``vit_core.runs.fence``).
"""

import hashlib
import json
import os
import platform
import secrets
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path
from threading import RLock

from explainer.training.servers import Servers
from vit_core.runs.file_names import LEASE
from vit_core.storage.atomic import WAITS

BEATS = 5  # in ``lease_seconds``
MOST_CREDIT = 0.25  # of ``lease_seconds``, that one look may add to the time that was watched
MOST_BYTES = 1024
BOOT = Path("/proc/sys/kernel/random/boot_id")


class Holder(Enum):
    """Who has a run."""

    HERE = auto()  # this server
    OTHER = auto()  # another server, as far as is known yet
    GONE = auto()  # a server that has ended, or does not beat any more
    NOBODY = auto()


@dataclass(frozen=True)
class Lease:
    """A lease as it was read: its number, and what its file held."""

    number: int
    content: bytes

    @property
    def values(self) -> dict[str, str]:
        """Texts of the file; empty if it is damaged, or being written."""
        try:
            values = json.loads(self.content)
        except ValueError:
            return {}
        return values if isinstance(values, dict) else {}


@dataclass
class Held:
    """A lease of this server."""

    path: Path
    token: str
    beat: int = 0


@dataclass
class Watch:
    """What this server saw last of a lease of another one.

    Attributes:
        looked: when, by the monotonic clock.
        waited: seconds for which it has not changed.
    """

    lease: Lease
    looked: float
    waited: float = 0.0


class Leases:
    """The leases of one folder of runs, as one server sees them; any thread may call it."""

    def __init__(
        self,
        root: Path,
        servers: Servers,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Hold no lease yet.

        Args:
            seconds: without a beat, after which a lease is taken over.
        """
        self.seconds = max(1.0, seconds)
        self._root, self._servers, self._clock = root, servers, clock
        self._lock = RLock()
        self._held: dict[str, Held] = {}
        self._watched: dict[str, Watch] = {}

    @property
    def held(self) -> list[str]:
        """The ids of the runs that this server has, as far as it knows."""
        with self._lock:
            return list(self._held)

    @property
    def watched(self) -> list[str]:
        """The ids of the runs whose lease another server had when this one looked last."""
        with self._lock:
            return list(self._watched)

    def holder(self, run_id: str) -> Holder:
        """Return who has a run. The answer ``GONE`` needs several looks in ``seconds``."""
        with self._lock:
            if self.holds(run_id):
                return Holder.HERE
            lease = read_lease(self._root / run_id)
            if lease is None:
                self._watched.pop(run_id, None)
                return Holder.NOBODY
            return Holder.GONE if self._is_gone(run_id, lease) else Holder.OTHER

    def _is_gone(self, run_id: str, lease: Lease) -> bool:
        now = self._clock()
        watch = self._watched.get(run_id)
        if watch is None or watch.lease != lease:
            watch = self._watched[run_id] = Watch(lease, now)
        # one look after a long sleep of this computer proves little: the others slept too
        watch.waited += min(now - watch.looked, MOST_CREDIT * self.seconds)
        watch.looked = now
        values = lease.values
        return watch.waited >= self.seconds or (
            # on the same computer the lock of a server that has ended is free at once
            values.get("machine") == machine() and self._servers.has_ended(values.get("server"))
        )

    def token_of_other(self, run_id: str) -> str | None:
        """Return what names the lease that another server has now; None if there is none."""
        with self._lock:
            lease = read_lease(self._root / run_id)
            if lease is None or self._is_gone(run_id, lease):
                return None
            token = lease.values.get("token")
            return token if isinstance(token, str) else None

    def token(self, run_id: str) -> str:
        """Return what names this server's lease of a run; empty if it has none."""
        held = self._held.get(run_id)
        return held.token if held else ""

    def take(self, run_id: str) -> bool:
        """Take a run that nobody has, or whose server is gone; exactly one of several succeeds.

        Returns:
            Whether this server has the run now.

        Raises:
            OSError: the folder cannot be written.
        """
        with self._lock:
            folder = self._root / run_id
            found = read_lease(folder)
            if found is not None and not self._is_gone(run_id, found):
                return self.holds(run_id)
            self._servers.join()  # its lock tells others on this computer that it lives
            path = folder / name_of(found.number + 1 if found else 1)
            held = Held(path, secrets.token_hex(8))
            try:
                file = path.open("xb")
            except FileExistsError:
                return False
            try:
                with file:
                    file.write(self._content(held))
            except OSError:
                remove(path)
                raise
            # somebody may have taken the run, and released it, since the first look
            if not replaces(folder, held, found):
                remove(path)
                return False
            self._watched.pop(run_id, None)
            self._held[run_id] = held
            return True

    def holds(self, run_id: str) -> bool:
        """Return whether this server still has a run, by a look at the file itself."""
        if (held := self._held.get(run_id)) is None:
            return False
        try:
            return held.token in read(held.path).decode(errors="replace")
        except OSError:
            return False

    def fence(self, run_id: str) -> dict[str, str]:
        """Return by what the worker of a run sees that it may still write."""
        held = self._held[run_id]
        return {"file": held.path.name, "text": held.token}

    def beat(self) -> list[str]:
        """Renew all leases of this server.

        Returns:
            The ids of the runs that another server has taken over.
        """
        with self._lock:
            return [run_id for run_id, held in self._held.items() if not self._renew(held)]

    def _renew(self, held: Held) -> bool:
        """Count on in the file; return False if it is no longer this server's."""
        try:
            # in the open file, so that this never changes one that has taken its place
            with held.path.open("r+b") as file:
                if held.token.encode() not in file.read(MOST_BYTES):
                    return False
                held.beat += 1
                file.seek(0)
                file.write(self._content(held))  # as long as the one before
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # not known; if that lasts, another server takes it over and removes it
        return True

    def _content(self, held: Held) -> bytes:
        values = {"token": held.token, "server": self._servers.id, "machine": machine()}
        return json.dumps(values | {"beat": f"{held.beat:012d}"}).encode()

    def release(self, run_id: str) -> None:
        """Give a run back, after its note says how it stands."""
        with self._lock:
            if self.holds(run_id):
                remove(self._held[run_id].path)
            self._held.pop(run_id, None)

    def clear(self, run_id: str) -> None:
        """Remove the lease that a server left which has ended."""
        if self.holder(run_id) is Holder.GONE and self.take(run_id):
            self.release(run_id)

    def forget(self, run_id: str) -> None:
        """Watch a run no longer."""
        with self._lock:
            self._watched.pop(run_id, None)


def replaces(folder: Path, held: Held, found: Lease | None) -> bool:
    """Return whether a new lease takes the place of ``found``, and remove that one.

    Args:
        found: the lease that was there before, whose server is gone; None if there was none.
    """
    others = [number for number in numbers_in(folder) if name_of(number) != held.path.name]
    if found is None:
        return not others
    with suppress(OSError):
        if read(folder / name_of(found.number)) == found.content:
            return all([remove(folder / name_of(one)) for one in others if one <= found.number])
    return False


def read_lease(folder: Path) -> Lease | None:
    """Return the newest lease in a run's folder; None if there is none."""
    for _ in range(3):  # it may be removed between the two looks
        numbers = numbers_in(folder)
        if not numbers:
            return None
        try:
            return Lease(numbers[-1], read(folder / name_of(numbers[-1])))
        except FileNotFoundError:
            continue
        except OSError:
            return Lease(numbers[-1], b"")
    return Lease(numbers[-1], b"")


def numbers_in(folder: Path) -> list[int]:
    """Return the numbers of all leases in a folder, the newest last."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(int(match[1]) for name in names if (match := LEASE.fullmatch(name)))


def name_of(number: int) -> str:
    return f"lease-{number:06d}"


def read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


def remove(path: Path) -> bool:
    """Remove a file; on Windows, wait for a moment for its readers. Return whether it is gone."""
    for seconds in (*WAITS, 0.0):
        try:
            path.unlink(missing_ok=True)
            return True
        except OSError:
            time.sleep(seconds)
    return False


@cache
def machine() -> str:
    """Return what names this computer since its start; nobody learns its name from it."""
    try:
        text = BOOT.read_text(encoding="ascii")
    except OSError:
        text = f"{platform.node()} {uuid.getnode()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
