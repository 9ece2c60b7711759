"""Images that are read while they are used: the same pictures in the same order."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from folder_data import CLASSES, make_folder

from vit_core import TrainConfig, ViTConfig, build
from vit_core.data import ImageData
from vit_core.data.file_list import list_files
from vit_core.data.image_folder import held_out_mask, read_folder
from vit_core.data.random_view import RandomView
from vit_core.data.skipped import Skipped, TooManySkippedError
from vit_core.data.streaming import MOST_TRIES, BatchRequest, ReaderLostError, StreamedSplit
from vit_core.training.evaluation import evaluate, hardest_images
from vit_core.training.events import EpochEnd, StepEnd
from vit_core.training.loop import Training, fit

SHAPE = ViTConfig(
    image_size=8, in_channels=3, num_classes=3, patch_size=4, embed_dim=12, depth=1, num_heads=2
)
QUICK = TrainConfig(epochs=2, batch_size=16, augment="shift", flip=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("images") / "pets", {"train": 30, "test": 6})


def streamed(folder: Path, workers: int = 0) -> ImageData:
    return read_folder(folder, 8, memory=0, workers=workers)


def losses(data: ImageData, config: TrainConfig) -> list[float]:
    return [e.train_loss for e in fit(build(SHAPE), data, config) if isinstance(e, StepEnd)]


def test_what_does_not_fit_in_the_memory_given_is_streamed(folder: Path) -> None:
    count = 3 * 30 + 3 * 6
    enough = count * 3 * 8 * 8 / 1e9
    assert not isinstance(read_folder(folder, 8, memory=enough).train, StreamedSplit)
    assert isinstance(read_folder(folder, 8, memory=0.99 * enough).train, StreamedSplit)


@pytest.mark.parametrize("workers", [0, 2])
def test_streamed_images_are_those_that_memory_would_hold(folder: Path, workers: int) -> None:
    kept, read = read_folder(folder, 8), streamed(folder, workers)
    assert read.info.class_names == kept.info.class_names
    assert read.info.mean == pytest.approx(kept.info.mean, abs=0.01)
    for one, other in ((kept.train, read.train), (kept.val, read.val), (kept.test, read.test)):
        assert other.image_shape == one.image_shape
        assert torch.equal(other.labels, one.labels)
    batches = list(read.test.in_order(5))
    assert [len(batch.indices) for batch in batches] == [5, 5, 5, 3]
    assert torch.equal(torch.cat([batch.images for batch in batches]), kept.test.images)
    shared = [list(read.test.in_order(5, part, 2)) for part in range(2)]
    assert [[b.indices[0].item() for b in part] for part in shared] == [[0, 10], [5, 15]]
    assert torch.equal(read.test.at([7, 2]), kept.test.images[[7, 2]])
    assert torch.equal(read.test.first(4).images, kept.test.first(4).images)


def test_a_streamed_run_is_the_run_in_memory(folder: Path) -> None:
    kept, read = read_folder(folder, 8), streamed(folder)
    read = ImageData(read.train, read.val, read.test, kept.info)  # the mean of all, not of a sample
    first, second = (list(fit(build(SHAPE), data, QUICK)) for data in (kept, read))
    assert [getattr(e, "train_loss", None) for e in first] == [
        getattr(e, "train_loss", None) for e in second
    ]
    assert first[-1].test.loss == second[-1].test.loss
    model = build(SHAPE).eval()
    assert evaluate(model, read.test, kept.info).loss == evaluate(model, kept.test, kept.info).loss
    hard = [hardest_images(model, data.test, kept.info, 4) for data in (kept, read)]
    assert hard[0] == hard[1]


def test_crops_and_randaugment_depend_on_seed_epoch_and_place_alone(folder: Path) -> None:
    config = TrainConfig(epochs=3, batch_size=16, augment="crop", randaugment=9, flip=True)
    alone, helped = losses(streamed(folder), config), losses(streamed(folder, 2), config)
    assert alone == helped
    training = Training(build(SHAPE), streamed(folder), config)
    other = Training(build(SHAPE, seed=9), streamed(folder), config)
    for event in training.events():
        if isinstance(event, EpochEnd):
            break
    other.load({key: value.clone() for key, value in training.tensors().items()}, epoch=1)
    resumed = [event.train_loss for event in other.events() if isinstance(event, StepEnd)]
    assert resumed == alone[-len(resumed) :]


def test_views_differ_between_epochs_and_a_plain_one_is_the_middle(folder: Path) -> None:
    train = streamed(folder).train
    assert isinstance(train, StreamedSplit)
    ask = [BatchRequest([3, 4, 3], is_clean=False), BatchRequest([3], is_clean=True)]
    config = TrainConfig(augment="crop", randaugment=5)
    first, second = (
        list(train.load(iter(ask), RandomView.for_epoch(config, seed))) for seed in (1, 2)
    )
    assert torch.equal(first[0].images[0], first[0].images[2]), "one place, one epoch, one view"
    assert not torch.equal(first[0].images[0], second[0].images[0])
    assert torch.equal(first[1].images, train.at([3]))


def test_the_callers_random_state_stays(folder: Path) -> None:
    config = TrainConfig(epochs=1, batch_size=16, augment="crop", randaugment=9)
    before = torch.get_rng_state()
    losses(streamed(folder), config)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("workers", [0, 1])
def test_the_next_whole_image_stands_for_a_bad_one(tmp_path: Path, workers: int) -> None:
    root = make_folder(tmp_path / "pets", {"train": 12, "test": 4})
    for name in ("0001.png", "0003.png"):
        (root / "test" / "dog" / name).write_bytes(b"no image")
    data = streamed(root, workers)
    (batch,) = data.test.in_order(50)
    assert batch.indices.tolist() == [0, 1, 2, 3, 4, 6, 6, 8, 8, 9, 10, 11]
    assert data.test.labels[batch.indices].tolist() == [0] * 4 + [1] * 3 + [2] * 5
    assert len(data.skipped) == 2 and "dog/0001.png" in str(data.skipped)
    result = evaluate(build(SHAPE), data.test, data.info)
    assert result.confusion.sum() == 12


def test_too_many_bad_files_end_the_reading(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "pets", {"train": 30, "test": 2})
    data = streamed(root)
    for file in (root / "train" / "dog").iterdir():
        file.write_bytes(b"no image")
    with pytest.raises(TooManySkippedError, match="more than 10 files"):
        losses(data, QUICK)


def test_a_long_row_of_bad_files_ends_the_reading(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": MOST_TRIES}, ("a", "b"))
    for file in (root / "train" / "a").iterdir():
        file.write_bytes(b"no image")
    files, _ = list_files(root / "train", ("a", "b"))
    split = StreamedSplit(files, (3, 8, 8), Skipped(10**6), workers=0)
    with pytest.raises(TooManySkippedError, match=f"{MOST_TRIES} files in a row.*0000.png"):
        split.at([0])


def test_a_reader_that_is_killed_is_one_sentence(folder: Path) -> None:
    read = streamed(folder, workers=1).train
    batches = read.in_order(1)
    next(batches)
    (child,) = multiprocessing.active_children()
    child.kill()
    child.join()
    with pytest.raises(ReaderLostError, match="was ended from outside, maybe for want of memory"):
        list(batches)


# the list of files


def test_a_list_of_files_is_sorted_compact_and_can_be_cut(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 30})
    for name in ("zoë.JPG", "ä b.jpeg"):
        (root / "train" / "cat" / name).write_bytes(b"x")
    (root / "train" / "dog" / "notes.md").write_text("x")
    files, others = list_files(root / "train", CLASSES)
    assert others == [str(root / "train" / "dog" / "notes.md")]
    expected = sorted(
        (file for file in (root / "train").rglob("*") if file.is_file()),
        key=lambda file: (file.parent.name, file.name),
    )
    expected = [str(file) for file in expected if file.suffix != ".md"]
    assert [files.path(place) for place in range(len(files))] == expected
    assert files.labels.tolist() == [0] * 32 + [1] * 30 + [2] * 30
    chosen = held_out_mask(files)
    part = files.select(chosen)
    assert [part.path(place) for place in range(len(part))] == [
        expected[place] for place in np.flatnonzero(chosen)
    ]
    assert part.digest() != files.digest() == list_files(root / "train", CLASSES)[0].digest()
    per_file = (files.starts.nbytes + files.lengths.nbytes + files.labels.nbytes) / len(files)
    assert per_file + len(files.names) / len(files) < 32
