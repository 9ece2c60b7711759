"""One damaged run breaks nothing: no reader, no list of runs, and no page that shows it."""

import dataclasses
import json
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_process import FakeProcess
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from streamlit.testing.v1 import AppTest

from explainer import training
from explainer.content import load_texts
from explainer.inputs.models import saved_epochs
from explainer.training import Manager, RunRequest, scheduler
from explainer.training.limits import load_limits
from explainer.training.progress import progress_of
from explainer.training.store import hashed
from explainer.views.train import compare, live, own_runs, wording
from vit_core import TrainConfig, ViTConfig, build
from vit_core.data import mnist, mnist_info
from vit_core.runs.directory import RunConfig, RunDirectory, RunError
from vit_core.runs.history import RunHistory
from vit_core.runs.snapshot import take_snapshot

ANNA = "a" * 32
SMALL = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1)
FILES = (
    "status.json", "config.json", "metrics.jsonl", "hardest.json", "live.safetensors",
    "epoch-000.safetensors", "epoch-001.safetensors", "epoch-002.safetensors",
    "final.safetensors", "state.safetensors",
)  # fmt: skip


@pytest.fixture
def manager(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    limits = dataclasses.replace(load_limits(), runs_at_once=1)
    made = Manager(tmp_path / "runs", limits, FakeProcess)
    monkeypatch.setattr(training, "the_manager", lambda: made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that a finished run writes, but the note."""
    path = tmp_path_factory.mktemp("sound") / "run"
    train = TrainConfig(epochs=2)
    directory = RunDirectory.create(path, RunConfig(None, SMALL, train, 1, "", "a command"))
    model, line = build(SMALL, seed=1), {"seconds": 1.0, "step": 429, "epoch": 1}
    directory.append_metrics(line | {"train_loss": 1.0, "train_accuracy": 0.5})
    directory.append_metrics(line | {"sample_loss": 1.0, "sample_accuracy": 0.5})
    for epoch in (0, 1, 2):
        whole = line | {"epoch": epoch, "val_loss": 0.4, "val_accuracy": 0.8}
        if epoch:
            directory.append_metrics(whole)
        directory.save_epoch(f"epoch-{epoch:03d}", model, whole, mnist_info())
    directory.append_metrics(whole | {"test_loss": 0.4, "test_accuracy": 0.81})
    directory.save_epoch("final", model, whole, mnist_info())
    snapshot, _ = take_snapshot(model, mnist(), step=858, epoch=2, seconds=2.0)
    snapshot.save(path)
    hard = [{"place": 3, "truth": 1, "said": 2, "probability": 0.1}]
    (path / "hardest.json").write_text(json.dumps(hard))
    directory.close()
    return path


def add(manager: Manager, sound: Path, visitor: str = ANNA) -> Path:
    """Return the folder of a finished run of a visitor."""
    run = manager.start(visitor, RunRequest(SMALL, TrainConfig(epochs=2)))
    next(one for one in FakeProcess.started if one.run_id == run.id).end_run()
    folder = manager.store.folder(run.id)
    shutil.copytree(sound, folder, dirs_exist_ok=True)
    return folder


def look_at_all(manager: Manager, folder: Path) -> None:
    """Ask everything that the pages ask about a run, and what the manager does by itself."""
    manager.store._histories.clear()
    found = manager.find(folder.name)
    manager.active_of(ANNA)
    for run in (*manager.runs_of(ANNA), *((found,) if found else ())):
        ask(run)
    manager._do_due_work(is_cleanup=True)
    manager.estimate(SMALL, TrainConfig())


def ask(run: training.Run) -> None:
    words = [
        own_runs.how(run), wording.when(run), wording.title_of(run), saved_epochs.result(run),
        compare.accuracy(run), *wording.labels([run]).values(),
        wording.duration(run.history.seconds), str(run.started), str(run.can_resume),
        str(run.is_active), run.message,
    ]  # fmt: skip
    history = run.history
    history.snapshot()
    history.hardest()
    history.epochs()
    list(history.all_metrics())
    try:
        progress = progress_of(history)
    except RunError as error:
        words.append(str(error))
    else:
        words += [str(run.seconds_left), str(run.images_per_second)]
        words += [*live.headline(run, progress), *live.measured(run, progress).values()]
        words.append(live.state_text(run, is_stopping=False))
    for text in words:
        text.encode()  # what cannot be encoded cannot be sent to a browser
        assert len(text) < 2_000


# a reader of files that anybody may have written

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**301)
    | st.floats()
    | st.text()
    | st.sampled_from([10**399, -(10**399), 2**53 + 1, 1e300, -0.0, "\ud800", "\0", "9" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = {
    "status.json": ("owner", "state", "said", "title", "created", "estimate", "server", "run"),
    "config.json": ("preset", "model", "train", "threads", "data", "command", "images", "dataset"),
    "metrics.jsonl": ("seconds", "step", "epoch", "train_loss", "val_accuracy", "test_accuracy"),
    "hardest.json": ("place", "truth", "said", "probability"),
}
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def target(manager: Manager, sound: Path) -> Path:
    return add(manager, sound)


@pytest.mark.parametrize("name", NAMES)
@FUZZ
@given(data=st.data())
def test_any_value_at_any_place_of_a_json_file(
    name: str, manager: Manager, target: Path, data: st.DataObject
) -> None:
    path = target / name
    whole = path.read_bytes()
    try:
        text = whole.splitlines()[0] if name == "metrics.jsonl" else whole
        values = json.loads(text)
        record = values[0] if isinstance(values, list) else values
        for key in data.draw(st.sets(st.sampled_from(NAMES[name]), min_size=1, max_size=3)):
            record[key] = data.draw(JSON)
        path.write_text(json.dumps(values) + "\n", encoding="utf-8")
        look_at_all(manager, target)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["status.json", "config.json", "metrics.jsonl", "hardest.json"])
@FUZZ
@given(content=st.binary(max_size=200))
@example(b"")
@example(b"[" * 200_000)
@example(b'{"a":' * 100_000)
@example(b"1" * 5000)
@example(b"1e400")
@example(b"\xff\xfe\x00")
@example(b"\x00" * 1000)
@example(b'{"owner": "\\ud800"}')
@example(b'{"epoch": 1, "step": 1, "seconds": NaN}\n')
def test_any_bytes(name: str, manager: Manager, target: Path, content: bytes) -> None:
    whole = (target / name).read_bytes()
    try:
        (target / name).write_bytes(content)
        look_at_all(manager, target)
    finally:
        (target / name).write_bytes(whole)


@FUZZ
@given(
    step=st.one_of(st.integers().map(str), st.floats().map(str), st.text(max_size=9)),
    names=st.sets(st.sampled_from(["step", "epoch", "seconds"])),
)
@example(step="9" * 400, names={"step"})
def test_any_words_in_a_snapshot(
    manager: Manager, target: Path, step: str, names: set[str]
) -> None:
    path = target / "live.safetensors"
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    header["__metadata__"] |= dict.fromkeys(names, step)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + length :])
    try:
        look_at_all(manager, target)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("text", [None, "{}"])
def test_a_snapshot_that_says_nothing_of_itself(
    manager: Manager, target: Path, text: str | None
) -> None:
    path = target / "live.safetensors"
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    header.pop("__metadata__") if text is None else header.update(__metadata__=json.loads(text))
    written = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(written)) + written + whole[8 + length :])
    assert RunHistory(target).snapshot() is None


# pages

NOTE = {"owner": hashed(ANNA), "state": "finished", "said": "", "title": "x", "estimate": None}
LINE = '{{"seconds": {}, "step": {}, "epoch": {}, "val_accuracy": {}, "test_accuracy": {}}}\n'


def note(**values: Any) -> bytes:
    return json.dumps(NOTE | {"created": 1.7e9} | values).encode()


def replaced(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def as_folder(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()

    return change


def as_link(name: str, target: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return change


def as_pipe(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return change


def sparse(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(3 * 1024**3)

    return change


def overflowing(folder: Path) -> None:
    """Every weight is a finite number, but no picture can be looked at with them."""
    path = folder / "epoch-002.safetensors"
    with safe_open(path, "np") as file:
        about = file.metadata()
    huge = {name: np.full_like(value, 3e38) for name, value in load_file(path).items()}
    save_file(huge, path, about)


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def locked_away(folder: Path) -> None:
    for path in folder.iterdir():
        path.chmod(0)
    folder.chmod(0)


def a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("a file in the place of a folder")


BIG = "1" + "0" * 399
DAMAGES: dict[str, Callable[[Path], None]] = {
    "created with 400 digits": replaced("status.json", note(created=10**399)),
    "created NaN": replaced("status.json", note(created=float("nan"))),
    "created 1e300": replaced("status.json", note(created=1e300)),
    "created before 1970": replaced("status.json", note(created=-1e12)),
    "estimate Infinity": replaced("status.json", note(estimate=float("inf"))),
    "half a letter": replaced("status.json", note(title="\ud800")),
    "NUL in the title": replaced("status.json", note(title="\0", said="\0")),
    "unknown state": replaced("status.json", note(state="dreaming")),
    "metrics of huge numbers": replaced(
        "metrics.jsonl", (LINE.format(1, 429, 1, BIG, BIG) * 2).encode()
    ),
    "metrics out of range": replaced(
        "metrics.jsonl", LINE.format(1, 429, 1, "1e300", "-7").encode()
    ),
    "metrics of words": replaced(
        "metrics.jsonl", LINE.format(1, 429, 1, '"much"', '["x"]').encode()
    ),
    "step too large": replaced("metrics.jsonl", LINE.format(1, BIG, 1, 0.5, 0.5).encode()),
    "metrics without an end": replaced("metrics.jsonl", b'{"epoch": ' + b"1" * 10_000_000),
    "settings of huge numbers": replaced(
        "config.json",
        json.dumps(
            {
                "preset": None,
                "threads": 1,
                "data": "",
                "command": "",
                "images": 2**53,
                "model": {"image_size": 2**40, "patch_size": 1, "embed_dim": 2**40, "num_heads": 1},
                "train": {"epochs": 2**50},
            }
        ).encode(),
    ),
    "settings of other types": replaced("config.json", b'{"preset": {}, "model": [], "train": 1}'),
    "hardest out of range": replaced(
        "hardest.json", b'[{"place": 999999, "truth": 77, "said": -1, "probability": 1e9}]'
    ),
    "hardest of words": replaced(
        "hardest.json", b'[{"place": "3", "truth": [], "said": {}, "probability": null}, 3, null]'
    ),
    "a model that is none": replaced("epoch-002.safetensors", b"\xff" * 100),
    "a model whose header is endless": replaced(
        "epoch-002.safetensors", struct.pack("<Q", 2**60) + b"{" * 100
    ),
    "a model whose numbers overflow": overflowing,
    "empty files": lambda folder: [path.write_bytes(b"") for path in folder.iterdir()] and None,
    "an empty folder": emptied,
    "a file in its place": a_file,
    "unreadable": locked_away,
    **{f"{name} is a folder": as_folder(name) for name in FILES},
    **{f"{name} has 3 GB": sparse(name) for name in FILES},
}
if os.name != "nt":  # where links need a right that few have, and there are no such pipes
    DAMAGES |= {f"{name} is a pipe": as_pipe(name) for name in FILES}
    DAMAGES |= {f"{name} is a dangling link": as_link(name, "/nowhere/at/all") for name in FILES}
    DAMAGES |= {f"{name} links to itself": as_link(name, name) for name in FILES[:4]}


@pytest.mark.parametrize("damage", DAMAGES)
def test_readers_bear_every_damage(damage: str, manager: Manager, sound: Path) -> None:
    folder = add(manager, sound)
    other = add(manager, sound)
    DAMAGES[damage](folder)
    look_at_all(manager, folder)
    assert manager.find(other.name).status == "finished"
    assert other.name in [run.id for run in manager.runs_of(ANNA)]
    assert manager.start("b" * 32, RunRequest(SMALL, TrainConfig(epochs=2))).is_active


# a page takes a second; the readers are tried with all
ON_PAGES = [
    damage
    for number, damage in enumerate(DAMAGES)
    if number < 24 or damage.startswith(("live", "epoch-002"))
]


@pytest.mark.parametrize("damage", ON_PAGES)
def test_pages_bear_every_damage(
    damage: str, manager: Manager, sound: Path, open_page: Callable[..., AppTest]
) -> None:
    folder = add(manager, sound)
    add(manager, sound)
    DAMAGES[damage](folder)
    pages = (("train", {}), ("home", {"source": "run"}), ("self-attention", {"source": "run"}))
    for address, params in pages if damage.startswith("a model") else pages[:2]:
        app = open_as_anna(open_page, address, run=folder.name, **params)
        check_drawn(app, address)


def check_drawn(app: AppTest, address: str) -> None:
    """Fail unless a page was drawn to what stands last on it."""
    assert not app.exception, app.exception[0].message
    if address == "train":
        assert app.expander[-1].label == load_texts("mistakes")["title"]
        assert app.subheader, "the last fold is open, and drawn"
        return
    if address == "home":
        assert app.main.expander[-1].label == load_texts("home")["score_title"]
    else:
        assert app.header[-1].value == load_texts("frame")["questions_title"]


def open_as_anna(open_page: Callable[..., AppTest], address: str, **params: str) -> AppTest:
    """Open a page as the visitor whose run is damaged."""
    app = open_page(address, **params)
    if not app.exception:
        app.session_state["visitor"] = ANNA
        for fold in ("inside", "hardest", "along", "compare", "mistakes"):
            app.session_state[f"train-fold-{fold}"] = True
        app.run()
    return app


def test_ten_damaged_runs_at_once(
    manager: Manager, sound: Path, open_page: Callable[..., AppTest]
) -> None:
    for damage in list(DAMAGES)[:20]:
        DAMAGES[damage](add(manager, sound))
    shown = add(manager, sound)
    for address in ("train", "home", "self-attention"):
        app = open_as_anna(open_page, address, run=shown.name)
        check_drawn(app, address)
