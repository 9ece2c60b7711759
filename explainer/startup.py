"""What the server does behind its pages: imports for the next ones, and quick garbage collection.

Streamlit collects garbage after every run, and that walks over all objects of PyTorch, plotly and
every visitor: 200 ms of each click. So what is alive is taken out of the collector's sight, once
after the imports and again whenever much has come together; just before that everything is looked
through, so that nothing that visitors left behind stays.
"""

import ctypes
import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from threading import Event, Thread
from time import thread_time
from typing import Any

import streamlit as st

# what Streamlit and plotly import when they are first asked for a table, a component or a chart
LATER = ("pandas", "pyarrow", "PIL.PngImagePlugin", "plotly.graph_objs", "plotly.subplots")
# of glibc's mallopt: large tensors come from the system and go back to it, and threads share their
# small memory, so that what one page has needed does not stay with its thread
MALLOC_OPTIONS = {-3: 1024**2, -8: 2}  # M_MMAP_THRESHOLD in bytes, M_ARENA_MAX
PAUSE = 20  # seconds between two looks
LONG = 0.01  # seconds of the processor for one full collection; about 15,000 objects


@contextmanager
def uncollected() -> Iterator[None]:
    """Import without the garbage collector, which takes 0.4 s of the first page for nothing."""
    was_on, before = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
        if len(sys.modules) > before:  # not at every later run of a page
            gc.freeze()
    finally:
        if was_on:
            gc.enable()


@cache
def settle(modules: Sequence[str]) -> None:
    """Import ``modules`` in the background, then keep house; in a server only."""
    if st.runtime.exists():
        Thread(target=keep_house, args=(modules,), daemon=True).start()


def keep_house(modules: Sequence[str]) -> None:
    spare_memory()
    load(modules)
    collect_and_freeze()
    watch = CollectionWatch()
    gc.callbacks.append(watch)
    never = Event()
    while not never.wait(PAUSE):
        if watch.longest > LONG:
            collect_and_freeze()
            watch.longest = 0.0


class CollectionWatch:
    """Notes how long full collections take, by which it knows how much has come together.

    Counting the objects (``gc.get_objects``) would hold each of them for a moment, and a tuple that
    another thread is just building from a generator fails then with a ``SystemError``.

    Attributes:
        longest: seconds of the processor's time, since it was last set to 0.
    """

    def __init__(self) -> None:
        self.longest = self._began = 0.0

    def __call__(self, phase: str, about: dict[str, int]) -> None:
        """Take what ``gc.callbacks`` are told: "start" and "stop", in the thread that collects."""
        if about["generation"] < 2:
            return
        if phase == "start":
            self._began = thread_time()
        else:
            self.longest = max(self.longest, thread_time() - self._began)


def load(modules: Sequence[str]) -> None:
    for name in (*modules, *LATER):
        importlib.import_module(name)
    # charts import their parts when they are first drawn
    importlib.import_module("explainer.figures.theme").template("light")


def spare_memory() -> None:
    """Give memory back to the system as soon as it is free, where the C library can."""
    with suppress(AttributeError):  # another C library than glibc
        for option, value in MALLOC_OPTIONS.items():
            c_library().mallopt(option, value)


@cache
def c_library() -> Any:
    """Return the C library; None where a process cannot ask for its own, as on Windows."""
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):
        return None


def collect_and_freeze() -> None:
    """Free what nobody can reach any more, and give its memory back; what is left is not walked."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with suppress(AttributeError):  # another C library than glibc
        c_library().malloc_trim(0)
