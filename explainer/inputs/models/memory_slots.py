"""A few places in memory for what is too large to keep many of, shared by all visitors."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Condition
from typing import Generic, TypeVar

Value = TypeVar("Value")

TICK = 0.2  # seconds between two looks at whether a place became free


@dataclass
class Place(Generic[Value]):
    """What is in memory, or on its way there while ``is_ready`` is false."""

    used: float  # when somebody last asked for it
    is_ready: bool = False
    values: list[Value] = field(default_factory=list)


class Slots(Generic[Value]):
    """Keeps at most ``count`` values; who needs another one waits until a place is free.

    A place is free when nobody has asked for its value for ``idle`` seconds, or when somebody has
    waited for ``turn`` seconds: two visitors with two models take turns, and nobody waits for ever.
    """

    def __init__(
        self,
        count: int,
        idle: float = 3.0,
        turn: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.count, self.idle, self.turn, self.clock = count, idle, turn, clock
        self._places: dict[Hashable, Place[Value]] = {}
        self._changed = Condition()

    def __contains__(self, key: Hashable) -> bool:
        with self._changed:
            return key in self._places and self._places[key].is_ready

    def __len__(self) -> int:
        with self._changed:
            return len(self._places)

    def get(
        self, key: Hashable, make: Callable[[], Value], on_wait: Callable[[], None] = lambda: None
    ) -> Value:
        """Return the value of ``key``, made if it is not there; a failure to make is not kept.

        Args:
            make: called by one caller, while others who need the same value wait for it.
            on_wait: called again and again while this caller waits; it may raise.
        """
        began = self.clock()
        with self._changed:
            while True:
                place = self._places.get(key)
                if place is not None and place.is_ready:
                    place.used = self.clock()
                    return place.values[0]
                if place is None and self._make_room(began):
                    place = self._places[key] = Place(self.clock())
                    break
                self._changed.wait(TICK)
                self._changed.release()
                try:
                    on_wait()
                finally:
                    self._changed.acquire()
        try:
            value = make()
        except BaseException:
            with self._changed:
                del self._places[key]
                self._changed.notify_all()
            raise
        with self._changed:
            place.values.append(value)
            place.is_ready, place.used = True, self.clock()
            self._changed.notify_all()
        return value

    def _make_room(self, began: float) -> bool:
        """Whether a place is free, for somebody who has waited since ``began``; free it if so."""
        if len(self._places) < self.count:
            return True
        ready = [(place.used, key) for key, place in self._places.items() if place.is_ready]
        if not ready:
            return False
        used, oldest = min(ready, key=lambda one: one[0])
        now = self.clock()
        if now - used < self.idle and now - began < self.turn:
            return False
        del self._places[oldest]
        return True
