"""What bounds the runs of one server: their time, their age and their size on the disk.

Only runs that the app made count here, and only they are ever deleted.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from explainer.training.limits import MEGABYTE, Limits
from explainer.training.run_folder import run_files
from explainer.training.store import NOTE, RunStore
from explainer.training.wording import MESSAGES
from vit_core.runs.file_names import LEFTOVER, clear_leftovers
from vit_core.storage.locks import Lock, take

RECENT_SECONDS = 1800.0  # after a look at a run, during which it is not deleted
UPLOAD_SHARE = 0.25  # of all space, that uploads may take
NOT_TRAINED = ("uploaded", "probed")  # states of runs that count as uploads


def take_root(root: Path) -> Lock | None:
    """Return the lock of a folder of runs.

    One server at a time clears up there, and holds this lock meanwhile. A server of an earlier
    version holds it as long as it lives, and clears up alone.

    Returns:
        None if another server holds the lock, or the folder is missing or cannot be written.
    """
    try:
        return take(root)
    except OSError:
        return None


def over_time(limits: Limits, trained: float, paused: float, others_wait: bool) -> str:
    """Return a sentence that says why a run must stop now; empty if it may continue.

    Args:
        trained: seconds since it was started or resumed.
        paused: seconds of its current pause; 0 if it is not paused.
    """
    if trained > limits.seconds:
        return MESSAGES["too_long"].format(minutes=round(limits.seconds / 60))
    if others_wait and trained > limits.seconds_while_others_wait:
        minutes = round(limits.seconds_while_others_wait / 60)
        return MESSAGES["too_long_for_others"].format(minutes=minutes)
    longest = limits.paused_seconds_while_others_wait if others_wait else limits.paused_seconds
    return MESSAGES["paused_too_long"] if paused > longest else ""


@dataclass
class Usage:
    """The space that the app's runs take.

    Attributes:
        sizes: run id → bytes.
        uploads: ids of the uploaded models among them.
    """

    sizes: dict[str, int]
    uploads: set[str]

    @property
    def total(self) -> int:
        """Bytes of all runs."""
        return sum(self.sizes.values())

    @property
    def uploaded(self) -> int:
        """Bytes of the uploaded models."""
        return sum(self.sizes[run_id] for run_id in self.uploads)

    @property
    def trained(self) -> int:
        """Bytes of the runs that were trained here."""
        return self.total - self.uploaded

    def remove(self, run_id: str) -> None:
        """Count a run no longer."""
        self.sizes.pop(run_id)
        self.uploads.discard(run_id)

    def leaves_room_to_train(self, limits: Limits) -> bool:
        """Return whether another run may start.

        Uploads never prevent it: the trained runs have their own share of the space.
        """
        maximum = limits.total_megabytes * MEGABYTE
        return self.total <= maximum or self.trained <= (1 - UPLOAD_SHARE) * maximum

    def has_room_for_upload(self, limits: Limits, size: int) -> bool:
        """Return whether another upload of ``size`` bytes fits."""
        maximum = limits.total_megabytes * MEGABYTE
        fits_share = self.uploaded + size <= UPLOAD_SHARE * maximum
        return fits_share and self.total + size <= maximum


def usage_of(store: RunStore) -> Usage:
    """Measure the runs that the app made."""
    notes = {run_id: note for run_id in store.made_ids() if (note := store.read(run_id))}
    return Usage(
        sizes={run_id: store.size(run_id) for run_id in notes},
        uploads={run_id for run_id, note in notes.items() if note.state in NOT_TRAINED},
    )


def clear_old(
    store: RunStore, limits: Limits, now: float, is_active: Callable[[str], bool]
) -> list[str]:
    """Delete runs that nobody has used for long, then the oldest while all together are too large.

    A run that is active or that somebody has just looked at is never deleted, and no trained run is
    deleted to make room for uploads.

    Args:
        now: by the store's clock.

    Returns:
        The ids of the deleted runs.
    """
    usage, deleted = usage_of(store), []
    maximum = limits.total_megabytes * MEGABYTE
    ages = {run_id: now - store.last_used(run_id) for run_id in usage.sizes}
    unused = [
        run_id for run_id, age in ages.items() if age > RECENT_SECONDS and not is_active(run_id)
    ]
    unused.sort(key=lambda run_id: (run_id not in usage.uploads, -ages[run_id]))
    for run_id in unused:
        if run_id in usage.uploads:
            is_too_large = usage.total > maximum
        else:
            is_too_large = not usage.leaves_room_to_train(limits)
        is_too_old = ages[run_id] > limits.keep_hours * 3600
        if (is_too_old or is_too_large) and try_delete(store, run_id):
            usage.remove(run_id)
            deleted.append(run_id)
    return deleted


def try_delete(store: RunStore, run_id: str) -> bool:
    """Delete a run, unless another process writes it or its folder cannot be written."""
    try:
        store.delete(run_id)
    except OSError:
        return False
    return True


def has_room(store: RunStore, limits: Limits, now: float, is_active: Callable[[str], bool]) -> bool:
    """Return whether another run fits, after old runs have been cleared if that is necessary."""
    if usage_of(store).leaves_room_to_train(limits):
        return True
    clear_old(store, limits, now, is_active)
    return usage_of(store).leaves_room_to_train(limits)


def make_room_for_upload(
    store: RunStore, limits: Limits, size: int, is_in_use: Callable[[str], bool]
) -> bool:
    """Delete the oldest uploads that nobody uses until another one fits.

    Args:
        size: bytes of the new upload, and of those that are being written.

    Returns:
        Whether it fits.
    """
    usage = usage_of(store)
    for run_id in sorted(usage.uploads, key=store.last_used):
        if usage.has_room_for_upload(limits, size):
            break
        if not is_in_use(run_id) and try_delete(store, run_id):
            usage.remove(run_id)
    return usage.has_room_for_upload(limits, size)


def clear_half_made(store: RunStore, before: Iterable[str]) -> set[str]:
    """Delete folders without a note, which a killed server or an incomplete deletion left.

    Args:
        before: the folders that had none at the last clean-up. A folder that is not among them may
            be one that another server is creating.

    Returns:
        The folders that have none now.
    """
    without_note = {run_id for run_id in store.made_ids() if not has_note(store, run_id)}
    for run_id in without_note.intersection(before):
        try_delete(store, run_id)
    return without_note


def has_note(store: RunStore, run_id: str) -> bool:
    """Return whether a run's folder has a note; also True if that cannot be found out."""
    try:
        (store.folder(run_id) / NOTE).lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def clear_temporary(store: RunStore, is_active: Callable[[str], bool]) -> None:
    """Delete the temporary files that killed processes left in runs that the app made."""
    for run_id in store.made_ids():
        folder = store.folder(run_id)
        if is_active(run_id) or not any(LEFTOVER.fullmatch(one.name) for one in run_files(folder)):
            continue
        with suppress(OSError):
            if lock := take(folder):
                with lock:
                    clear_leftovers(folder)
