"""Garbage collection that has really happened, for tests of what is kept and what goes."""

import gc
import time
from threading import get_ident


def collect_all_garbage() -> None:
    """Collect all garbage, after another thread's collection if there is one.

    While that calls its finalizers, which may take any time, ``gc.collect`` does nothing and does
    not say so.
    """
    this_thread, done = get_ident(), []

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "stop" and about["generation"] == 2 and get_ident() == this_thread:
            done.append(True)

    gc.callbacks.append(note)
    try:
        while not done:
            gc.collect()
            time.sleep(0 if done else 0.01)
    finally:
        gc.callbacks.remove(note)
