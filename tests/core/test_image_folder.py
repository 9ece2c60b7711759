"""Image folders: what is read, how it is divided, and every sentence about what is wrong."""

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from folder_data import CLASSES, make_folder
from PIL import Image

from vit_core.data.image_file import UnreadableImageError, middle, open_image, read_image
from vit_core.data.image_folder import ImageFolderError, read_folder
from vit_core.data.pixel_statistics import IMAGENET, SMALLEST_STD
from vit_core.data.skipped import Skipped, TooManySkippedError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pets", {"train": 45, "test": 4})


def names(path: Path) -> list[Path]:
    return sorted(path.iterdir())


def test_one_other_part_is_the_test_and_every_20th_training_image_validates(folder: Path) -> None:
    data = read_folder(folder, 8)
    assert data.info.name == "pets"
    assert data.info.class_names == CLASSES
    assert [len(split) for split in (data.train, data.val, data.test)] == [3 * 43, 3 * 2, 3 * 4]
    assert data.train.images.shape == (129, 3, 8, 8) and data.train.images.dtype == torch.uint8
    assert data.val.labels.tolist() == [0, 0, 1, 1, 2, 2]
    # the 11th and the 31st of a class, and the others are trained on
    for at, label, place in ((0, 0, 10), (1, 0, 30), (4, 2, 10)):
        expected = read_image(str(names(folder / "train" / CLASSES[label])[place]), (8, 8))
        assert np.array_equal(data.val.images[at].numpy(), expected)
        assert not (data.train.images == data.val.images[at]).all(dim=(1, 2, 3)).any()


def test_two_other_parts_are_what_they_are_called(folder: Path) -> None:
    shutil.copytree(folder / "test", folder / "val")
    (folder / "val" / "cat" / "0000.png").unlink()
    data = read_folder(folder, 8)
    assert [len(split) for split in (data.train, data.val, data.test)] == [135, 11, 12]


def test_a_val_alone_is_looked_at_once_at_the_end(folder: Path) -> None:
    (folder / "test").rename(folder / "val")
    assert len(read_folder(folder, 8).test) == 12


def test_mean_and_deviation_are_the_training_pixels(folder: Path) -> None:
    data = read_folder(folder, 8)
    pixels = data.train.images.double() / 255
    assert data.info.mean == pytest.approx(pixels.mean(dim=(0, 2, 3)).tolist(), abs=1e-4)
    assert data.info.std == pytest.approx(pixels.std(dim=(0, 2, 3)).tolist(), abs=1e-4)
    known = read_folder(folder, 8, statistics="imagenet").info
    assert (known.mean, known.std) == IMAGENET
    grey = read_folder(folder, 8, 1)
    assert grey.train.image_shape == (1, 8, 8) and len(grey.info.mean) == 1
    with pytest.raises(ImageFolderError, match="of colour images, not of grey"):
        read_folder(folder, 8, 1, statistics="imagenet")


def test_images_of_one_colour_can_be_normalised(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 12, "test": 1})
    for file in root.rglob("*.png"):
        Image.new("RGB", (9, 9), (0, 0, 7)).save(file)
    info = read_folder(root, 8).info
    assert info.std == (SMALLEST_STD,) * 3 and info.mean == (0, 0, pytest.approx(7 / 255, abs=1e-4))


def test_the_fingerprint_is_of_what_is_in_the_files(folder: Path) -> None:
    first = read_folder(folder, 8).info.fingerprint
    assert read_folder(folder, 8).info.fingerprint == first
    file = folder / "train" / "cat" / "0003.png"
    Image.new("RGB", (20, 20)).save(file)
    assert read_folder(folder, 8).info.fingerprint != first


@pytest.mark.parametrize("size", [(8, 8), (6, 12), (5, 3)])
def test_the_middle_keeps_the_proportions(size: tuple[int, int]) -> None:
    pixels = np.zeros((60, 120, 3), np.uint8)
    pixels[:, :, 0] = np.linspace(0, 255, 120).astype(np.uint8)
    pixels[:, :, 1] = np.linspace(0, 255, 60).astype(np.uint8)[:, None]
    height, width = size
    found = np.asarray(middle(Image.fromarray(pixels), size)).astype(float)
    assert found.shape == (height, width, 3)
    # as much of the image as there can be, from both sides alike
    scale = min(120 / width, 60 / height)
    across, down = np.ptp(found[:, :, 0]) / 255, np.ptp(found[:, :, 1]) / 255
    assert across == pytest.approx((width - 1) * scale / 120, abs=0.1)
    assert down == pytest.approx((height - 1) * scale / 60, abs=0.1)
    assert found[:, :, :2].mean() == pytest.approx(127.5, abs=2)


