"""The model of how many replicas visitors need, on cases whose answer is known."""

import random

import pytest
from hosting import DOINGS, LESSON_SECONDS, Doing, answer_times, arrivals, replicas_for, slow_answer

CHEAP = {"first": 0.001, "later": 0.001}
DEAR = {"first": 0.4, "later": 0.4}
ONCE = Doing("first", {"later": 1.0}, (10 * LESSON_SECONDS, 10 * LESSON_SECONDS))
BUSY = Doing("first", {"later": 1.0}, (4, 16))


def test_a_class_comes_within_ninety_seconds_and_in_order() -> None:
    times = arrivals(30, random.Random(1))
    assert times[0] == 0.0 and times == sorted(times) and times[-1] <= 90
    assert len(arrivals(3_001, random.Random(1))) == 3_001


def test_visitors_who_come_at_once_wait_for_one_another() -> None:
    times = list(answer_times([0.0] * 10, ONCE, {"first": 1.0}, random.Random(1)))
    assert times == sorted(times)
    assert 5 <= times[-1] <= 40  # ten requests of one second each, one after another
    assert times[-1] == pytest.approx(
        sum(b - a for a, b in zip([0.0, *times], times, strict=False))
    )


def test_whoever_comes_alone_waits_for_nobody() -> None:
    times = list(answer_times([0.0, 100.0, 200.0], ONCE, {"first": 1.0}, random.Random(1)))
    assert all(0.5 <= time < 10 for time in times) and len(times) == 3


def test_more_replicas_answer_sooner_and_dear_pages_need_more_of_them() -> None:
    assert slow_answer(300, 8, BUSY, DEAR) < slow_answer(300, 1, BUSY, DEAR)
    assert replicas_for(30, BUSY, CHEAP) == 1
    assert replicas_for(300, BUSY, DEAR) > replicas_for(300, BUSY, CHEAP)


def test_the_shares_of_what_visitors_do_are_whole() -> None:
    for doing in DOINGS.values():
        assert sum(doing.shares.values()) == pytest.approx(1)
