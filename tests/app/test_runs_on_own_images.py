"""Runs that keep their own images, and runs on other named data sets, from the start to the end."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fake_process import FakeProcess
from waiting import until

from explainer.training import Manager, RefusedError, Run, RunRequest, scheduler
from explainer.training.as_script import script_of
from explainer.training.command import command_of
from explainer.training.limits import MEGABYTE, load_limits
from explainer.views.train import most_wrong, of_data
from explainer.views.train.asked import asked_of
from explainer.views.train.of_data import of_run
from vit_core import TrainConfig, ViTConfig, build, load_checkpoint
from vit_core.data import ImageData, Split
from vit_core.data.kept import IMAGES, KEPT, OWN_PICTURES, OWN_SYMBOLS, kept_data, load_images
from vit_core.runs.snapshot import Snapshot, take_snapshot

NAMES = ("sun", "<b>rain</b>", "snow")
MODEL = ViTConfig(
    image_size=8, patch_size=4, embed_dim=8, depth=1, num_heads=1, num_classes=3, pool="mean"
)
TRAIN = TrainConfig(epochs=2, batch_size=8, optimizer="adamw", augment="none")
LIMITS = dataclasses.replace(load_limits(), runs_at_once=1, threads=1)


def symbols(
    count: int = 12, channels: int = 1, side: int = 8, name: str = OWN_SYMBOLS
) -> ImageData:
    """Return images whose class is how bright they are."""
    random = np.random.default_rng(0)
    parts = []
    for size in (count, 6, 6):
        labels = torch.arange(size) % 3
        noise = random.integers(0, 40, (size, channels, side, side), np.uint8)
        images = torch.from_numpy(noise) + (labels * 90).to(torch.uint8)[:, None, None, None]
        parts.append(Split(images, labels))
    return kept_data(name, NAMES, *parts)


REQUEST = RunRequest(MODEL, TRAIN, dataset=KEPT, images=symbols())


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Manager]]:
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    made: list[Manager] = []

    def make(**limits: Any) -> Manager:
        limited = dataclasses.replace(LIMITS, **limits)
        made.append(Manager(tmp_path / "runs", limited, FakeProcess, tmp_path / "recorded"))
        return made[-1]

    yield make
    for manager in made:
        manager.close()


def test_the_images_are_in_the_runs_folder_and_go_with_it(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("anna", REQUEST)
    config = run.history.config
    assert (config.dataset, config.images) == (KEPT, 12)
    assert (config.val_images, config.test_images) == (6, 6)
    assert load_images(run.history.path).info == REQUEST.images.info
    assert config.data == REQUEST.images.info.fingerprint and config.takes_pictures
    assert f"--dataset {IMAGES}" in config.command
    assert run.title == "Own symbols, 3 classes, 2 epochs"
    size = manager.store.size(run.id)
    assert size > 24 * 64
    FakeProcess.started[0].end_run()
    manager.delete("anna", run.id)
    assert not run.history.path.exists(), "nothing of a visitor's pictures stays"


def test_old_images_are_cleared_with_their_run(make: Callable[..., Manager], monkeypatch) -> None:
    manager = make()
    run = manager.start("anna", REQUEST)
    FakeProcess.started[0].end_run()
    manager.store.touch(run.id, manager._now() - (LIMITS.keep_hours + 1) * 3600)
    manager._clean_up()
    assert not run.history.path.exists()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"own_classes": 2}, "3 classes. On this server at most 2"),
        ({"own_pictures": 20}, "24 pictures or drawings. On this server at most 20"),
        ({"own_megabytes": 0}, "take 0 MB .* at most 0 MB"),
    ],
)
def test_more_than_a_server_takes_is_refused(
    make: Callable[..., Manager], limits: dict[str, int], message: str
) -> None:
    manager = make(**limits)
    with pytest.raises(RefusedError, match=message):
        manager.start("anna", REQUEST)
    assert manager.runs_of("anna") == [] and manager.store.ids() == []


def test_images_count_as_space_of_a_run(make: Callable[..., Manager]) -> None:
    large = symbols(600, 3, 32)
    model = dataclasses.replace(MODEL, image_size=32, in_channels=3)
    with pytest.raises(RefusedError, match="write 2 MB"):
        make(run_megabytes=1).limits.check(model, TRAIN, large)
    make(run_megabytes=3).limits.check(model, TRAIN, large)
    assert MEGABYTE < 600 * 3 * 32 * 32


def test_nothing_stays_where_the_images_cannot_be_written(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("explainer.training.manager.save_images", fail)
    manager = make()
    with pytest.raises(RefusedError, match="No space left"):
        manager.start("anna", REQUEST)
    assert manager.store.ids() == []


def test_what_is_measured_has_as_many_images(make: Callable[..., Manager]) -> None:
    manager = make()
    manager.warm_up()
    manager.estimate(MODEL, TRAIN, REQUEST.counts)
    manager.estimate(MODEL, TRAIN)
    FakeProcess.started[0].answer(event="measured", speed=None, message="Too large.")
    orders = [order for order in FakeProcess.started[0].commands if order["do"] == "measure"]
    assert orders[0]["images"] == [12, 6, 6]
    with pytest.raises(RefusedError, match="Too large"):
        manager.check(MODEL, TRAIN, REQUEST.images, REQUEST.counts)
    manager.check(MODEL, TRAIN)


def test_titles_name_the_data_and_the_weights_at_the_start(make: Callable[..., Manager]) -> None:
    manager = make(queue=9)
    fine = dataclasses.replace(REQUEST, init="fast")
    clothes = RunRequest(MODEL, TRAIN, dataset="fashion-mnist", limit_per_class=30)
    started = [manager.start(f"visitor {at}", one) for at, one in enumerate((fine, clothes))]
    assert started[0].title == "Own symbols, 3 classes, 2 epochs, fine-tuned"
    assert started[1].title == "Fashion-MNIST, Own, 2 epochs"
    config = started[1].history.config
    assert (config.images, config.limit_per_class, config.data) == (90, 30, "")
    assert "--dataset fashion-mnist --limit-per-class 30" in config.command
    assert "--init fast" in started[0].history.config.command


# --- with a real process


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    manager = Manager(tmp_path_factory.mktemp("runs"), LIMITS)
    manager.warm_up()
    yield manager
    manager.close()


@pytest.fixture(scope="module")
def finished(manager: Manager) -> Run:
    run = manager.start("anna", REQUEST)
    until(lambda: not manager.find(run.id).is_active)
    return manager.find(run.id)


def test_a_run_on_own_images_to_its_end(finished: Run) -> None:
    assert finished.status == "finished", finished.message
    assert finished.history.epochs() == (0, 1, 2)
    assert finished.history.total_steps == 2 == finished.history.metrics()[-1]["step"]
    checkpoint = load_checkpoint(finished.history.checkpoint())
    assert checkpoint.data == REQUEST.images.info
    assert checkpoint.pictures is not None and len(checkpoint.pictures.labels) == 6
    assert f"--dataset path/to/{IMAGES}" in command_of(checkpoint)


def test_the_pages_speak_of_its_own_images(finished: Run) -> None:
    data = of_run(finished)
    assert (data.name, data.class_names, data.counts) == (OWN_SYMBOLS, NAMES, (12, 6, 6))
    assert data.texts["charts"]["train"] == "training drawings"
    snapshot = finished.history.snapshot()
    asked = asked_of(finished, snapshot)
    val = REQUEST.images.val
    assert torch.equal(asked.images[0], val.images[6 % 6]) and len(asked) == 16
    assert torch.equal(asked_of(finished, None).images, asked.images)


def test_its_hardest_images_are_its_own(finished: Run) -> None:
    assert most_wrong.has_hardest(finished)
    found = most_wrong.hardest_of(finished)
    test = REQUEST.images.test
    assert len(found) == 6
    for hard in found:
        assert np.array_equal(hard.pixels, test.images[hard.example.index, 0].numpy())
        assert hard.example.label == int(test.labels[hard.example.index])


def test_its_script_reads_the_images_that_the_page_hands_out(finished: Run) -> None:
    text = script_of(finished.history.config, finished.history.test_accuracy)
    assert f'IMAGES = "{IMAGES}"' in text and "read_images(Path(IMAGES))" in text
    assert "put that file beside this script" in text
    assert max(map(len, text.splitlines())) <= 100
    compile(text, "script", "exec")


def test_a_resumed_run_uses_its_own_images(manager: Manager, finished: Run) -> None:
    long = dataclasses.replace(TRAIN, epochs=60, repeats=300)
    run = manager.start("ben", dataclasses.replace(REQUEST, train=long))
    until(lambda: 1 in run.history.epochs() and (run.history.path / "state.safetensors").exists())
    manager.stop("ben", run.id)
    until(lambda: not manager.find(run.id).is_active)
    if manager.find(run.id).status == "finished":
        return  # on a very fast machine
    (run.history.path / IMAGES).rename(run.history.path / "elsewhere")
    manager.resume("ben", run.id)
    until(lambda: not manager.find(run.id).is_active)
    found = manager.find(run.id)
    assert found.status == "failed" and "images are gone" in found.message
    assert str(run.history.path) not in found.message
    (run.history.path / "elsewhere").rename(run.history.path / IMAGES)
    manager.resume("ben", run.id)
    until(lambda: len(run.history.epochs()) > 3)
    manager.stop("ben", run.id)
    until(lambda: not manager.find(run.id).is_active)


def test_a_run_fine_tunes_the_model_of_another(manager: Manager, finished: Run) -> None:
    init = str(finished.history.checkpoint())
    run = manager.start("cem", dataclasses.replace(REQUEST, init=init))
    until(lambda: not manager.find(run.id).is_active)
    assert manager.find(run.id).status == "finished"
    assert f"{MODEL.num_parameters:,} weights are copied." in run.history.config.taken
    theirs = load_checkpoint(finished.history.checkpoint()).model.state_dict()
    checkpoint = load_checkpoint(run.history.checkpoint(0))
    assert all(value.equal(theirs[key]) for key, value in checkpoint.model.state_dict().items())
    assert checkpoint.init == "checkpoint"
    assert str(finished.history.path).encode() not in run.history.checkpoint(0).read_bytes()
    assert "--init path/to/checkpoint.safetensors" in command_of(checkpoint)


def test_weights_that_are_gone_are_said_without_the_servers_folders(
    manager: Manager, tmp_path: Path
) -> None:
    init = tmp_path / "gone.safetensors"
    run = manager.start("dan", dataclasses.replace(REQUEST, init=str(init)))
    until(lambda: not manager.find(run.id).is_active)
    found = manager.find(run.id)
    assert found.status == "failed" and "weights to start from" in found.message
    assert "gone.safetensors" in found.message and str(tmp_path) not in found.message


def test_strangers_images_are_one_sentence_or_nothing(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("anna", dataclasses.replace(REQUEST, images=symbols(name=OWN_PICTURES)))
    path = run.history.path / IMAGES
    assert of_run(run).name == OWN_PICTURES
    whole = path.read_bytes()
    for content in (b"", b"nothing", whole[:-20], (10**9).to_bytes(8, "little") + whole[8:]):
        path.write_bytes(content)
        data = of_run(run)
        assert data.name == of_data.OTHER and len(data.class_names) == 3
        assert len(asked_of(run, None)) == 0
    model = dataclasses.replace(MODEL, num_classes=4)
    config = json.loads((run.history.path / "config.json").read_text())
    (run.history.path / "config.json").write_text(
        json.dumps(config | {"model": model.to_dict(), "limit_per_class": None})
    )
    path.write_bytes(whole)
    fresh = Run(run.id, type(run.history)(run.history.path), "finished")
    assert of_run(fresh).class_names == ("0", "1", "2", "3"), "names for another number of classes"


def test_a_snapshot_has_the_pictures_that_were_asked(tmp_path: Path) -> None:
    images = REQUEST.images
    taken, _ = take_snapshot(build(MODEL), images, step=0, epoch=0, seconds=0.0)
    taken.save(tmp_path)
    found = Snapshot.load(tmp_path)
    assert found is not None and found.images is not None and found.labels is not None
    assert found.images.shape == (16, 1, 8, 8)
    assert np.array_equal(found.labels, images.val.labels[[at % 6 for at in range(16)]].numpy())
