"""Limits, the folder of runs, what is cleared from it, and whose runs they are."""

import dataclasses
import os
from pathlib import Path

import pytest
import streamlit as st

from explainer.training import visitor
from explainer.training.housekeeping import RECENT_SECONDS, clear_old, over_time, take_root
from explainer.training.limits import FILE, Limits, load_limits
from explainer.training.store import NOTE, Note, RunStore, hashed

NOW = 2_000_000_000.0
DAY = 24 * 3600.0


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def add(store: RunStore, age: float, size: int = 1_000) -> str:
    run_id = store.new_id()
    store.folder(run_id).mkdir()
    store.write(run_id, Note(hashed("anna"), "finished", "", "a run", NOW - age, 12.5))
    (store.folder(run_id) / "final.safetensors").write_bytes(b"\0" * size)
    store.touch(run_id, NOW - age)
    return run_id


def nobody(run_id: str) -> bool:
    return False


def test_the_limits_of_the_project_suit_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    limits = load_limits()
    assert (limits.runs_at_once, limits.threads) == (1, 1)
    assert limits.worker_megabytes < 2_000, "beside the server within 2.7 GB"
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert (load_limits().runs_at_once, load_limits().threads) == (8, 1)


def test_limits_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "limits.toml"
    own.write_text(FILE.read_text().replace("runs_at_once = 0", "runs_at_once = 3"))
    monkeypatch.setenv("VIT_EXPLAINER_LIMITS", str(own))
    assert load_limits().runs_at_once == 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("queue = 60", "", "queue is missing"),
        ("queue = 60", "queue = 60\nextra = 1", "'extra' is unknown"),
        ("queue = 60", "queue = -1", "queue must be a whole number from 0, not -1"),
        ("queue = 60", 'queue = "many"', "queue must be a whole number"),
        ("queue = 60", "queue = true", "queue must be a whole number"),
        ("queue = 60", "queue =", "limits.toml"),
    ],
)
def test_wrong_limits_name_the_file_and_the_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(FILE.read_text().replace(old, new))
    with pytest.raises(ValueError, match=said):
        load_limits(path)


def test_a_note_is_read_as_it_was_written(store: RunStore) -> None:
    run_id = add(store, age=0)
    note = store.read(run_id)
    assert note == Note(hashed("anna"), "finished", "", "a run", NOW, 12.5)
    store.change(run_id, state="failed", message="why")
    assert store.read(run_id) == dataclasses.replace(note, state="failed", message="why")
    assert list(store.notes_of(hashed("anna"))) == [run_id]
    assert list(store.notes_of(hashed("ben"))) == []


@pytest.mark.parametrize(
    "damage", ["", "{}", "[]", "[" * 100_000, '{"owner": 1}', '{"state": "running"}', "null"]
)
def test_a_damaged_note_is_nobodys_failed_run(store: RunStore, damage: str) -> None:
    run_id = add(store, age=0)
    (store.folder(run_id) / NOTE).write_text(damage)
    note = store.read(run_id)
    assert (note.owner, note.state) == ("", "failed")
    assert "damaged" in note.message


def test_foreign_folders_are_no_runs(store: RunStore) -> None:
    (store.root / "not-a-run-but-a-folder").mkdir()
    (store.root / "short").mkdir()
    (store.root / "a file of somebody").write_text("")
    assert store.read("not-a-run-but-a-folder") is None
    assert "short" not in store.ids()
    assert list(store.notes_of("")) == []
    gone = RunStore(store.root / "gone")
    assert gone.ids() == []


def test_runs_that_nobody_used_for_long_are_cleared(store: RunStore) -> None:
    limits = dataclasses.replace(load_limits(), keep_hours=48)
    young, old = add(store, 1 * DAY), add(store, 3 * DAY)
    assert clear_old(store, limits, NOW, nobody) == [old]
    assert store.ids() == [young]


def test_the_oldest_go_while_all_are_too_large(store: RunStore) -> None:
    limits = dataclasses.replace(load_limits(), total_megabytes=2)
    ages = [1 * DAY, 3 * DAY, 2 * DAY, 0.5 * DAY]
    runs = [add(store, age, size=900_000) for age in ages]
    limits = dataclasses.replace(limits, keep_hours=1000)
    assert clear_old(store, limits, NOW, nobody) == [runs[1], runs[2]]


def test_what_is_in_use_is_never_cleared(store: RunStore) -> None:
    limits = dataclasses.replace(load_limits(), total_megabytes=0, keep_hours=0)
    going, looked_at, left = (
        add(store, 9 * DAY),
        add(store, RECENT_SECONDS / 2),
        add(store, 2 * RECENT_SECONDS),
    )
    assert clear_old(store, limits, NOW, lambda run_id: run_id == going) == [left]
    assert sorted(store.ids()) == sorted([going, looked_at])


def test_a_clock_that_was_ahead_clears_nothing(store: RunStore) -> None:
    limits = dataclasses.replace(load_limits(), total_megabytes=0, keep_hours=0)
    add(store, age=-5 * DAY)
    assert clear_old(store, limits, NOW, nobody) == []


def test_only_one_server_at_a_time_clears_a_folder(tmp_path: Path) -> None:
    first = take_root(tmp_path)
    assert first is not None
    assert take_root(tmp_path) is None
    first.release()
    again = take_root(tmp_path)
    assert again is not None
    again.release()


def test_a_folder_that_is_missing_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert take_root(tmp_path / "file" / "runs") is None


def limits_of(**values: int) -> Limits:
    return dataclasses.replace(load_limits(), **values)


@pytest.mark.parametrize(
    ("trained", "paused", "others_wait", "said"),
    [
        (99.0, 0.0, False, ""),
        (101.0, 0.0, False, "limit of 2 minutes"),
        (61.0, 0.0, False, ""),
        (61.0, 0.0, True, "was stopped after 1 minutes"),
        (0.0, 899.0, False, ""),
        (0.0, 901.0, False, "The pause was too long"),
        (0.0, 31.0, True, "The pause was too long"),
        (0.0, 29.0, True, ""),
    ],
)
def test_when_a_run_has_to_stop(
    trained: float, paused: float, others_wait: bool, said: str
) -> None:
    limits = limits_of(
        seconds=100,
        seconds_while_others_wait=60,
        paused_seconds=900,
        paused_seconds_while_others_wait=30,
    )
    found = over_time(limits, trained, paused, others_wait)
    assert (said in found) if said else not found


class Context:
    def __init__(self, **cookies: str) -> None:
        self.cookies = cookies


def test_a_browser_keeps_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "context", Context())
    mine = visitor.current()
    assert visitor.SECRET.fullmatch(mine)
    assert visitor.current() == mine
    monkeypatch.setattr(st, "session_state", {})
    assert visitor.current() != mine, "another session without the cookie is somebody else"
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "context", Context(**{visitor.COOKIE: mine}))
    assert visitor.current() == mine


@pytest.mark.parametrize("cookie", ["", "short", "a" * 31 + "!", "a" * 33, "../" + "a" * 29])
def test_a_cookie_that_is_none_of_ours_is_replaced(
    monkeypatch: pytest.MonkeyPatch, cookie: str
) -> None:
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "context", Context(**{visitor.COOKIE: cookie}))
    assert visitor.current() != cookie
    assert visitor.SECRET.fullmatch(visitor.current())
