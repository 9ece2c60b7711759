"""How long visitors wait from their press on Start to the first point of their run's curve."""

import time
from collections.abc import Callable, Container

from explainer.measuring import happened
from explainer.measuring.histogram import Histogram

# a run that starts at once needs some seconds; one in a full queue waits for many minutes
SECONDS = Histogram((0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600))


class FirstPoints:
    """The runs of this server that visitors have started and that have no point yet.

    A run is measured once. One that was resumed or taken over from another server is not: nobody
    here has seen the press on Start. Its methods are called under the manager's lock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pressed: dict[str, float] = {}

    def press(self, run_id: str) -> None:
        """Note that a visitor has just started a run."""
        self._pressed[run_id] = self._clock()

    def come(self, run_id: str) -> None:
        """Note that a run has trained its first step, so that its curve has a point."""
        if (pressed := self._pressed.pop(run_id, None)) is not None:
            seconds = self._clock() - pressed
            SECONDS.add(seconds)
            happened("first_point", seconds=seconds)

    def keep_only(self, active: Container[str]) -> None:
        """Forget the runs that neither wait nor train any more."""
        self._pressed = {one: at for one, at in self._pressed.items() if one in active}
