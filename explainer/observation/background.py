"""Computes what takes seconds beside the runs of pages, one thing at a time."""

import atexit
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Event, Lock, Thread
from typing import Any
from weakref import WeakSet

from explainer.caching import is_remembered, remember

_running: dict[Hashable, Future[Any]] = {}
_guard = Lock()
_turn = Lock()  # one computation at a time, so that all pages have a core
_threads: WeakSet[Thread] = WeakSet()
_closing = Event()  # the server ends


def is_there(key: Hashable, make: Callable[[], Any]) -> bool:
    """Return whether ``remember(key, …)`` has a value; if not, have ``make`` make it.

    Whoever gets False asks again a while later. ``make`` runs in a thread of its own, so it must
    not ask Streamlit for anything. Such a thread ends with the server.

    Raises:
        Exception: ``make`` raised it; the next who asks has it made again.
    """
    if is_remembered(key):
        return True
    with _guard:
        future = _running.get(key)
        if future is None:
            future = _running[key] = Future()
            thread = Thread(target=run, args=(future, make), name="background", daemon=True)
            _threads.add(thread)
            thread.start()
            return False
    if not future.done():
        return False
    try:
        remember(key, future.result)
    finally:
        with _guard:
            _running.pop(key, None)
    return True


def run(future: Future[Any], make: Callable[[], Any]) -> None:
    """Make a value as soon as nothing else is made, unless the server ends before."""
    with _turn:
        if _closing.is_set():
            return
        try:
            future.set_result(make())
        except Exception as error:  # it belongs to whoever asks
            future.set_exception(error)


@atexit.register
def finish() -> None:
    """Let what is being computed end, and begin nothing more.

    If Python ended around a thread that is inside PyTorch, the whole process would be aborted; a
    thread is there until the last tensor that it used is freed.
    """
    _closing.set()
    for thread in [*_threads]:
        thread.join()