# what is no image


def test_a_few_bad_files_are_left_out_counted_and_named(folder: Path) -> None:
    cats = folder / "train" / "cat"
    whole = (cats / "0000.png").read_bytes()
    (cats / "0001.png").write_bytes(whole[: len(whole) // 2])
    (cats / "0002.png").write_bytes(b"")
    (cats / "0003.png").write_text("no image")
    (cats / "notes.txt").write_text("cats")
    (cats / ".hidden").write_text("left by a system")
    (cats / "Thumbs.db").write_text("left by another")
    data = read_folder(folder, 8)
    assert len(data.train) == 3 * 43 - 3
    assert len(data.skipped) == 4
    assert str(data.skipped).startswith("4 files are no whole image and not used: ")
    assert all(name in str(data.skipped) for name in ("0001", "0002", "0003", "notes.txt"))
    # what was held out is what would have been without them
    assert torch.equal(data.val.images[0], read_folder(folder, 8).val.images[0])


def test_too_many_bad_files_are_refused(folder: Path) -> None:
    for file in names(folder / "train" / "dog")[:11]:
        file.write_bytes(b"no image")
    with pytest.raises(
        TooManySkippedError, match=r"more than 10 files are no images.*dog/0000.png, "
    ):
        read_folder(folder, 8)


def test_a_file_counts_once_and_one_percent_may_be_bad() -> None:
    skipped = Skipped(total=2000)
    for index in range(20):
        skipped.add(str(index))
        skipped.add(str(index))
    assert len(skipped) == 20
    assert str(skipped).endswith("0, 1, 2, 3, 4 and 15 more")
    with pytest.raises(TooManySkippedError, match="more than 20 files"):
        skipped.add("one more")


def png_of(width: int, height: int) -> bytes:
    """Spell a PNG of a few bytes that claims a size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8_001, 8_000), (10_000, 10_000), (60_000, 60_000)])
def test_an_image_that_claims_to_be_huge_is_refused_before_it_is_decoded(
    size: tuple[int, int], tmp_path: Path
) -> None:
    file = tmp_path / "bomb.png"
    file.write_bytes(png_of(*size))
    with pytest.raises(UnreadableImageError, match="more than 64,000,000 pixels"):
        open_image(str(file), 3)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "CMYK", "LA", "I;16"])
def test_any_kind_of_pixel_becomes_what_the_model_takes(mode: str, tmp_path: Path) -> None:
    file = tmp_path / ("image.jpg" if mode == "CMYK" else "image.png")
    Image.new(mode, (9, 12)).save(file)
    assert read_image(str(file), (4, 4), 3).shape == (3, 4, 4)
    assert read_image(str(file), (4, 4), 1).shape == (1, 4, 4)


# what is no image folder


def spoil_test(root: Path) -> None:
    """Leave three files a class in the test part, none of them an image."""
    for file in (root / "test").rglob("*.png"):
        if file.stem > "0002":
            file.unlink()
        else:
            file.write_bytes(b"")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: shutil.rmtree(root), "is not a folder; an image folder has train/<class>"),
        (lambda root: (root / "train").rename(root / "training"), "has no folder train;"),
        (lambda root: shutil.rmtree(root / "test"), "has neither val/ nor test/ beside train/"),
        (
            lambda root: [shutil.rmtree(root / "train" / name) for name in CLASSES[1:]],
            "has one class only, 'cat'; at least two",
        ),
        (
            lambda root: [shutil.rmtree(root / "train" / name) for name in CLASSES],
            "has no class; at least two",
        ),
        (
            lambda root: [file.unlink() for file in (root / "train" / "dog").iterdir()],
            "the class 'dog' has no image in",
        ),
        (lambda root: shutil.rmtree(root / "test" / "eel"), "the class 'eel' has no image in"),
        (
            lambda root: (root / "test" / "fox").mkdir(),
            "test has classes that train/ has not: fox",
        ),
        (
            lambda root: [
                file.unlink() for file in (root / "train").rglob("*.png") if file.stem > "0009"
            ],
            "more than 10 images, so that none can be held out",
        ),
        (spoil_test, "none of the images for test in"),
    ],
)
def test_what_is_wrong_with_a_folder_is_one_sentence(folder: Path, change, said: str) -> None:
    change(folder)
    with pytest.raises(ImageFolderError) as caught:
        read_folder(folder, 8)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
