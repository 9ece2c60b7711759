"""Reading a run directory while it is written, after damage, and its snapshot."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from training_data import QUICK, TINY, small_mnist

from vit_core import build, trace
from vit_core.data import normalize
from vit_core.runs import history as history_module
from vit_core.runs.directory import RunConfig, RunDirectory, RunError
from vit_core.runs.history import RunHistory
from vit_core.runs.recorder import Cadence, Recorder
from vit_core.runs.snapshot import SAMPLE, STRIP_INDICES, TEST, VALIDATION, Snapshot, take_snapshot
from vit_core.training.evaluation import hardest_images
from vit_core.training.events import EpochEnd, StepEnd
from vit_core.training.hard_example import HardExample

WATCHED = Cadence(steps=None, seconds=0.0, snapshot_seconds=0.0)


def begin(path: Path, cadence: Cadence = WATCHED) -> Recorder:
    config = RunConfig("fast", TINY, QUICK, 1, small_mnist().info.fingerprint, "a command")
    return Recorder(RunDirectory.create(path, config), small_mnist(), cadence)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs that was watched, for all tests."""
    path = tmp_path_factory.mktemp("watched") / "run"
    recorder = begin(path)
    list(recorder.events())
    recorder.run.close()
    return path


@pytest.fixture
def run(watched: Path, tmp_path: Path) -> RunHistory:
    """That run, for one test to damage."""
    return RunHistory(shutil.copytree(watched, tmp_path / "run"))


def test_what_a_watched_run_writes(run: RunHistory) -> None:
    lines = run.metrics()
    steps = [line for line in lines if line.get("lr") is not None]
    samples = [line for line in lines if "sample_loss" in line]
    whole = [line for line in lines if line.get("val_accuracy") is not None]
    assert [line["step"] for line in steps] == list(range(1, 11))
    assert [line["step"] for line in samples][:2] == [0, 1], "the untrained model comes first"
    assert [line["epoch"] for line in whole] == [1, 2, 2]
    assert lines[-1]["test_accuracy"] == run.test_accuracy
    assert all(0 <= line["train_accuracy"] <= 1 for line in steps)
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)
    assert run.seconds == seconds[-1]
    assert run.epochs() == (0, 1, 2)
    assert run.epoch_line(1) == whole[0]
    assert run.epoch_line(3) is None
    assert run.config.model == TINY


def test_lines_by_time_do_not_keep_the_first_step_back(tmp_path: Path) -> None:
    recorder = begin(tmp_path / "run", Cadence(steps=None, seconds=3600.0))
    list(recorder.events())
    steps = [line["step"] for line in recorder.run.metrics() if "lr" in line]
    assert steps == [1]
    recorder.run.close()


def test_a_pause_does_not_count(tmp_path: Path) -> None:
    recorder = begin(tmp_path / "run")
    before = recorder.seconds
    recorder.leave_out(1000.0)
    assert recorder.seconds < before - 999
    recorder.run.close()


def test_a_run_is_read_while_it_is_written(tmp_path: Path) -> None:
    recorder = begin(tmp_path / "run")
    history = RunHistory(tmp_path / "run")
    seen = []
    for event in recorder.events():
        if isinstance(event, StepEnd):
            lines = history.metrics()
            assert max(line["step"] for line in lines) == event.step
            assert lines[: len(seen)] == seen, "what was read stays"
            seen = lines
            assert history.snapshot().step == event.step
        if isinstance(event, EpochEnd):
            assert event.epoch in history.epochs()
    recorder.run.close()


def test_a_line_that_is_being_written_waits(run: RunHistory) -> None:
    count = len(run.metrics())
    path = run.path / "metrics.jsonl"
    text = json.dumps({"seconds": 9.0, "step": 99, "epoch": 9})
    with path.open("a") as file:
        file.write(text[:10])
    assert len(run.metrics()) == count
    with path.open("a") as file:
        file.write(text[10:] + "\n")
    assert run.metrics()[-1]["step"] == 99


