"""Bounds on the memory that visitors' files take, while they arrive and until a page reads them."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

MOST_COUNTED = 1_000  # files; empty ones take memory, too


class Room:
    """Memory for files that arrive: who finds it taken waits, in the order of coming.

    Args:
        capacity: bytes.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = self.free = capacity
        self._changed = asyncio.Condition()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def reserved(self, size: int, patience: float) -> AsyncIterator[None]:
        """Hold ``size`` bytes, or all there are.

        Args:
            patience: seconds to wait at most.

        Raises:
            TimeoutError: there was no room in that time.
        """
        size = min(size, self.capacity)
        async with asyncio.timeout(patience), self._turn, self._changed:
            await self._changed.wait_for(lambda: self.free >= size)
            self.free -= size
        try:
            yield
        finally:
            self.free += size
            async with self._changed:
                self._changed.notify_all()


class Stored:
    """Files that have arrived and that no page has read yet: the oldest go when they are too many.

    Args:
        of_session, of_all: bytes of one session and of all.
        remove: called with session and file of one that goes; it may be gone already.
    """

    def __init__(self, of_session: int, of_all: int, remove: Callable[[str, str], None]) -> None:
        self.of_session, self.of_all, self._remove = of_session, of_all, remove
        self._sizes: OrderedDict[tuple[str, str], int] = OrderedDict()

    def add(self, session: str, file: str, size: int) -> None:
        """Count a file, which is the last one to go."""
        self._sizes.pop((session, file), None)
        self._sizes[session, file] = size
        self._drop_oldest([key for key in self._sizes if key[0] == session], self.of_session)
        self._drop_oldest(list(self._sizes), self.of_all)

    def _drop_oldest(self, keys: list[tuple[str, str]], most: int) -> None:
        """Drop the first of ``keys`` until what is left has ``most`` bytes; the last one stays."""
        total = sum(self._sizes[key] for key in keys)
        for key in keys[:-1]:
            if total <= most and len(self._sizes) <= MOST_COUNTED:
                return
            total -= self._sizes.pop(key)
            self._remove(*key)
