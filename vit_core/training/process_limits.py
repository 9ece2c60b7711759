"""What a training process may take of its machine; a system that lacks a limit goes on without."""

from contextlib import suppress

LOWEST = 19  # priority that Linux and macOS know; 0 is the usual one
IDLE_FROM = 15  # from here on, Windows only gives it what nobody else wants


def lower_priority(nice: int) -> None:
    """Let other processes go first, by so many steps; Windows knows two."""
    try:
        import psutil
    except ImportError:  # no build of it for this system
        return
    process = psutil.Process()
    with suppress(psutil.Error, OSError):
        if not psutil.WINDOWS:
            process.nice(min(LOWEST, process.nice() + nice))
        elif nice:
            idle, below = psutil.IDLE_PRIORITY_CLASS, psutil.BELOW_NORMAL_PRIORITY_CLASS
            process.nice(idle if nice >= IDLE_FROM else below)


def limit_memory(megabytes: int) -> None:
    """Refuse allocations beyond that, where the system can, instead of being killed for them."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = megabytes * 1024**2
    # macOS refuses some limits, and others are only for the administrator to raise
    with suppress(ValueError, OSError, OverflowError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
