"""A few large models in memory at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from explainer.inputs.models.memory_slots import Slots


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_made_once_and_shared() -> None:
    slots, made = Slots(1), []
    for _ in range(3):
        assert slots.get("a", lambda: made.append(1) or "model") == "model"
    assert made == [1]
    assert "a" in slots


def test_who_needs_another_waits_until_nobody_uses_the_first() -> None:
    clock = Clock()
    slots, waited = Slots(1, idle=3, max_wait=15, clock=clock), []
    slots.get("a", lambda: "first")

    def wait() -> None:
        waited.append(clock.now)
        clock.now += 1

    assert slots.get("b", lambda: "second", wait) == "second"
    assert waited == [0, 1, 2]
    assert "a" not in slots


def test_a_model_that_is_always_in_use_gives_its_place_up_after_a_turn() -> None:
    clock = Clock()
    slots, waited = Slots(1, idle=3, max_wait=15, clock=clock), []
    slots.get("a", lambda: "first")

    def wait() -> None:
        waited.append(clock.now)
        clock.now += 1
        slots.get("a", lambda: pytest.fail("it was still there"))

    assert slots.get("b", lambda: "second", wait) == "second"
    assert len(waited) == 15


def test_two_places_hold_two_and_the_one_that_was_used_first_goes() -> None:
    clock = Clock()
    slots = Slots(2, clock=clock)
    slots.get("a", lambda: "a")
    clock.now += 10
    slots.get("b", lambda: "b")
    clock.now += 10
    slots.get("a", lambda: pytest.fail("it is there"))
    slots.get("c", lambda: "c", lambda: pytest.fail("nobody has to wait"))
    assert ["a" in slots, "b" in slots, "c" in slots] == [True, False, True]


def test_a_failure_is_told_and_not_kept() -> None:
    slots: Slots[str] = Slots(1)

    def fail() -> str:
        raise ValueError("the file is damaged")

    for _ in range(2):
        with pytest.raises(ValueError, match="damaged"):
            slots.get("a", fail)
    assert slots.get("a", lambda: "whole") == "whole"


def test_who_no_longer_wants_to_wait_leaves_everything_as_it_was() -> None:
    slots = Slots(1, clock=Clock())
    slots.get("a", lambda: "first")

    def give_up() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        slots.get("b", lambda: "second", give_up)
    assert "a" in slots
    assert "b" not in slots


def test_two_who_ask_at_once_share_what_one_of_them_makes() -> None:
    slots, begun, may_end, made = Slots(1), Event(), Event(), []

    def make() -> str:
        made.append(1)
        begun.set()
        assert may_end.wait(10)
        return "model"

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(slots.get, "a", make)
        assert begun.wait(10)
        second = threads.submit(slots.get, "a", make, may_end.set)
        assert (first.result(10), second.result(10)) == ("model", "model")
    assert made == [1]
