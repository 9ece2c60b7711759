"""What the worker says of faults, and what a full disk leaves behind."""

import errno
import io
import json
from pathlib import Path

import pytest
import torch
from training_data import QUICK, TINY, small_mnist

import vit_core.runs.directory
import vit_core.training.loop
from vit_core import load_checkpoint
from vit_core.data import ImageData
from vit_core.runs.directory import RunConfig, RunDirectory, RunError, read_config
from vit_core.runs.recorder import Cadence, Recorder
from vit_core.runs.worker import Worker, main, sentence
from vit_core.training.events import TrainingDivergedError
from vit_core.training.measure_speed import stand_in

NO_MEMORY = "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: 9 bytes"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "The disk is full"),
        (OSError(errno.EACCES, "Permission denied"), "its files: Permission denied."),
        (MemoryError(), "needed more memory than it may have"),
        (RuntimeError(NO_MEMORY), "needed more memory than it may have"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), "needed more memory than it may"),
        (TrainingDivergedError("the loss became nan in step 3"), "The loss became nan in step 3."),
        (RunError("config.json is damaged"), "The run cannot go on: config.json is damaged."),
        (KeyError("x"), "The training ended with an error: KeyError: 'x'"),
    ],
)
def test_every_fault_is_one_sentence(error: Exception, said: str) -> None:
    assert said in sentence(error)
    assert "\n" not in sentence(error)


def record(path: Path) -> Recorder:
    return Recorder(RunDirectory.open(path), small_mnist(), Cadence())


def test_a_disk_that_gets_full_leaves_the_whole_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RunConfig(None, TINY, QUICK, 1, small_mnist().info.fingerprint, "")
    for name in ("full", "roomy"):
        RunDirectory.create(tmp_path / name, config).close()
    roomy = record(tmp_path / "roomy")
    list(roomy.events())
    roomy.run.close()

    write = vit_core.runs.directory.write_atomically

    def fill(path: Path, content: bytes) -> None:
        saved = path.parent / "epoch-002.safetensors"
        if path.name == "state.safetensors" and saved.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    full = record(tmp_path / "full")
    with monkeypatch.context() as patched:
        patched.setattr(vit_core.runs.directory, "write_atomically", fill)
        with pytest.raises(OSError, match="No space left"):
            list(full.events())
    full.run.close()

    again = record(tmp_path / "full")
    assert again.training.epoch == 1, "what was written last does not count, and is taken again"
    list(again.events())
    again.run.close()
    ended, expected = (
        load_checkpoint(tmp_path / name / "final.safetensors").model.state_dict()
        for name in ("full", "roomy")
    )
    assert all(torch.equal(ended[key], expected[key]) for key in expected)


