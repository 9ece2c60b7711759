"""Bounds on the memory of uploaded files, while they arrive and until a page reads them."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

MAX_FILES = 1_000  # empty files take memory as well


class Room:
    """Memory for files that arrive; a file waits in line while there is too little.

    Args:
        capacity: bytes.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = self.free = capacity
        self._changed = asyncio.Condition()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def reserve(self, size: int, max_wait: float) -> AsyncIterator[None]:
        """Reserve ``size`` bytes, or the whole capacity if that is smaller.

        Args:
            max_wait: seconds until waiting ends in an error.

        Raises:
            TimeoutError: the memory did not become free in that time.
        """
        size = min(size, self.capacity)
        async with asyncio.timeout(max_wait), self._turn, self._changed:
            await self._changed.wait_for(lambda: self.free >= size)
            self.free -= size
        try:
            yield
        finally:
            self.free += size
            async with self._changed:
                self._changed.notify_all()


class Stored:
    """Files that have arrived and that no page has read yet; the oldest are removed at a limit.

    Args:
        of_session, of_all: maximum bytes of one session and of all sessions.
        remove: called with the session and the id of a file, which may not exist any more.
    """

    def __init__(self, of_session: int, of_all: int, remove: Callable[[str, str], None]) -> None:
        self.of_session, self.of_all, self._remove = of_session, of_all, remove
        self._sizes: OrderedDict[tuple[str, str], int] = OrderedDict()

    def add(self, session: str, file: str, size: int) -> None:
        """Count a new file, and remove older ones if necessary."""
        self._sizes.pop((session, file), None)
        self._sizes[session, file] = size
        self._drop_oldest([key for key in self._sizes if key[0] == session], self.of_session)
        self._drop_oldest(list(self._sizes), self.of_all)

    def _drop_oldest(self, keys: list[tuple[str, str]], maximum: int) -> None:
        """Remove files in order until ``maximum`` bytes remain; the last one is never removed."""
        total = sum(self._sizes[key] for key in keys)
        for key in keys[:-1]:
            if total <= maximum and len(self._sizes) <= MAX_FILES:
                return
            total -= self._sizes.pop(key)
            self._remove(*key)
