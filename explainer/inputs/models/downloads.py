"""Downloads of models: one at a time, in the background. Whoever started one may cancel it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread

import streamlit as st

from explainer.content import load_texts

Progress = Callable[[int, int], None]
Fetch = Callable[[str, Progress, Callable[[], bool]], object]


@dataclass(frozen=True)
class Download:
    """The state of a download.

    Attributes:
        name: of the model.
        owner: secret of the visitor who started it, and may cancel it.
        done, total: bytes; the total is 0 until it is known.
        state: "running" | "done" | "failed" | "cancelled".
        message: why it failed, in one sentence for the visitor; empty otherwise.
    """

    name: str
    owner: str
    done: int = 0
    total: int = 0
    state: str = "running"
    message: str = ""

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


class Downloads:
    """The latest download of each model, for all visitors."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[str, Download] = {}
        self._cancelled: dict[str, Event] = {}
        self._lock = Lock()

    def find(self, name: str) -> Download | None:
        """Return the latest download of a model, or None."""
        with self._lock:
            return self._known.get(name)

    def running(self) -> Download | None:
        """Return the download that runs now, or None."""
        with self._lock:
            return next((one for one in self._known.values() if one.state == "running"), None)

    def start(self, name: str, owner: str) -> bool:
        """Start a download, unless one is running; return whether it was started."""
        with self._lock:
            if any(one.state == "running" for one in self._known.values()):
                return False
            self._known[name] = Download(name, owner)
            self._cancelled[name] = Event()
        Thread(target=self._run, args=(name,), daemon=True).start()
        return True

    def cancel(self, name: str, owner: str) -> None:
        """Cancel a download that this owner started; downloads of others continue."""
        with self._lock:
            if name in self._known and self._known[name].owner == owner:
                self._cancelled[name].set()

    def _run(self, name: str) -> None:
        cancelled = self._cancelled[name]
        try:
            self._fetch(name, lambda *counts: self._on_progress(name, *counts), cancelled.is_set)
        except Exception as error:  # whatever it is, the page shows it
            state = "cancelled" if cancelled.is_set() else "failed"
            self._end(name, state, "" if cancelled.is_set() else sentence(error))
        else:
            self._end(name, "cancelled" if cancelled.is_set() else "done", "")

    def _on_progress(self, name: str, done: int, total: int) -> None:
        with self._lock:
            self._known[name] = replace(self._known[name], done=done, total=total)

    def _end(self, name: str, state: str, message: str) -> None:
        with self._lock:
            self._known[name] = replace(self._known[name], state=state, message=message)


def sentence(error: Exception) -> str:
    """Return why a download failed, as a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return load_texts("pretrained")["not_written"].format(why=error.strerror)
    text = str(error) or type(error).__name__
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


@st.cache_resource
def the_downloads() -> Downloads:
    """Return the downloads of this server."""

    def fetch(name: str, progress: Progress, cancelled: Callable[[], bool]) -> None:
        from vit_core.pretrained import (
            fetch as fetch_files,  # imported late: most visitors never need it
        )

        fetch_files(name, progress=progress, cancelled=cancelled)

    return Downloads(fetch)