def said_by(orders: list[dict], monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Return what a worker answers to orders, which it carries out in this very thread."""
    monkeypatch.setattr("vit_core.runs.worker.packed_mnist", small_mnist)
    answers = io.StringIO()
    worker = Worker(io.StringIO(), answers)
    for order in orders:
        {"run": lambda o: worker.run(Path(o["path"]), 1), "measure": worker.measure}[order["do"]](
            order
        )
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_a_run_that_is_gone_is_said_without_the_servers_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (answer,) = said_by([{"do": "run", "path": str(tmp_path / "gone")}], monkeypatch)
    assert answer["state"] == "failed"
    assert "holds no run" in answer["message"]
    assert str(tmp_path) not in answer["message"]


def test_a_measured_speed_and_one_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"model": TINY.to_dict(), "train": QUICK.to_dict(), "threads": 1}
    wrong = settings | {"model": TINY.to_dict() | {"image_size": 14}}
    found, refused = said_by(
        [{"do": "measure", **settings}, {"do": "measure", **wrong}], monkeypatch
    )
    assert found["speed"]["images_per_second"] > 0 and found["message"] == ""
    assert refused["speed"] is None and "do not fit" in refused["message"]


@pytest.fixture
def small_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of a run that has just been made, of which little data are known."""
    monkeypatch.setattr("vit_core.runs.worker.packed_mnist", small_mnist)
    config = RunConfig(None, TINY, QUICK, 1, small_mnist().info.fingerprint, "")
    RunDirectory.create(tmp_path / "run", config).close()
    return tmp_path / "run"


def test_it_trains_and_measures_on_its_device(
    small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No GPU is needed: what would be put there stays on the processor."""
    seen: list[torch.device] = []

    def stay(data: ImageData, device: torch.device) -> ImageData:
        seen.append(device)
        return data

    monkeypatch.setattr(ImageData, "to", stay)
    monkeypatch.setattr(
        "vit_core.runs.worker.stand_in",
        lambda model, counts, device: seen.append(device) or stand_in(model, counts),
    )
    answers = io.StringIO()
    worker = Worker(io.StringIO(), answers, "cuda")
    worker.run(small_run, 1)
    settings = {"model": TINY.to_dict(), "train": QUICK.to_dict(), "threads": 1}
    worker.measure(settings | {"images": [64, 16, 16]})
    assert seen == [torch.device("cuda")] * 2
    first, ended, found = map(json.loads, answers.getvalue().splitlines())
    assert (first["event"], ended["state"]) == ("first_point", "finished")
    assert found["speed"]["images_per_second"] > 0


@pytest.mark.parametrize(
    ("options", "is_there", "device"),
    [([], True, "cpu"), (["--device", "auto"], True, "cuda"), (["--device", "auto"], False, "cpu")],
)
def test_it_takes_a_gpu_only_where_it_may_and_there_is_one(
    options: list[str], is_there: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: is_there)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr("torch.cuda.set_device", lambda index: None)
    for name in ("lower_priority", "be_ended_first", "packed_mnist"):
        monkeypatch.setattr(f"vit_core.runs.worker.{name}", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["worker", *options])
    monkeypatch.setattr(Worker, "listen", lambda self: None)
    made: list[Worker] = []
    monkeypatch.setattr(Worker, "work", lambda self: made.append(self))
    main()
    assert [worker.device.type for worker in made] == [device]


class Orders:
    """Gives a worker one order when it has answered something else, and takes its answers."""

    def __init__(self) -> None:
        self.worker = Worker(self, self)
        self.answers: list[dict] = []
        self.given: dict[str, str] = {}  # answer → order

    def write(self, line: str) -> None:
        answer = json.loads(line)
        self.answers.append(answer)
        if order := self.given.get(answer["event"]):
            self.give(order)

    def flush(self) -> None:
        pass

    def give(self, order: str) -> None:
        """Carry an order out as ``listen`` does, which ends the process after the last one."""
        self.worker.take({"do": order})


def test_a_stop_waits_for_no_evaluation(small_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All validation images take longer than a step; the epoch that they belong to is not kept."""
    orders = Orders()
    real, ended = vit_core.training.loop.evaluate, []

    def evaluate(*arguments: object, **named: object) -> object:
        orders.give("stop")
        found = real(*arguments, **named)
        ended.append(found)
        return found

    monkeypatch.setattr("vit_core.training.loop.evaluate", evaluate)
    orders.worker.run(small_run, 1)
    ended_early = {"event": "ended", "state": "stopped", "message": ""}
    assert orders.answers == [{"event": "first_point"}, ended_early]
    assert not ended
    assert not (small_run / "epoch-001.safetensors").exists()
    RunDirectory.open(small_run).close()  # it is free again


def test_paused_stopped_and_resumed_to_the_same_result(small_run: Path) -> None:
    whole = small_run.with_name("whole")
    RunDirectory.create(whole, read_config(small_run)).close()
    Orders().worker.run(whole, 1)
    orders = Orders()
    orders.given = {"paused": "stop"}
    orders.give("pause")
    orders.worker.run(small_run, 1)
    assert [answer["event"] for answer in orders.answers] == ["first_point", "paused", "ended"]
    assert orders.answers[-1]["state"] == "stopped"
    orders = Orders()
    orders.given = {"paused": "go on"}
    orders.give("pause")
    orders.worker.run(small_run, 1)
    expected_events = ["first_point", "paused", "going on", "ended"]
    assert [answer["event"] for answer in orders.answers] == expected_events
    assert orders.answers[-1]["state"] == "finished"
    ended, expected = (
        load_checkpoint(path / "final.safetensors").model.state_dict()
        for path in (small_run, whole)
    )
    assert all(torch.equal(ended[key], expected[key]) for key in expected)
