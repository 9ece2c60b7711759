"""A file is written whole or not at all, also where readers hold up the writing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vit_core.storage import atomic


def busy(times: int) -> Callable[[str, Path], None]:
    """Return an ``os.replace`` that refuses so often, as Windows does while somebody reads."""
    real, left = os.replace, times

    def refuse(source: str, target: Path) -> None:
        nonlocal left
        if left:
            left -= 1
            raise PermissionError(13, "Access is denied")
        real(source, target)

    return refuse


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_file_that_is_read_is_replaced_right_after(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "WAITS", (0.0, 0.0, 0.0))
    path = tmp_path / "ü" / "file"
    path.parent.mkdir()
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", busy(times))
    atomic.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_one_that_is_read_for_ever_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "WAITS", (0.0, 0.0, 0.0))
    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", busy(100))
    with pytest.raises(PermissionError):
        atomic.write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(os.name == "nt", reason="there it may be a reader")
def test_elsewhere_nobody_waits_for_what_is_not_allowed() -> None:
    assert atomic.WAITS == ()
