"""Work of the server in the background: imports for later pages, and fast garbage collection.

Streamlit would collect garbage after every run of a page. A full collection visits all objects of
PyTorch, plotly and every visitor, which would take 200 ms of each click. So that is switched off
(``runner.postScriptGC``), and garbage is collected here every few seconds instead, however many
visitors click meanwhile. And the live objects are frozen, which means that the collector skips
them: once after the imports, and again when many new ones have been made. Just before each freeze a
full collection frees what visitors left behind.
"""

import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from threading import Event, Thread
from time import thread_time

import streamlit as st

from vit_core.lean.freed_memory import c_library, return_freed_memory

# what Streamlit and plotly import when they first draw a picture or a chart
LAZY_IMPORTS = ("PIL.PngImagePlugin", "plotly.graph_objs", "plotly.subplots")
# for glibc's mallopt: large tensors are taken from the system and returned to it, and no arenas are
# made for more threads, so that memory which one page has used does not stay with its thread. Six
# are there by then. glibc takes no notice once there are nine, so this is said before many threads
MALLOC_OPTIONS = {-3: 128 * 1024, -8: 2}  # M_MMAP_THRESHOLD in bytes, M_ARENA_MAX
COLLECT_SECONDS = 2  # between two full collections, as long as pages run
CHECK_EVERY = 3  # collections, after which their times are looked at
REST = 8  # rounds without garbage, after which the pages are at rest
SLOW_COLLECTION = 0.01  # seconds of processor time; about 15,000 objects


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the garbage collector during imports, where it would take 0.4 s and free nothing."""
    was_enabled, modules_before = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
        if len(sys.modules) > modules_before:  # later runs of a page import nothing
            gc.freeze()
    finally:
        if was_enabled:
            gc.enable()


@cache
def start_background_work(modules: Sequence[str]) -> None:
    """Start a thread that imports ``modules`` and then collects garbage; only in a server, once."""
    if st.runtime.exists():
        Thread(target=collect_periodically, args=(modules,), daemon=True).start()


def collect_periodically(modules: Sequence[str]) -> None:
    """Import ``modules``, then collect garbage, and freeze when full collections become slow.

    When the pages have come to rest, memory is looked through once as after the imports: frozen
    objects, too, may have become garbage.
    """
    import_modules(modules)
    collect_and_freeze()
    watch = CollectionWatch()
    gc.callbacks.append(watch)
    never, rounds, resting = Event(), 0, REST
    while not never.wait(COLLECT_SECONDS):
        is_due = collect_garbage()
        resting = 0 if is_due else resting + 1
        rounds += 1
        is_slow = watch.longest > SLOW_COLLECTION and not rounds % CHECK_EVERY
        if is_slow or resting == REST:
            collect_and_freeze()
            watch.longest = 0.0
        elif is_due:
            return_freed_memory()


def collect_garbage() -> bool:
    """Collect all garbage, unless hardly anything was made since the last full collection.

    Returns:
        Whether garbage was collected.
    """
    is_due = any(gc.get_count()[1:])
    if is_due:
        gc.collect()
    return is_due


class CollectionWatch:
    """Measures full collections; a slow one shows that many objects are not frozen.

    Counting them with ``gc.get_objects`` would be unsafe. It refers to every object for a moment,
    and then another thread that builds a tuple from a generator fails with a ``SystemError``.

    Attributes:
        longest: processor time of the longest collection since this was set to 0, in seconds.
    """

    def __init__(self) -> None:
        self.longest = self._began = 0.0

    def __call__(self, phase: str, about: dict[str, int]) -> None:
        """Measure from "start" to "stop", with which ``gc`` calls it in the collecting thread."""
        if about["generation"] < 2:
            return
        if phase == "start":
            self._began = thread_time()
        else:
            self.longest = max(self.longest, thread_time() - self._began)


def import_modules(modules: Sequence[str]) -> None:
    """Import ``modules`` and what is otherwise imported at the first table or chart."""
    for name in (*modules, *LAZY_IMPORTS):
        importlib.import_module(name)
    # the first chart would import the parts of its template
    importlib.import_module("explainer.figures.theme").template("light")


def set_malloc_options() -> None:
    """Make the C library return free memory to the system at once, if it is glibc."""
    with suppress(AttributeError):  # another C library than glibc
        for option, value in MALLOC_OPTIONS.items():
            c_library().mallopt(option, value)


def collect_and_freeze() -> None:
    """Free unreachable objects, freeze all others, and return free memory to the system."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return_freed_memory()
