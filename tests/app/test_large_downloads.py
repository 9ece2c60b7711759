"""Downloads of models in the background."""

from collections.abc import Callable
from threading import Event

import pytest

from explainer.inputs.models.downloads import Downloads

WAIT = 10  # seconds, of which none is needed


class Hub:
    """Plays a hub: tells of one step, then waits to be told how to go on."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.go_on, self.ended, self.error = Event(), Event(), Event(), error

    def __call__(
        self, name: str, progress: Callable[[int, int], None], cancelled: Callable[[], bool]
    ) -> None:
        progress(30, 120)
        self.begun.set()
        assert self.go_on.wait(WAIT)
        try:
            if cancelled():
                raise InterruptedError("cancelled")
            if self.error:
                raise self.error
            progress(120, 120)
        finally:
            self.ended.set()


def settled(downloads: Downloads, name: str) -> str:
    """Return how a download ended, once it has."""
    while (found := downloads.find(name)).state == "running":
        Event().wait(0.001)
    return found.state


def test_a_download_tells_how_far_it_is_and_that_it_is_done() -> None:
    hub = Hub()
    downloads = Downloads(hub)
    assert downloads.find("hf/a") is None
    assert downloads.start("hf/a", "me")
    assert hub.begun.wait(WAIT)
    assert downloads.find("hf/a").share == 0.25
    assert downloads.running().name == "hf/a"
    hub.go_on.set()
    assert settled(downloads, "hf/a") == "done"
    assert downloads.find("hf/a").share == 1
    assert downloads.running() is None


def test_only_one_runs_at_a_time() -> None:
    hub = Hub()
    downloads = Downloads(hub)
    assert downloads.start("hf/a", "me")
    assert not downloads.start("hf/b", "you")
    assert downloads.find("hf/b") is None
    hub.go_on.set()
    settled(downloads, "hf/a")
    assert downloads.start("hf/b", "you")
    assert settled(downloads, "hf/b") == "done"


@pytest.mark.parametrize(("owner", "state"), [("me", "cancelled"), ("you", "done")])
def test_it_is_cancelled_by_who_started_it_and_nobody_else(owner: str, state: str) -> None:
    hub = Hub()
    downloads = Downloads(hub)
    downloads.start("hf/a", "me")
    assert hub.begun.wait(WAIT)
    downloads.cancel("hf/a", owner)
    hub.go_on.set()
    assert settled(downloads, "hf/a") == state
    assert downloads.find("hf/a").message == ""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("the hub cannot be reached; put it here"), "The hub cannot be reached; put "),
        (OSError(28, "No space left on device"), "could not be written to the disk: No space"),
        (RuntimeError(), "RuntimeError."),
    ],
)
def test_a_failure_is_one_sentence_and_can_be_tried_again(error: Exception, said: str) -> None:
    hub = Hub(error)
    downloads = Downloads(hub)
    hub.go_on.set()
    downloads.start("hf/a", "me")
    assert settled(downloads, "hf/a") == "failed"
    found = downloads.find("hf/a").message
    assert said in found
    assert found.endswith(".")
    hub.error = None
    assert downloads.start("hf/a", "me")
    assert settled(downloads, "hf/a") == "done"
