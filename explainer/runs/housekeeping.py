"""What bounds the runs of one server: time, age and size on the disk."""

from collections.abc import Callable
from pathlib import Path

from explainer.runs.limits import MEGABYTE, Limits
from explainer.runs.store import RunStore
from explainer.runs.wording import SAID
from vit_core.locks import Lock, take

RECENT = 1800.0  # seconds for which a run that somebody looked at is in use


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

    One that is under way or that somebody has just looked at is never deleted.

    Args:
        now: seconds since 1970.

    Returns:
        The ids of what was deleted.
    """
    ages = {run_id: now - store.used(run_id) for run_id in store.ids()}
    unused = [run_id for run_id, age in ages.items() if age > RECENT and not is_going(run_id)]
    sizes = {run_id: store.size(run_id) for run_id in ages}
    total, deleted = sum(sizes.values()), []
    for run_id in sorted(unused, key=ages.__getitem__, reverse=True):
        is_old = ages[run_id] > limits.keep_hours * 3600
        if is_old or total > limits.total_megabytes * MEGABYTE:
            store.delete(run_id)
            deleted.append(run_id)
            total -= sizes[run_id]
    return deleted


def has_room(store: RunStore, limits: Limits, now: float, is_going: Callable[[str], bool]) -> bool:
    """Whether another run fits beside those that there are, once what may go is cleared."""
    most = limits.total_megabytes * MEGABYTE
    if total_size(store) <= most:
        return True
    clear_old(store, limits, now, is_going)
    return total_size(store) <= most


def total_size(store: RunStore) -> int:
    return sum(map(store.size, store.ids()))
