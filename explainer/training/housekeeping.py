"""What bounds the runs of one server: time, age and size on the disk.

Only runs that the app made itself count here, and only they are ever deleted.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from explainer.training.limits import MEGABYTE, Limits
from explainer.training.run_folder import run_files
from explainer.training.store import NOTE, RunStore
from explainer.training.wording import SAID
from vit_core.runs.file_names import LEFTOVER, clear_leftovers
from vit_core.storage.locks import Lock, take

RECENT = 1800.0  # seconds for which a run that somebody looked at is in use
UPLOADS = 0.25  # the share of all space that uploads may take


def take_root(root: Path) -> Lock | None:
    """Return the lock of a folder of runs, which is made; None if another server has it.

    Also None where it cannot be written. It is free again when the process ends.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        return take(root)
    except OSError:
        return None


def over_time(limits: Limits, trained: float, paused: float, others_wait: bool) -> str:
    """Return why a run has to stop now, one sentence; empty if it need not.

    Args:
        trained: seconds since it was begun or resumed.
        paused: seconds of the pause that it is in, 0 if it is in none.
    """
    if trained > limits.seconds:
        return SAID["too_long"].format(minutes=round(limits.seconds / 60))
    if others_wait and trained > limits.seconds_while_others_wait:
        minutes = round(limits.seconds_while_others_wait / 60)
        return SAID["too_long_for_others"].format(minutes=minutes)
    patience = limits.paused_seconds_while_others_wait if others_wait else limits.paused_seconds
    return SAID["paused_too_long"] if paused > patience else ""


def clear_old(
    store: RunStore, limits: Limits, now: float, is_going: Callable[[str], bool]
) -> list[str]:
    """Delete runs that nobody has used for long, then the oldest while all are too large together.

    One that is under way or that somebody has just looked at is never deleted, and no trained run
    goes for the sake of uploads.

    Args:
        now: by the store's clock.

    Returns:
        The ids of what was deleted.
    """
    sizes, uploads = measure(store)
    ages = {run_id: now - store.used(run_id) for run_id in sizes}
    unused = [run_id for run_id, age in ages.items() if age > RECENT and not is_going(run_id)]
    unused.sort(key=lambda run_id: (run_id not in uploads, -ages[run_id]))
    most, deleted = limits.total_megabytes * MEGABYTE, []
    for run_id in unused:
        total = sum(sizes.values())
        trained = total - sum(sizes[one] for one in uploads if one in sizes)
        too_large = total > most and (run_id in uploads or trained > (1 - UPLOADS) * most)
        if (ages[run_id] > limits.keep_hours * 3600 or too_large) and deleted_by(store, run_id):
            sizes.pop(run_id)
            deleted.append(run_id)
    return deleted


def measure(store: RunStore) -> tuple[dict[str, int], set[str]]:
    """Return the bytes of each run of the app's own, and which of them are uploads."""
    notes = {run_id: note for run_id in store.made() if (note := store.read(run_id))}
    sizes = {run_id: store.size(run_id) for run_id in notes}
    return sizes, {run_id for run_id, note in notes.items() if note.state == "uploaded"}


def deleted_by(store: RunStore, run_id: str) -> bool:
    """Delete a run, unless another process writes it or its folder cannot be written."""
    try:
        store.delete(run_id)
    except OSError:
        return False
    return True


def has_room(store: RunStore, limits: Limits, now: float, is_going: Callable[[str], bool]) -> bool:
    """Whether another run fits beside those that there are, once what may go is cleared.

    Uploads keep nobody from training: the trained runs have their own share of the space.
    """
    if fits(store, limits):
        return True
    clear_old(store, limits, now, is_going)
    return fits(store, limits)


def fits(store: RunStore, limits: Limits) -> bool:
    sizes, uploads = measure(store)
    most, total = limits.total_megabytes * MEGABYTE, sum(sizes.values())
    trained = total - sum(sizes[run_id] for run_id in uploads)
    return total <= most or trained <= (1 - UPLOADS) * most


def make_room_for_upload(
    store: RunStore, limits: Limits, size: int, is_in_use: Callable[[str], bool]
) -> bool:
    """Delete the oldest uploads that nobody uses until another one fits; whether it does.

    Args:
        size: bytes of the new one, and of those that are being written.
    """
    sizes, uploads = measure(store)
    total, taken = sum(sizes.values()), sum(sizes[run_id] for run_id in uploads)
    most = limits.total_megabytes * MEGABYTE
    for run_id in sorted(uploads, key=store.used):
        if taken + size <= UPLOADS * most and total + size <= most:
            break
        if not is_in_use(run_id) and deleted_by(store, run_id):
            taken, total = taken - sizes[run_id], total - sizes[run_id]
    return taken + size <= UPLOADS * most and total + size <= most


def clear_half_made(store: RunStore, before: Iterable[str]) -> set[str]:
    """Delete folders without a note: what began when a server was killed, or could not all go.

    Args:
        before: those that had none at the last look. Another server may be making the others.

    Returns:
        The folders that have none now.
    """
    found = {run_id for run_id in store.made() if not has_note(store, run_id)}
    for run_id in found.intersection(before):
        deleted_by(store, run_id)
    return found


def has_note(store: RunStore, run_id: str) -> bool:
    try:
        (store.folder(run_id) / NOTE).lstat()
    except FileNotFoundError:
        return False
    except OSError:  # nobody can tell
        return True
    return True


def clear_temporary(store: RunStore, is_going: Callable[[str], bool]) -> None:
    """Delete what processes that were killed had half written into the app's own runs."""
    for run_id in store.made():
        folder = store.folder(run_id)
        if is_going(run_id) or not any(LEFTOVER.fullmatch(one.name) for one in run_files(folder)):
            continue
        with suppress(OSError):
            if lock := take(folder):
                with lock:
                    clear_leftovers(folder)
