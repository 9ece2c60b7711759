"""Time several callables side by side in one process, and print Markdown.

On a machine that others use too, a time says little and a ratio much: each round runs every
candidate once, in turn and from a different first one, so that all of them see the same load. A
ratio is the median of the rounds' own ratios.

Large models free and ask for hundreds of megabytes in each run, and whom glibc then makes wait for
new pages is a matter of luck. With ``MALLOC_TRIM_THRESHOLD_=2000000000
MALLOC_MMAP_THRESHOLD_=2000000000`` in the environment memory stays in the process, and computation
alone is compared.
"""

import argparse
import datetime
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch

Times = dict[str, list[float]]  # candidate → seconds in each round


def parse_arguments(description: str | None, rounds: int) -> argparse.Namespace:
    """Parse ``--threads`` and ``--rounds``, and set PyTorch's threads.

    Args:
        description: the script's docstring, whose first line is shown.
        rounds: as many as a round's candidates are timed, unless the command line says otherwise.
    """
    parser = argparse.ArgumentParser(description=(description or "").split("\n")[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=rounds)
    options = parser.parse_args()
    if options.threads < 1 or options.rounds < 1:
        parser.error("--threads and --rounds must be at least 1")
    torch.set_num_threads(options.threads)
    return options


def side_by_side(
    candidates: dict[str, Callable[[], object]],
    rounds: int,
    warmup: int = 2,
    least_seconds: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Run all candidates in turn for ``rounds`` rounds, after a few unmeasured ones.

    Args:
        least_seconds: repeat a candidate within its turn until about this much time has passed, so
            that what takes microseconds is measured too; the time of one run is recorded.
        clock: ``time.process_time`` leaves out what other programs take.
    """
    repeats = dict.fromkeys(candidates, 1)
    for _ in range(warmup):
        for name, run in candidates.items():
            once = timed(run, 1, clock)
            repeats[name] = max(1, round(least_seconds / once))
    times: Times = {name: [] for name in candidates}
    names = list(candidates)
    for first in range(rounds):
        for offset in range(len(names)):
            name = names[(first + offset) % len(names)]
            times[name].append(timed(candidates[name], repeats[name], clock))
    return times


def timed(
    run: Callable[[], object], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the mean seconds of one of ``repeats`` runs."""
    start = clock()
    for _ in range(repeats):
        run()
    return (clock() - start) / repeats


def ratio(times: Times, above: str, below: str) -> float:
    """Return how many times longer ``above`` takes than ``below``: the median over the rounds."""
    return statistics.median(a / b for a, b in zip(times[above], times[below], strict=True))


def milliseconds(times: Iterable[float]) -> str:
    """Format a median of seconds as milliseconds with three digits."""
    return f"{statistics.median(times) * 1000:.3g}"


def hardware() -> str:
    """Describe what a result depends on: processor, threads, PyTorch, day."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    return (
        f"{processor}, {torch.get_num_threads()} threads on {os.cpu_count()} cores, "
        f"PyTorch {torch.__version__}, Python {platform.python_version()}, "
        f"{datetime.date.today().isoformat()}"
    )


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table, and what it was measured on."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(f"\n{hardware()}")
