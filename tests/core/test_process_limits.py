"""A training process takes less than it could, where the system lets it."""

import sys
from types import SimpleNamespace

import psutil
import pytest
from bare_package import run_bare

from vit_core.training import process_limits


def run(code: str) -> str:
    return run_bare(f"from vit_core.training.process_limits import *\n{code}").decode()


@pytest.mark.skipif(not psutil.POSIX, reason="Windows has other priorities")
@pytest.mark.parametrize("steps", [0, 5, 15, 40])
def test_others_go_first(steps: int) -> None:
    found = run(f"import psutil; lower_priority({steps}); print(psutil.Process().nice())")
    assert int(found) == min(19, psutil.Process().nice() + steps)


@pytest.mark.parametrize(("steps", "expected"), [(0, []), (1, ["below"]), (19, ["idle"])])
def test_windows_has_two_lower_priorities(
    steps: int, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    windows = SimpleNamespace(
        Process=lambda: SimpleNamespace(nice=given.append),
        Error=psutil.Error,
        WINDOWS=True,
        IDLE_PRIORITY_CLASS="idle",
        BELOW_NORMAL_PRIORITY_CLASS="below",
    )
    monkeypatch.setitem(sys.modules, "psutil", windows)
    process_limits.lower_priority(steps)
    assert given == expected


def test_a_priority_that_the_system_refuses_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refuse(self: psutil.Process, value: int | None = None) -> int:
        if value is None:
            return 3
        asked.append(value)
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "nice", refuse)
    monkeypatch.setattr(psutil, "WINDOWS", False)
    process_limits.lower_priority(5)
    assert asked == [8], "one try, and no error"


@pytest.mark.parametrize("module", ["psutil", "resource"])
def test_a_system_without_a_limit_goes_on_without_it(module: str) -> None:
    block = f"import sys; sys.modules[{module!r}] = None"
    assert run(f"{block}; lower_priority(5); limit_memory(2**13); print('on')") == "on\n"


@pytest.mark.parametrize("error", [ValueError, OSError, OverflowError])
def test_a_limit_that_the_system_refuses_is_left(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")

    asked: list[tuple[object, ...]] = []

    def refuse(*limit: object) -> None:
        asked.append(limit)
        raise error

    monkeypatch.setattr(resource, "setrlimit", refuse)
    process_limits.limit_memory(1)
    assert asked == [(resource.RLIMIT_DATA, (2**20, 2**20))], "one try, and no error"


@pytest.mark.skipif(not process_limits.OOM_SCORE.exists(), reason="only Linux has it")
def test_a_training_is_ended_before_its_server_when_memory_runs_out() -> None:
    found = run("be_ended_first(); print(OOM_SCORE.read_text())")
    assert int(found) == 1000


def test_other_systems_have_no_such_order(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_limits, "OOM_SCORE", tmp_path / "none" / "score")
    process_limits.be_ended_first()
