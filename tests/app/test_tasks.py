"""What takes seconds is computed in chunks that take turns, and ends when nobody wants it."""

import subprocess
import sys
from collections.abc import Callable
from threading import Event
from time import sleep

import pytest
import streamlit as st
from waiting import until

from explainer.caching import BytesCache, is_remembered
from explainer.inputs.models.passes import one_large_batch, one_large_pass
from explainer.observation import tasks
from explainer.observation.tasks import Report, Standing, StoppedError, known, standing, stop


@pytest.fixture(autouse=True)
def nothing_is_made() -> None:
    st.cache_resource.clear()
    tasks._tasks.clear()


def ended(key: str, make: Callable[[Report], object], asker: str = "anna") -> Standing:
    """Ask until there is a value or an error."""
    while True:
        now = standing(key, make, asker=asker)
        if now.value is not None or now.error is not None:
            return now
        sleep(0.002)


class Stepper:
    """A computation of which the test lets one chunk after the other be done."""

    def __init__(self, chunks: int = 3) -> None:
        self.chunks, self.begun, self.done = chunks, 0, 0
        self.is_over, self.error, self.gate = Event(), None, Event()

    def __call__(self, report: Report) -> str:
        self.begun += 1
        try:
            for chunk in range(self.chunks):
                self.gate.wait()
                self.gate.clear()
                self.done = chunk + 1
                report(chunk + 1, self.chunks)
        except StoppedError as error:
            self.error = error
            raise
        finally:
            self.is_over.set()
        return "value"

    def step(self) -> None:
        self.gate.set()


def test_two_who_ask_for_the_same_share_one_computation_and_see_how_far_it_is() -> None:
    make = Stepper(2)
    assert standing("one", make, asker="anna") == Standing()
    make.step()
    until(lambda: standing("one", make, asker="ben").done == 1)
    seen = standing("one", make, asker="anna")
    assert (seen.done, seen.total, seen.share) == (1, 2, 0.5)
    make.step()
    assert ended("one", make).value == ended("one", make, "ben").value == "value"
    assert make.begun == 1 and is_remembered("one") and not tasks._tasks


def test_chunks_take_turns_and_only_one_is_computed_at_a_time(monkeypatch) -> None:
    monkeypatch.setattr(tasks, "CHUNK", 0)
    order, both = [], Event()

    def make(name: str) -> Callable[[Report], str]:
        def computed(report: Report) -> str:
            both.wait()
            for chunk in range(3):
                if chunk < 2 or name == "a":
                    until(lambda: len(tasks._line._waiting) > 1)  # the other waits for its turn
                order.append(name)
                report(chunk + 1, 3)
            return name

        return computed

    standing("a", make("a"), asker="anna")
    until(lambda: len(tasks._line._waiting) == 1)
    standing("b", make("b"), asker="ben")
    both.set()
    ended("a", make("a"))
    ended("b", make("b"), "ben")
    assert order == ["a", "b"] * 3


def test_locks_of_large_models_are_free_between_chunks(monkeypatch) -> None:
    monkeypatch.setattr(tasks, "CHUNK", 0)
    has_lock, may_go = Event(), Event()

    def first(report: Report) -> str:
        with one_large_pass, one_large_batch, one_large_batch:
            has_lock.set()
            may_go.wait()
            report(1, 2)
            return "first"

    def second(report: Report) -> str:
        with one_large_batch:  # while the first waits for its turn
            return "second"

    standing("one", first)
    has_lock.wait()
    standing("two", second)
    until(lambda: len(tasks._line._waiting) > 1)
    may_go.set()
    assert ended("two", second).value == "second" and ended("one", first).value == "first"
    assert one_large_batch.acquire(blocking=False) and one_large_pass.acquire(blocking=False)
    one_large_batch.release()
    one_large_pass.release()


def test_a_chunk_goes_on_without_a_pause_while_it_is_short(monkeypatch) -> None:
    monkeypatch.setattr(tasks, "CHUNK", 1e9)
    monkeypatch.setattr(tasks, "PAUSE", None)  # would be an error
    make = Stepper(1)
    standing("one", make)
    make.step()
    assert ended("one", make).value == "value"


def test_who_stops_it_ends_it_and_may_begin_again() -> None:
    make = Stepper()
    standing("one", make, asker="anna")
    make.step()
    until(lambda: standing("one", make, asker="anna").done == 1)
    assert stop("one", "anna") == Standing(None, 1, 3)
    make.step()
    make.is_over.wait()
    assert make.error and make.done < make.chunks and known("one") is None
    assert standing("one", lambda report: "value", asker="anna") == Standing()
    assert ended("one", make).value == "value"
    assert stop("one", "anna") == stop("never") == Standing()


def test_who_stops_it_does_not_end_it_for_another() -> None:
    make = Stepper(1)
    standing("one", make, asker="anna")
    standing("one", make, asker="ben")
    stop("one", "anna")
    make.step()
    assert ended("one", make, "ben").value == "value" and make.begun == 1


def test_it_ends_when_nobody_asks_any_more() -> None:
    make = Stepper()
    standing("one", make)
    until(lambda: make.begun == 1)
    tasks._tasks["one"].patience = -1
    make.step()
    make.is_over.wait()
    until(lambda: not tasks._tasks)
    assert make.error and make.done == 1


def test_what_nobody_asks_for_is_not_even_begun() -> None:
    first, second = Stepper(1), Stepper(1)
    standing("one", first)
    until(lambda: first.begun == 1)
    standing("two", second)
    stop("two")
    first.step()
    until(lambda: known("one") is not None and not tasks._line._waiting)
    assert second.begun == 0


def test_an_error_reaches_all_who_asked_and_who_asks_again_tries_again() -> None:
    may_fail, outcomes = Event(), [ValueError("no"), "value"]

    def make(report: Report) -> object:
        report(1, 4)
        may_fail.wait()
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    standing("one", make, asker="anna")
    standing("one", make, asker="ben")
    may_fail.set()
    first, other = ended("one", make), ended("one", make, "ben")
    assert first == other and str(first.error) == "no" and first.done == 1
    assert not tasks._tasks
    assert ended("one", make).value == "value"


def test_who_comes_after_an_error_tries_anew() -> None:
    def fail(report: Report) -> object:
        raise ValueError("no")

    standing("one", fail, asker="anna")
    until(lambda: tasks._tasks["one"].error is not None)
    assert ended("one", lambda report: "value", "ben").value == "value"


def test_a_value_is_kept_where_it_is_asked_to_be() -> None:
    kept: BytesCache[str] = BytesCache(1000, len)
    while (now := standing("one", lambda report: "value", kept=kept)).value is None:
        sleep(0.002)
    assert now.value == known("one", kept) == "value"
    assert known("one") is None and not is_remembered("one")


ENDING = """
from threading import Event
from explainer.observation.tasks import standing

has_begun = Event()

def make(report):
    has_begun.set()
    while True:
        report(1, 2)

standing("one", make)
standing("two", lambda report: print("never"))
has_begun.wait()
"""


def test_a_process_that_ends_ends_it_at_its_next_report() -> None:
    done = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
