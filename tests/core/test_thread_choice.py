"""The number of threads that a new run gets when none is given."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from training_data import QUICK, TINY, be_quiet, small_mnist

from vit_core.data import open
from vit_core.runs import opening
from vit_core.runs.directory import read_config
from vit_core.runs.train_command import main
from vit_core.training import thread_choice as module
from vit_core.training.thread_choice import (
    candidates_up_to,
    choose_threads,
    fewest_that_pay,
    seconds_by_threads,
)

SHAPE = ["--patch-size", "14", "--embed-dim", "16", "--depth", "1", "--num-heads", "2"]


@pytest.mark.parametrize(
    ("most", "candidates"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])]
)
def test_powers_of_two_and_the_most_are_tried(most: int, candidates: list[int]) -> None:
    assert candidates_up_to(most) == candidates


@pytest.mark.parametrize(
    ("seconds", "threads"),
    [
        ({1: 0.1, 2: 0.05}, 2),
        ({1: 0.067, 2: 0.18}, 1),  # a busy machine
        ({1: 0.1, 2: 0.095}, 1),
        ({1: 0.1, 2: 0.06, 4: 0.058, 8: 0.03}, 8),
        ({2: 0.1, 4: 0.2}, 2),
    ],
)
def test_more_threads_have_to_gain_a_tenth(seconds: dict[int, float], threads: int) -> None:
    assert fewest_that_pay(seconds) == threads


class FakeMachine:
    """A clock, and a step that takes some time with each number of threads."""

    def __init__(self, patch: pytest.MonkeyPatch, seconds: dict[int, float]) -> None:
        self.now, self.threads = 0.0, torch.get_num_threads()
        self.seconds, self.steps = seconds, []
        patch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: self.now))
        torchs = SimpleNamespace(
            get_num_threads=lambda: self.threads,
            set_num_threads=lambda number: setattr(self, "threads", number),
        )
        patch.setattr(module, "torch", torchs)

    def step(self) -> None:
        self.steps.append(self.threads)
        self.now += self.seconds[self.threads]


def test_all_numbers_take_turns_and_the_first_step_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = FakeMachine(monkeypatch, {1: 0.05, 2: 0.04})
    before = machine.threads
    found = seconds_by_threads(machine.step, [1, 2])
    assert machine.steps == [2, 2, 1, 1] * module.ROUNDS
    assert found == {1: pytest.approx(0.05), 2: pytest.approx(0.04)}
    assert list(found) == [1, 2]
    assert machine.threads == before


def test_a_large_model_takes_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = FakeMachine(monkeypatch, {1: 40.0, 2: 20.0, 4: 10.0, 8: 5.0})
    assert list(seconds_by_threads(machine.step, [1, 2, 4, 8])) == [4, 8]
    assert machine.steps == [8, 4]


def test_the_threads_are_restored_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = FakeMachine(monkeypatch, {})
    before = machine.threads
    with pytest.raises(KeyError):
        seconds_by_threads(machine.step, [1, 2])
    assert machine.threads == before


def test_real_steps_are_timed_and_leave_no_trace() -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    chosen, seconds = choose_threads(TINY, QUICK, small_mnist(), most=2)
    assert chosen in (1, 2)
    assert 2 in seconds
    assert all(value > 0 for value in seconds.values())
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_one_thread_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "seconds_by_threads", None)
    assert choose_threads(TINY, QUICK, small_mnist(), most=1) == (1, {})


def test_data_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        choose_threads(dataclasses.replace(TINY, image_size=14), QUICK, small_mnist(), most=2)


class TestCommand:
    """What ``python -m vit_core.train`` does with it."""

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(open, "mnist", small_mnist)
        be_quiet(monkeypatch)

    @pytest.fixture
    def measured(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Let a machine have two threads of which one is best; return the calls."""
        calls: list[int] = []

        def choose(model: object, train: object, data: object, most: int) -> object:
            calls.append(most)
            return 1, {1: 0.067, 2: 0.18}

        monkeypatch.setattr(opening, "choose_threads", choose)
        return calls

    def run(self, path: Path, *extra: str) -> int:
        return main([*SHAPE, "--epochs", "1", "--run-dir", str(path), *extra])

    def test_a_new_run_gets_and_keeps_the_chosen_number(
        self, tmp_path: Path, measured: list[int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(tmp_path / "x", "--device", "cpu") == 0
        assert measured == [torch.get_num_threads()]
        assert read_config(tmp_path / "x").threads == 1
        said = "threads: 1, since a step takes 67 ms with 1, 180 ms with 2\n"
        assert capsys.readouterr().err.startswith(said)

    def test_a_given_number_is_not_measured(self, tmp_path: Path, measured: list[int]) -> None:
        assert self.run(tmp_path / "x", "--threads", "1") == 0
        assert measured == []

    def test_a_resumed_run_keeps_its_number(self, tmp_path: Path, measured: list[int]) -> None:
        assert self.run(tmp_path / "x", "--threads", "1") == 0
        assert main(["--run-dir", str(tmp_path / "x"), "--resume"]) == 0
        assert measured == []

    def test_a_refused_run_measures_nothing(self, tmp_path: Path, measured: list[int]) -> None:
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "notes.txt").touch()
        assert self.run(tmp_path / "x", "--device", "cpu") == 2
        assert self.run(tmp_path / "y", "--device", "cpu", "--num-classes", "5") == 2
        assert measured == []

    @pytest.mark.parametrize(("is_compiled", "processes"), [(True, 1), (False, 2)])
    def test_compiled_models_and_several_processes_are_not_measured(
        self, measured: list[int], is_compiled: bool, processes: int
    ) -> None:
        train = dataclasses.replace(QUICK, compile=is_compiled)
        threads = opening.threads_for(TINY, train, small_mnist(), "cpu", processes)
        assert threads == torch.get_num_threads()
        assert measured == []
