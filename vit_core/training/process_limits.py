"""Limits for a training process; where the operating system lacks a limit, it is not set."""

from contextlib import suppress
from pathlib import Path

LOWEST = 19  # lowest priority of Linux and macOS; 0 is the normal one
OOM_SCORE = Path("/proc/self/oom_score_adj")  # of Linux
IDLE_FROM = 15  # from this value on, a process on Windows runs only when the machine is idle


def lower_priority(nice: int) -> None:
    """Lower the priority of this process.

    Args:
        nice: steps as on Linux, 0 to 19; on Windows they map to two lower priorities.
    """
    try:
        import psutil
    except ImportError:  # psutil has no build for this system
        return
    process = psutil.Process()
    with suppress(psutil.Error, OSError):
        if not psutil.WINDOWS:
            process.nice(min(LOWEST, process.nice() + nice))
        elif nice:
            constants = vars(psutil)  # these two exist only on Windows
            name = "IDLE" if nice >= IDLE_FROM else "BELOW_NORMAL"
            process.nice(constants[f"{name}_PRIORITY_CLASS"])


def be_ended_first() -> None:
    """Have Linux end this process when a machine or container runs out of memory, not the server.

    Otherwise the largest process is ended, and a server with its caches is larger than a training.
    """
    with suppress(OSError):  # another system
        OOM_SCORE.write_text("1000", encoding="ascii")


def limit_memory(megabytes: int) -> None:
    """Let allocations beyond the limit fail, so that the process is not killed for them."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = megabytes * 1024**2
    # macOS refuses some limits, and only an administrator may raise others
    with suppress(ValueError, OSError, OverflowError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
