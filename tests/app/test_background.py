"""What takes seconds is made once, beside the pages, and an error belongs to whoever asks."""

import subprocess
import sys
from threading import Event
from time import sleep

import pytest
import streamlit as st
from waiting import until

from explainer.caching import is_remembered, remember
from explainer.observation import tasks
from explainer.observation.background import is_there


@pytest.fixture(autouse=True)
def nothing_is_made() -> None:
    st.cache_resource.clear()
    tasks._tasks.clear()


def test_nobody_waits_and_it_is_made_once() -> None:
    may_end, made = Event(), []

    def make() -> str:
        may_end.wait()
        made.append(1)
        return "value"

    assert not is_there("one", make)
    assert not is_there("one", make)
    assert not is_remembered("one")
    may_end.set()
    until(lambda: is_there("one", make))
    assert remember("one", lambda: "another") == "value" and made == [1]
    assert is_there("one", make) and made == [1]
    assert not tasks._tasks


def test_one_is_made_at_a_time() -> None:
    has_begun, first_may_end, order = Event(), Event(), []

    def first() -> int:
        has_begun.set()
        first_may_end.wait()
        order.append("first")
        return 1

    def second() -> int:
        order.append("second")
        return 2

    assert not is_there("one", first)
    has_begun.wait()
    assert not is_there("two", second)
    sleep(0.05)
    assert order == []
    first_may_end.set()
    until(lambda: is_there("one", first))
    until(lambda: is_there("two", second))
    assert order == ["first", "second"]


def test_an_error_is_raised_to_whoever_asks_and_then_it_is_tried_again() -> None:
    outcomes = [ValueError("no"), "value"]

    def make() -> object:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    with pytest.raises(ValueError, match="no"):
        until(lambda: is_there("one", make))
    until(lambda: is_there("one", make))
    assert remember("one", make) == "value"


ENDING = """
import torch
from explainer.observation.background import is_there

def make():
    print("begun", flush=True)
    matrix = torch.eye(64)
    for _ in range(50_000):
        matrix = matrix @ matrix.mT
    print("made", flush=True)

def never():
    print("never", flush=True)

is_there("one", make)
is_there("two", never)
"""


def test_a_process_that_ends_lets_what_is_computed_end() -> None:
    done = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() in (["begun", "made"], [])
