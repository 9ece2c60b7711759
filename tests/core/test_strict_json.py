"""JSON of others is read with finite numbers in range, or refused."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vit_core.runs.directory import parse_line
from vit_core.storage.strict_json import LARGEST, number_in, parse_json, read_json


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-LARGEST, LARGEST)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_what_is_sound_is_read_as_it_was_written(values: object) -> None:
    assert parse_json(json.dumps(values)) == values
    assert parse_json(json.dumps(values, ensure_ascii=False).encode()) == values


UNSOUND = [
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 400, "9" * 5000, str(LARGEST + 1),
    '{"a": [1, NaN]}', "[" * 100_000, '{"a":' * 50_000, 
    '"\\ud800"', '{"\\udfff": 1}', "", "{", "nul",
]  # fmt: skip


@pytest.mark.parametrize("text", UNSOUND)
def test_what_is_not_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00", b"\x80abc", b"\xef\xbb"])
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(content)


def test_something_else_may_stand_for_numbers_that_cannot_be_used() -> None:
    found = parse_json('{"a": NaN, "b": 1e400, "c": [-Infinity, 1], "d": ' + "1" * 400 + "}", None)
    assert found == {"a": None, "b": None, "c": [None, 1], "d": None}


@pytest.mark.parametrize(
    ("value", "found"),
    [(0, 0), (1.0, 1.0), (1.5, None), (-1, None), (True, None), ("1", None), (None, None)],
)
def test_a_number_in_a_range(value: object, found: object) -> None:
    assert number_in(value, 0, 1) == found and number_in(float("nan"), 0, 1) is None


def test_files_that_are_too_long_or_no_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("[1, 2]")
    assert read_json(path, 6) == [1, 2]
    with pytest.raises(ValueError, match="more than 5 bytes"):
        read_json(path, 5)
    with pytest.raises(OSError):
        read_json(tmp_path, 100)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none", 100)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match="regular"):
            read_json(tmp_path / "pipe", 100)


AT = '"seconds": 1.5, "step": 7, "epoch": 2'


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ('"val_accuracy": 0.5', 0.5),
        ('"val_accuracy": 1', 1),
        *((f'"val_accuracy": {value}', None) for value in (
            "NaN", "1e400", "7", "-0.1", '"0.5"', "[1]", "{}", "true", "null", "1" * 400,
        )),
    ],
)  # fmt: skip
def test_a_metric_is_a_number_in_range_or_none(more: str, found: float | None) -> None:
    assert parse_line(f"{{{AT}, {more}}}".encode()) == {
        "seconds": 1.5, "step": 7, "epoch": 2, "val_accuracy": found,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["seconds", "step", "epoch"])
@pytest.mark.parametrize("value", ["NaN", "-1", "1e400", "1" * 400, '"1"', "null", "true", "[]"])
def test_a_line_that_does_not_say_where_it_belongs_is_damaged(name: str, value: str) -> None:
    values = {"seconds": "1.5", "step": "7", "epoch": "2"} | {name: value}
    assert parse_line(json.dumps(values).replace('"', "").encode()) is None
    text = "{" + ", ".join(f'"{one}": {number}' for one, number in values.items()) + "}"
    assert parse_line(text.encode()) is None
