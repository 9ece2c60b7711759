"""Choose a number of CPU threads by measuring a run's own steps.

More threads are not always faster: where other programs want the same cores, the threads of a step
wait for the last of them. The choice belongs to the start of a command; another number of threads
rounds differently, so it is kept with the run.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import torch

from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import Batch, ImageData
from vit_core.mistakes import build_with
from vit_core.training.events import TrainingDivergedError
from vit_core.training.loop import Training

ROUNDS = 7  # every number of threads has its turn in each
LONG_ENOUGH = 4.0  # seconds; then no further round begins
LONG_STEP = 0.5  # seconds; the start of threads does not count beside them
HOPELESS = 1.7  # times as long as with more threads
WORTH_IT = 0.9  # of the time with fewer threads; a gain that is smaller may be luck


def choose_threads(
    model: ViTConfig, train: TrainConfig, data: ImageData, most: int
) -> tuple[int, dict[int, float]]:
    """Take some steps of a new model, which is discarded, with 1, 2, 4 … threads.

    PyTorch's number of threads is afterwards as it was.

    Args:
        most: threads that there may be; with 1 nothing is measured.

    Returns:
        The number of threads, and for each number that was tried the seconds of a step.

    Raises:
        ValueError: the data does not fit the model.
    """
    candidates = candidates_up_to(most)
    if len(candidates) == 1:
        return 1, {}
    training = Training(build_with(model, train, train.seed), data, train)
    training.model.train()
    indices = torch.arange(training.batch_size)
    batch = Batch(data.train.at(indices.tolist()), indices)
    generator = torch.Generator().manual_seed(train.seed)

    def take_step() -> None:
        with suppress(TrainingDivergedError):  # a diverged step takes as long
            training.run_step(0, batch, generator)

    seconds = seconds_by_threads(take_step, candidates)
    return fewest_that_pay(seconds), seconds


def candidates_up_to(most: int) -> list[int]:
    """Return the powers of two up to ``most``, and ``most``."""
    return sorted({*(2**power for power in range(most.bit_length())), most})


def seconds_by_threads(
    take_step: Callable[[], None], candidates: Sequence[int]
) -> dict[int, float]:
    """Time a step with each number of threads, in turn, so that all see the same other work.

    It begins with the most threads. When fewer take much longer, still fewer are not tried.
    """
    before = torch.get_num_threads()
    times: dict[int, list[float]] = {}
    remaining = sorted(candidates, reverse=True)
    began = time.perf_counter()
    try:
        for _ in range(ROUNDS):
            for threads in list(remaining):
                torch.set_num_threads(threads)
                taken = timed(take_step)
                if taken < LONG_STEP:  # the first step also starts the threads
                    taken = timed(take_step)
                times.setdefault(threads, []).append(taken)
                if taken > HOPELESS * min(values[-1] for values in times.values()):
                    remaining = [number for number in remaining if number > threads]
                    break
            if time.perf_counter() - began > LONG_ENOUGH:
                break
    finally:
        torch.set_num_threads(before)
    return {threads: statistics.median(times[threads]) for threads in sorted(times)}


def timed(run: Callable[[], None]) -> float:
    """Return the seconds of one call."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def fewest_that_pay(seconds: dict[int, float]) -> int:
    """Return the number of threads beyond which more of them gain less than a tenth.

    Args:
        seconds: of a step, by the number of threads.
    """
    best, *more = sorted(seconds)
    for threads in more:
        if seconds[threads] < WORTH_IT * seconds[best]:
            best = threads
    return best
