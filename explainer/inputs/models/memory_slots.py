"""A few slots in memory for values that are too large to keep many of, shared by all visitors."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Condition
from typing import Generic, TypeVar

Value = TypeVar("Value")

CHECK_SECONDS = 0.2  # between two checks of whether a slot has become free


@dataclass
class Slot(Generic[Value]):
    """A slot with its value.

    Attributes:
        last_used: when somebody last asked for the value, by the clock of ``Slots``.
        values: the value alone; empty while it is being made.
    """

    last_used: float
    values: list[Value] = field(default_factory=list)

    @property
    def is_ready(self) -> bool:
        """Whether the value has been made."""
        return bool(self.values)


class Slots(Generic[Value]):
    """Keeps at most ``count`` values; a caller that needs another one waits for a free slot.

    A slot is free when nobody has asked for its value for ``idle`` seconds, or when the caller has
    waited for ``max_wait`` seconds. So two visitors with two models take turns, and nobody waits
    for ever.
    """

    def __init__(
        self,
        count: int,
        idle: float = 3.0,
        max_wait: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.count, self.idle, self.max_wait, self.clock = count, idle, max_wait, clock
        self._slots: dict[Hashable, Slot[Value]] = {}
        self._changed = Condition()

    def __contains__(self, key: Hashable) -> bool:
        with self._changed:
            return key in self._slots and self._slots[key].is_ready

    def __len__(self) -> int:
        with self._changed:
            return len(self._slots)

    def get(
        self, key: Hashable, make: Callable[[], Value], on_wait: Callable[[], None] = lambda: None
    ) -> Value:
        """Return the value of ``key``; call ``make`` for it if no slot has it.

        If ``make`` raises, the slot is free again.

        Args:
            make: called by one caller; others that need the same value wait for it.
            on_wait: called again and again while this caller waits; it may raise.
        """
        began = self.clock()
        with self._changed:
            while True:
                slot = self._slots.get(key)
                if slot is not None and slot.is_ready:
                    slot.last_used = self.clock()
                    return slot.values[0]
                if slot is None and self._make_room(began):
                    slot = self._slots[key] = Slot(self.clock())
                    break
                self._changed.wait(CHECK_SECONDS)
                self._changed.release()
                try:
                    on_wait()
                finally:
                    self._changed.acquire()
        try:
            value = make()
        except BaseException:
            with self._changed:
                del self._slots[key]
                self._changed.notify_all()
            raise
        with self._changed:
            slot.values.append(value)
            slot.last_used = self.clock()
            self._changed.notify_all()
        return value

    def _make_room(self, began: float) -> bool:
        """Return whether a caller that has waited since ``began`` gets a slot; free it for them."""
        if len(self._slots) < self.count:
            return True
        ready = [(slot.last_used, key) for key, slot in self._slots.items() if slot.is_ready]
        if not ready:
            return False
        last_used, oldest = min(ready, key=lambda one: one[0])
        now = self.clock()
        if now - last_used < self.idle and now - began < self.max_wait:
            return False
        del self._slots[oldest]
        return True
