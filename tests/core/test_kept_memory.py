"""A process that keeps what its tensors free computes the same, and no trace's memory is reused."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from vit_core import kept_memory
from vit_core.kept_memory import LARGEST_MMAP_THRESHOLD, keep_freed_memory

# a first trace must be as it was after others came and went, and equal what the model gives
SCRIPT = """
import torch
from vit_core import ViTConfig, build, trace
from vit_core.kept_memory import keep_freed_memory
torch.set_num_threads(1)
model = build(ViTConfig(image_size=112, patch_size=4, embed_dim=16, depth=2, num_heads=2)).eval()
first, second = torch.randn(2, 1, 1, 112, 112, generator=torch.Generator().manual_seed(0))
before = trace(model, first)
keep_freed_memory()
after = trace(model, first)
copies = {name: tensor.clone() for name, tensor in after.items()}
for _ in range(3):
    other = trace(model, second)
assert all(torch.equal(after[name], copy) for name, copy in copies.items())
assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
assert not any(torch.equal(after[name], other[name]) for name in ("patches", "logits"))
with torch.no_grad():
    torch.testing.assert_close(after.logits, model(first))
print("equal")
"""


def test_traces_stay_their_own_and_equal() -> None:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout == "equal\n", done.stderr


class FakeLibrary:
    """A C library that has some functions."""

    def __init__(self, answers: dict[int, int]) -> None:
        self.answers, self.calls = answers, []

    def mallopt(self, option: int, value: int) -> int:
        self.calls.append((option, value))
        return self.answers[option]


@pytest.mark.parametrize(
    ("answers", "has_effect"), [({-1: 1, -3: 1}, True), ({-1: 1, -3: 0}, False), ({-1: 0}, False)]
)
def test_the_answer_says_whether_it_had_an_effect(
    monkeypatch: pytest.MonkeyPatch, answers: dict[int, int], has_effect: bool
) -> None:
    library = FakeLibrary(answers)
    monkeypatch.setattr(kept_memory.ctypes, "CDLL", lambda _: library)
    assert keep_freed_memory(64) is has_effect
    wanted = [(-1, 64 * 1024**2), (-3, LARGEST_MMAP_THRESHOLD)]
    assert library.calls == wanted[: len(answers)]


def test_a_number_that_is_too_large_for_the_library_becomes_the_largest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = FakeLibrary({-1: 1, -3: 1})
    monkeypatch.setattr(kept_memory.ctypes, "CDLL", lambda _: library)
    keep_freed_memory(10**9)
    assert library.calls[0] == (-1, 2**31 - 1)


@pytest.mark.parametrize("error", [OSError, TypeError, None])
def test_other_systems_are_left_as_they_are(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception] | None
) -> None:
    def load(_: object) -> object:
        if error:
            raise error
        return SimpleNamespace()  # without mallopt

    monkeypatch.setattr(kept_memory.ctypes, "CDLL", load)
    assert keep_freed_memory() is False
