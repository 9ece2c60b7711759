"""Computes what takes seconds beside the runs of pages, in short chunks that take turns.

Everything that is computed beside pages is computed here, by a thread of its own: one chunk at a
time on the whole server, so that a page has a core. Visitors who ask for the same thing share one
computation. It ends when nobody asks for it any more, when all who asked have stopped it, and when
the server ends.
"""

import atexit
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, RLock, Thread
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from streamlit.runtime.scriptrunner import get_script_run_ctx

from explainer.caching import BytesCache, derived
from explainer.inputs.models.passes import one_large_batch, one_large_pass
from vit_core.errors import VitError

Value = TypeVar("Value")
Report = Callable[[int, int], None]

PATIENCE = 10.0  # seconds after which somebody who has not asked again is taken to have left
CHUNK = 0.05  # seconds that a computation keeps its turn, however often it reports
PAUSE = 0.001  # seconds in which a page can take a lock that the next chunk needs too


class StoppedError(VitError, RuntimeError):
    """A computation ends early: nobody wants it any more, or the server ends."""


@dataclass(frozen=True)
class Standing(Generic[Value]):
    """How far a computation is.

    Attributes:
        value: what it has made; None while it has not.
        done, total: how much of it is done, in its own units; a total of 0 until its first chunk
            is done.
        error: what ended it; whoever asks once more has it begun again.
    """

    value: Value | None = None
    done: int = 0
    total: int = 0
    error: Exception | None = None

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, max(0.0, self.done / self.total)) if self.total > 0 else 0.0


class Line:
    """Lets one thread at a time through, in the order in which they came.

    Whoever leaves a plain lock and takes it again at once is mostly the first to get it.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._waiting: deque[Event] = deque()

    def __enter__(self) -> None:
        turn = Event()
        with self._guard:
            self._waiting.append(turn)
            if len(self._waiting) == 1:
                turn.set()
        turn.wait()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._waiting.popleft()
            if self._waiting:
                self._waiting[0].set()


@dataclass(eq=False)
class Task:
    """One computation, which several visitors may have asked for.

    Attributes:
        key: of its value in ``kept``.
        make: is given ``report``.
        patience: seconds without a question after which it ends.
        askers: session → when it asked the last time.
        began: its present turn.
    """

    key: Hashable
    make: Callable[[Report], Any]
    kept: BytesCache[Any]
    patience: float
    askers: dict[str, float] = field(default_factory=dict)
    done: int = 0
    total: int = 0
    error: Exception | None = None
    is_stopped: bool = False
    began: float = 0.0

    def is_wanted(self, now: float) -> bool:
        return any(now - asked <= self.patience for asked in self.askers.values())

    def report(self, done: int, total: int) -> None:
        """Say how much is done, and let others have their turn.

        Raises:
            StoppedError: nobody wants it any more, or the server ends.
        """
        self.done, self.total = done, total
        self.check()
        if time.monotonic() - self.began >= CHUNK:
            # who waits for a turn with such a lock would block the one whose turn it is
            with let_go(one_large_pass), let_go(one_large_batch):
                _line.__exit__()
                time.sleep(PAUSE)
                _line.__enter__()
            self.began = time.monotonic()
            self.check()

    def check(self) -> None:
        with _guard:
            if not (self.is_stopped or self.is_wanted(time.monotonic())):
                self.is_stopped = True
                forget(self)
        if self.is_stopped or _closing.is_set():
            raise StoppedError(self.key)

    def run(self) -> None:
        """Make the value as soon as it is this task's turn, and keep it."""
        try:
            with _line:
                self.began = time.monotonic()
                self.check()
                value = self.make(self.report)
            self.kept.get(self.key, lambda: value)
        except StoppedError:
            with _guard:
                forget(self)
        except Exception as error:  # it belongs to whoever asks
            traceback.clear_frames(error.__traceback__)  # they hold what was being computed
            self.error = error
        else:
            with _guard:
                forget(self)


@contextmanager
def let_go(lock: RLock) -> Iterator[None]:
    """Let go of a lock, if this thread holds it, inside of the ``with``."""
    times = 0
    with suppress(RuntimeError):  # it is not this thread's, or no longer
        while True:
            lock.release()
            times += 1
    try:
        yield
    finally:
        for _ in range(times):
            lock.acquire()


_tasks: dict[Hashable, Task] = {}
_guard = Lock()
_line = Line()
_threads: WeakSet[Thread] = WeakSet()
_closing = Event()  # the server ends


def standing(
    key: Hashable,
    make: Callable[[Report], Value],
    *,
    kept: BytesCache[Any] | None = None,
    asker: str | None = None,
    patience: float = PATIENCE,
) -> Standing[Value]:
    """Return how far the value of a key is; if nobody makes it yet, have ``make`` make it.

    Whoever wants the value asks again and again until it is there.

    Args:
        key: everything that the value depends on: (name, choice, …).
        make: returns the value, which is not None. It runs in a thread of its own, so it must not
            ask Streamlit for anything. After each chunk of at most 150 ms it calls
            ``report(done, total)``, which raises to end it. The locks of large models are let go
            of meanwhile; it holds no other.
        kept: where the value is kept for all visitors; by default where ``remember`` keeps it.
        asker: who asks; by default this session.
        patience: seconds without a question after which the computation ends.
    """
    kept = derived() if kept is None else kept
    asker = this_session() if asker is None else asker
    with _guard:
        # a task is forgotten only after its value is kept
        task = _tasks.get(key)
        if task is None and (value := known(key, kept)) is not None:
            return Standing(value)
        if task is not None and task.error is not None:
            if task.askers.pop(asker, None) is not None:
                if not task.askers:
                    forget(task)
                return Standing(None, task.done, task.total, task.error)
            task = None  # it failed for others; this one tries anew
        if task is None:
            task = start(Task(key, make, kept, patience))
        task.askers[asker] = time.monotonic()
        return Standing(None, task.done, task.total)


def known(key: Hashable, kept: BytesCache[Any] | None = None) -> Any:
    """Return the value of a key if it is there, else None; nothing is begun."""
    kept = derived() if kept is None else kept

    def absent() -> None:
        raise KeyError(key)

    try:
        return kept.get(key, absent)
    except KeyError:
        return None


def stop(key: Hashable, asker: str | None = None) -> Standing[Any]:
    """Take back that somebody wants a value, and return how far it was.

    The computation ends at its next report, unless others ask for the same.
    """
    asker = this_session() if asker is None else asker
    with _guard:
        task = _tasks.get(key)
        if task is None:
            return Standing()
        task.askers.pop(asker, None)
        if not task.is_wanted(time.monotonic()):
            task.is_stopped = True
            forget(task)
        return Standing(None, task.done, task.total)


def this_session() -> str:
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else ""


def start(task: Task) -> Task:
    """Begin a task; the caller holds the guard."""
    now = time.monotonic()
    for other in [*_tasks.values()]:
        if other.error is not None and not other.is_wanted(now):
            forget(other)
    _tasks[task.key] = task
    thread = Thread(target=task.run, name="background", daemon=True)
    _threads.add(thread)
    thread.start()
    return task


def forget(task: Task) -> None:
    """Let the next who asks begin anew; the caller holds the guard."""
    if _tasks.get(task.key) is task:
        del _tasks[task.key]


@atexit.register
def finish() -> None:
    """Let the chunk that is being computed end, and begin nothing more.

    If Python ended around a thread that is inside PyTorch, the whole process would be aborted; a
    thread is there until the last tensor that it used is freed.
    """
    _closing.set()
    for thread in [*_threads]:
        thread.join()