def test_only_what_is_new_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that was read before, only the last line is looked at again."""
    read: list[int] = []

    class Counting:
        def __init__(self, file) -> None:
            self.file = file

        def __enter__(self) -> "Counting":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def __getattr__(self, name: str) -> object:
            method = getattr(self.file, name)

            def counted(*args: int) -> object:
                result = method(*args)
                read.append(len(result) if isinstance(result, bytes) else 0)
                return result

            return counted

    real = history_module.open_metrics
    monkeypatch.setattr(history_module, "open_metrics", lambda folder: Counting(real(folder)))
    path, run = tmp_path / "metrics.jsonl", RunHistory(tmp_path)
    path.write_bytes(b"".join(text_of(step) for step in range(100)))
    first = run.metrics_since(None)
    assert len(first.lines) == 100 and first.replaces
    assert sum(read) == path.stat().st_size
    read.clear()
    with path.open("ab") as file:
        file.write(text_of(100) + text_of(101))
    second = run.metrics_since(first.mark)
    assert [line["step"] for line in second.lines] == [100, 101] and not second.replaces
    assert sum(read) == 3 * len(text_of(100))
    read.clear()
    third = run.metrics_since(second.mark)
    assert (third.lines, third.replaces) == ([], False)
    assert sum(read) == len(text_of(100))


@pytest.mark.parametrize("count", [1, 5, 9], ids=["shorter", "as long", "longer"])
def test_a_file_with_other_lines_is_read_from_the_start(tmp_path: Path, count: int) -> None:
    """A new file may get the inode of one that was read and then deleted."""
    path, run = tmp_path / "metrics.jsonl", RunHistory(tmp_path)
    path.write_bytes(b"".join(text_of(step) for step in range(5)))
    mark = run.metrics_since(None).mark
    inode = path.stat().st_ino
    path.write_bytes(b"".join(text_of(step) for step in range(50, 50 + count)))
    assert path.stat().st_ino == inode
    update = run.metrics_since(mark)
    assert [line["step"] for line in update.lines] == list(range(50, 50 + count))
    assert update.replaces and run.metrics() == update.lines


def test_two_readers_of_one_history_each_get_all_lines(tmp_path: Path) -> None:
    path, run = tmp_path / "metrics.jsonl", RunHistory(tmp_path)
    path.write_bytes(text_of(1))
    slow = run.metrics_since(None)
    with path.open("ab") as file:
        file.write(text_of(2))
    quick = run.metrics_since(slow.mark)
    with path.open("ab") as file:
        file.write(text_of(3) + b"damaged\n" + text_of(4))
    assert [line["step"] for line in run.metrics_since(quick.mark).lines] == [3]
    assert [line["step"] for line in run.metrics_since(slow.mark).lines] == [2, 3]


def text_of(step: int) -> bytes:
    return b'{"seconds": 1.5, "step": %3d, "epoch": 1}\n' % step


def test_a_resumed_run_is_read_anew(run: RunHistory) -> None:
    assert run.metrics()[-1]["epoch"] == 2
    directory = RunDirectory.open(run.path)
    directory.keep_metrics_up_to(1)
    directory.close()
    assert {line["epoch"] for line in run.metrics()} == {0, 1}


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b"null\n",
        b'{"epoch": 1}\n',
        b'{"epoch": "1", "step": 1, "seconds": 1}\n',
        b'{"epoch": 1, "step": null, "seconds": 1}\n',
    ],
)
def test_damaged_metrics_end_where_the_damage_begins(run: RunHistory, damage: bytes) -> None:
    path = run.path / "metrics.jsonl"
    first, second, *_ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + damage + second)
    fresh = RunHistory(run.path).metrics()
    assert fresh[0] == json.loads(first)
    assert len(fresh) == (1 if damage else 2)


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = RunHistory(tmp_path / "none")
    assert (gone.metrics(), gone.epochs(), gone.snapshot(), gone.hardest()) == ([], (), None, [])
    assert gone.test_accuracy is None
    assert gone.seconds == 0.0
    with pytest.raises(RunError, match="holds no run"):
        _ = gone.config


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"preset": 3}', "[" * 100_000])
def test_damaged_settings_are_one_sentence(run: RunHistory, damage: str) -> None:
    (run.path / "config.json").write_text(damage)
    with pytest.raises(RunError, match="is damaged") as caught:
        _ = RunHistory(run.path).config
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("damage", [b"", b"nothing", b"\xff" * 64])
def test_a_damaged_snapshot_is_none(run: RunHistory, damage: bytes) -> None:
    (run.path / "live.safetensors").write_bytes(damage)
    assert RunHistory(run.path).snapshot() is None


def test_a_snapshot_is_of_the_very_model(tmp_path: Path) -> None:
    data, model = small_mnist(), build(TINY, seed=3)
    model.train()
    snapshot, found = take_snapshot(model, data, step=7, epoch=2, seconds=1.5)
    assert model.training, "its mode is restored"
    model.eval()
    # validation images: the test images are for the one last report
    count = len(data.val)
    strip = normalize(data.val.images[[place % count for place in STRIP_INDICES]], data.info)
    seen = trace(model, strip)
    np.testing.assert_allclose(snapshot.logits, seen.logits.numpy(), atol=1e-5)
    np.testing.assert_array_equal(snapshot.filters, model.patch_embed.proj.weight.detach())
    for block in range(TINY.depth):
        pattern = seen[f"blocks.{block}.attn.pattern"][0].numpy()
        np.testing.assert_allclose(snapshot.pattern[block], pattern, atol=1e-3)
    said = model(normalize(data.val.images[:SAMPLE], data.info)).argmax(dim=1)
    right = (said == data.val.labels[:SAMPLE]).sum()
    assert snapshot.confusion.sum() == len(data.val.labels[:SAMPLE])
    assert snapshot.confusion.trace() == right
    assert found.accuracy == pytest.approx(right.item() / len(said))
    snapshot.save(tmp_path)
    read = Snapshot.load(tmp_path)
    for field in dataclasses.fields(Snapshot):
        np.testing.assert_array_equal(getattr(read, field.name), getattr(snapshot, field.name))


def test_watching_does_not_change_the_run(tmp_path: Path) -> None:
    watched, unwatched = begin(tmp_path / "one"), begin(tmp_path / "two", Cadence())
    for recorder in (watched, unwatched):
        list(recorder.events())
        recorder.run.close()
    pairs = zip(
        watched.training.tensors().items(), unwatched.training.tensors().items(), strict=True
    )
    assert all(name == other and torch.equal(a, b) for (name, a), (other, b) in pairs)


def test_hardest_digits_are_written_and_right(run: RunHistory) -> None:
    found = run.hardest()
    data = small_mnist()
    assert found[0] == min(found, key=lambda one: one.probability)
    assert [one.probability for one in found] == sorted(one.probability for one in found)
    assert len(found) == 24
    assert all(one.label == data.test.labels[one.index] for one in found)


def test_hardest_images_against_a_loop() -> None:
    data, model = small_mnist(), build(TINY, seed=1).eval()
    expected = []
    with torch.no_grad():
        for index in range(len(data.test)):
            image = normalize(data.test.images[index : index + 1], data.info)
            shares = model(image).softmax(dim=1)[0]
            label = int(data.test.labels[index])
            expected.append(HardExample(index, label, int(shares.argmax()), float(shares[label])))
    expected.sort(key=lambda one: one.probability)
    found = hardest_images(model, data.test, data.info, count=5, batch_size=7)
    assert [one.index for one in found] == [one.index for one in expected[:5]]
    for one, other in zip(found, expected, strict=False):
        assert (one.label, one.predicted) == (other.label, other.predicted)
        assert one.probability == pytest.approx(other.probability, abs=1e-6)


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '[{"place": 1}]', "[" * 100_000])
def test_damaged_hardest_digits_are_none(run: RunHistory, damage: str) -> None:
    (run.path / "hardest.json").write_text(damage)
    assert run.hardest() == []


def test_an_earlier_snapshot_is_known_to_ask_test_digits(tmp_path: Path) -> None:
    snapshot, _ = take_snapshot(build(TINY, seed=3), small_mnist(), step=7, epoch=2, seconds=1.5)
    assert snapshot.part == VALIDATION
    snapshot.save(tmp_path)
    path = tmp_path / "live.safetensors"
    with safetensors.safe_open(path, framework="np") as file:
        numbers, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    assert numbers.pop("part") == VALIDATION
    safetensors.numpy.save_file(tensors, path, numbers)
    assert Snapshot.load(tmp_path).part == TEST


def test_half_written_files_go_when_a_run_is_taken_up(tmp_path: Path) -> None:
    """What a process that was killed left; files of others stay."""
    recorder = begin(tmp_path / "run")
    recorder.run.close()
    left = (".epoch-001.safetensors.k3j_x9ab", ".state.safetensors.abcdefgh", ".live.safetensors")
    others = ("epoch-001.safetensors.bak", ".epoch-001.safetensors.my-copy", "notes.txt")
    for name in (*left, *others):
        (tmp_path / "run" / name).write_text("half")
    (tmp_path / "run" / ".final.safetensors.abcdefgh").mkdir()
    Recorder(RunDirectory.open(tmp_path / "run"), small_mnist(), WATCHED).run.close()
    assert not any((tmp_path / "run" / name).exists() for name in left)
    assert all((tmp_path / "run" / name).read_text() == "half" for name in others)
    assert (tmp_path / "run" / ".final.safetensors.abcdefgh").is_dir()


@pytest.mark.parametrize(
    "one",
    [
        {"place": -1}, {"place": 1.5}, {"place": True}, {"truth": "3"}, {"said": None},
        {"probability": 2.0}, {"probability": "0.1"}, {"more": 1},
    ],
)  # fmt: skip
def test_hardest_digits_with_other_numbers_are_left_out(run: RunHistory, one: dict) -> None:
    sound = {"place": 1, "truth": 2, "said": 3, "probability": 0.1}
    found = [sound, sound | one]
    (run.path / "hardest.json").write_text(json.dumps(found))
    assert run.hardest() == [HardExample(1, 2, 3, 0.1)]


@pytest.mark.parametrize(
    "tensors",
    [
        {"other": torch.zeros(2, 1, 4, 4, dtype=torch.uint8)},
        {"images": torch.zeros(2, 1, 4, 4)},
        {"images": torch.zeros(2, 4, 4, dtype=torch.uint8)},
        {"images": torch.zeros(2, 2, 4, 4, dtype=torch.uint8)},
        {"images": torch.zeros(0, 1, 4, 4, dtype=torch.uint8)},
        {"images": torch.zeros(1, 3, 1_000, 1_000, dtype=torch.uint8)},
    ],
)
def test_hardest_pictures_of_a_stranger_are_none(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    history = RunHistory(tmp_path)
    assert history.hardest_pictures() is None
    (tmp_path / "hardest.safetensors").write_bytes(b"nothing")
    assert history.hardest_pictures() is None
    safetensors.torch.save_file(tensors, tmp_path / "hardest.safetensors")
    assert history.hardest_pictures() is None
    good = {"images": torch.zeros(2, 3, 4, 4, dtype=torch.uint8)}
    safetensors.torch.save_file(good, tmp_path / "hardest.safetensors")
    assert history.hardest_pictures() is not None
