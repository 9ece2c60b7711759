"""Image folders as people have them: their parts, their names, and what else lies in them."""

import os
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from folder_data import make_folder, put_images
from PIL import Image

from vit_core.data import ImageData
from vit_core.data.file_list import SUFFIXES, list_class
from vit_core.data.image_file import FORMATS, read_image
from vit_core.data.image_folder import ImageFolderError, read_folder
from vit_core.data.skipped import TooManySkippedError

TWO = ("cat", "dog")
has_links = pytest.mark.skipif(sys.platform == "win32", reason="links need special rights there")
any_bytes = pytest.mark.skipif(sys.platform != "linux", reason="names must be text there")


def counts(data: ImageData) -> tuple[int, int, int]:
    return len(data.train), len(data.val), len(data.test)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pets", {"train": 30, "test": 4}, TWO)


# parts


@pytest.mark.parametrize("train", ["train", "Train", "TRAIN"])
@pytest.mark.parametrize("val", ["val", "valid", "validation", "dev", "Valid", "VAL"])
@pytest.mark.parametrize("test", ["test", "Test", "testing"])
def test_parts_by_the_names_that_people_give_them(
    tmp_path: Path, train: str, val: str, test: str
) -> None:
    root = make_folder(tmp_path, {train: 12, val: 3, test: 2}, TWO)
    data = read_folder(root, 8)
    assert counts(data) == (24, 6, 4) and not data.skipped


@pytest.mark.parametrize("both", [("val", "valid"), ("dev", "validation"), ("test", "Testing")])
def test_two_folders_for_one_part_are_refused(tmp_path: Path, both: tuple[str, str]) -> None:
    root = make_folder(tmp_path, {"train": 12, **dict.fromkeys(both, 2)}, TWO)
    with pytest.raises(
        ImageFolderError, match=r"has both .* which are two names for one part"
    ) as e:
        read_folder(root, 8)
    assert all(f"{name}/" in str(e.value) for name in both)


def test_the_folder_that_may_be_meant_is_named(tmp_path: Path) -> None:
    make_folder(tmp_path / "unpacked", {"Train": 12, "eval": 2}, TWO)
    with pytest.raises(ImageFolderError, match=r"its folder unpacked/ has, so that .*unpacked may"):
        read_folder(tmp_path, 8)
    with pytest.raises(ImageFolderError, match=r"neither val/ nor test/.*; it has eval"):
        read_folder(tmp_path / "unpacked", 8)


def test_a_part_alone_names_the_folder_around_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for path in (folder / "train", Path("train")):
        with pytest.raises(ImageFolderError, match=r"it is a part of .*pets, which may be meant"):
            read_folder(path, 8)


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "pets.zip").touch()
    with pytest.raises(ImageFolderError, match=r"is a file.*must be unpacked first"):
        read_folder(tmp_path / "pets.zip", 8)


def test_a_test_part_without_classes_is_said_to_be_one(folder: Path) -> None:
    """As of a competition, which keeps the answers for itself."""
    for name in TWO:
        for file in (folder / "test" / name).iterdir():
            file.rename(folder / "test" / f"{name}-{file.name}")
        (folder / "test" / name).rmdir()
    with pytest.raises(ImageFolderError, match="test has no folders of classes"):
        read_folder(folder, 8)


# files


def test_every_ending_that_pillow_decodes() -> None:
    Image.init()
    known = Image.registered_extensions().items()
    assert {suffix for suffix, kind in known if kind in (*FORMATS, "MPO")} <= set(SUFFIXES)
    assert not {".eps", ".pdf", ".mpg", ".h5", ".txt", ".heic", ".npy"} & set(SUFFIXES)


@pytest.mark.parametrize(
    "suffix", [".ppm", ".PGM", ".jfif", ".JPE", ".jp2", ".tga", ".ico", ".webp", ".qoi", ".dds"]
)
def test_images_of_other_endings(tmp_path: Path, suffix: str) -> None:
    kinds = {".PGM": "PPM", ".JPE": "JPEG", ".jfif": "JPEG"}
    mode = "L" if suffix == ".PGM" else "RGB"
    for part, count in (("train", 12), ("test", 2)):
        for name in TWO:
            (tmp_path / part / name).mkdir(parents=True)
            for index in range(count):
                image = Image.new(mode, (16, 16), "#888888")
                file = tmp_path / part / name / f"{index}{suffix}"
                image.save(file, kinds.get(suffix, Image.registered_extensions()[suffix.lower()]))
    data = read_folder(tmp_path, 8)
    assert counts(data) == (22, 2, 4) and not data.skipped
    assert abs(data.test.images.int() - 0x88).max() <= 2


def test_what_is_no_image_is_counted_by_its_ending(folder: Path) -> None:
    cats = folder / "train" / "cat"
    for index in range(30):  # as many as there are images, which is nothing wrong
        (cats / f"{index:04d}.txt").write_text("where the cat is")
    for name in ("a.csv", "b.CSV", "photo.heic", "film.mp4", "array.npy", "archive.zip", "README"):
        (cats / name).write_text("x")
    data = read_folder(folder, 8)
    assert counts(data) == (58, 2, 8) and len(data.skipped) == 37
    said = str(data.skipped)
    assert said.startswith("37 files are no whole image and not used: ") and "0000.txt" in said
    assert "(30 .txt, 2 .csv, 1 " in said and said.endswith("others)")


def test_images_and_folders_that_are_no_part_are_named(folder: Path) -> None:
    put_images(folder / "unlabeled", 12)
    put_images(folder / "extra photos", 12)
    put_images(folder, 2)
    put_images(folder / "train", 3)
    (folder / "data.yaml").write_text("x")
    (folder / "train" / "labels.csv").write_text("x")
    data = read_folder(folder, 8)
    assert counts(data) == (58, 2, 8)
    files, outside, folders = str(data.skipped).splitlines()
    assert files.startswith("2 files are no whole image") and "data.yaml" in files
    assert "1 .csv" in files and "labels.csv" in files
    assert outside.startswith("5 images are in no class folder and not used: ")
    assert folders.startswith("2 folders are not used: ")
    assert "unlabeled" in folders and "extra photos" in folders


def test_what_systems_leave_is_no_class_and_not_mentioned(folder: Path) -> None:
    for part in ("train", "test"):
        for name in (".ipynb_checkpoints", "__MACOSX", "@eaDir", "$RECYCLE.BIN"):
            put_images(folder / part / name, 1)
            put_images(folder / part / "cat" / name, 1)
        for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._0001.png"):
            (folder / part / "dog" / name).write_bytes(b"system")
    (folder / "__MACOSX").mkdir()
    data = read_folder(folder, 8)
    assert counts(data) == (58, 2, 8) and not data.skipped


def test_a_class_without_images_is_named_with_what_it_has(folder: Path) -> None:
    (folder / "train" / "eel").mkdir()
    (folder / "train" / "fox").mkdir()
    for index in range(7):
        (folder / "train" / "eel" / f"{index}.heic").touch()
    with pytest.raises(ImageFolderError) as caught:
        read_folder(folder, 8)
    assert "the class 'eel' has no image in" in str(caught.value)
    assert "other files there: 7 .heic" in str(caught.value) and "fox" in str(caught.value)


def test_extreme_images_are_read_or_named(folder: Path) -> None:
    cats = folder / "train" / "cat"
    Image.new("RGB", (1, 1)).save(cats / "0001.png")
    Image.new("RGB", (50_000, 1)).save(cats / "0002.png")
    Image.new("1", (8_100, 8_000)).save(cats / "0003.png")
    (cats / "0004.png").write_bytes(b"")
    data = read_folder(folder, 8)
    assert len(data.train) == 56 and len(data.skipped) == 2
    assert "0003.png" in str(data.skipped) and "0004.png" in str(data.skipped)


def test_a_class_of_one_image(folder: Path) -> None:
    put_images(folder / "train" / "eel", 1)
    put_images(folder / "test" / "eel", 1)
    assert counts(read_folder(folder, 8)) == (59, 2, 9)


# folders within a class


def test_images_within_folders_of_a_class(tmp_path: Path) -> None:
    for name in TWO:
        for inner in ("", "second batch", "2024/may/first", "a", "a b"):
            put_images(tmp_path / "train" / name / inner, 3)
        put_images(tmp_path / "val" / name / "images", 2)  # Tiny ImageNet's own layout
    data = read_folder(tmp_path, 8)
    assert counts(data) == (28, 2, 4) and not data.skipped


def test_the_order_is_imagefolders(tmp_path: Path) -> None:
    """Folder by folder in the order of the alphabet, as sorted(os.walk(…)) has it."""
    for inner in ("", "b", "a/x", "a", "a b", "Z", "a-b/c"):
        put_images(tmp_path / "d" / "train" / "cat" / inner, 2)
    top = tmp_path / "d" / "train" / "cat"
    expected = [
        os.path.relpath(os.path.join(root, name), top).replace(os.sep, "/")
        for root, _, names in sorted(os.walk(top, followlinks=True))
        for name in sorted(names)
    ]
    names, others = list_class(str(top))
    assert [name.decode() for name in names] == expected and not others


@has_links
def test_links_are_followed_and_loops_end(folder: Path, tmp_path: Path) -> None:
    elsewhere = put_images(tmp_path / "elsewhere" / "more cats", 5)
    cats = folder / "train" / "cat"
    (cats / "more").symlink_to(elsewhere)
    (folder / "train" / "eel").symlink_to(put_images(tmp_path / "elsewhere" / "eels", 20))
    (folder / "test" / "eel").symlink_to(tmp_path / "elsewhere" / "eels")
    (cats / "up").symlink_to("..")
    (cats / "self").symlink_to("self")
    (elsewhere / "back").symlink_to(cats)
    (elsewhere / "again").symlink_to(".")
    data = read_folder(folder, 8)
    assert data.info.class_names == ("cat", "dog", "eel")
    assert len(data.train) + len(data.val) == 85 and len(data.test) == 28
    said = str(data.skipped)
    assert all(f"{os.sep}{name}{os.sep}" in said for name in ("up", "back", "again"))
    assert f"{os.sep}self" in said


@has_links
def test_links_whose_target_is_gone_are_named(folder: Path) -> None:
    for index in range(6):
        file = folder / "train" / "cat" / f"{index:04d}.png"
        file.unlink()
        file.symlink_to(f"/no/such/disk/{index}.png")
    data = read_folder(folder, 8)
    assert len(data.train) + len(data.val) == 54 and len(data.skipped) == 6
    assert "0000.png" in str(data.skipped)
    for index in range(6, 12):
        file = folder / "train" / "cat" / f"{index:04d}.png"
        file.unlink()
        file.symlink_to("/no/such/disk")
    with pytest.raises(TooManySkippedError, match="more than 10 files"):
        read_folder(folder, 8)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files")
def test_a_file_that_would_never_end_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "train" / "cat" / "pipe.png")
    data = read_folder(folder, 8)
    assert len(data.skipped) == 1 and "pipe.png" in str(data.skipped)


# names


@pytest.mark.parametrize(
    "name",
    ["Katze 1", "狗 🐶", "שלום", "it's", "a,b", "#1", "[x](y)", "<b>", "%20", "x" * 200, "-h"],
)
def test_classes_of_any_name(folder: Path, name: str) -> None:
    if sys.platform == "win32" and set(name) & set('<>:"|?*'):
        pytest.skip("such names are not allowed there")
    for part in ("train", "test"):
        (folder / part / "dog").rename(folder / part / name)
    assert set(read_folder(folder, 8).info.class_names) == {"cat", name}


@any_bytes
def test_names_that_are_no_text(folder: Path) -> None:
    for part in ("train", "test"):
        os.rename(folder / part / "dog", os.fsencode(folder / part) + b"/caf\xe9\n")
    train = os.fsencode(folder / "train") + b"/caf\xe9\n/"
    os.rename(train + b"0000.png", train + b"\xff\x1b[31m.png")
    (folder / "train" / "cat" / "0000.png").write_bytes(b"")
    open(train + b"\xfe\n.png", "wb").close()
    for memory in (1.0, 0.0):
        data = read_folder(folder, 8, memory=memory)
        assert data.info.class_names == ("caf\\xe9\n", "cat")
        list(data.train.in_order(8))
        said = str(data.skipped)
        assert said.encode().decode() == said and len(said.splitlines()) == 1
        assert r"caf\xe9\n" in said and r"\xfe\n.png" in said


@any_bytes
def test_an_accent_is_the_same_however_a_system_stores_it(folder: Path) -> None:
    name = "Bäckerei"
    (folder / "train" / "dog").rename(folder / "train" / unicodedata.normalize("NFD", name))
    (folder / "test" / "dog").rename(folder / "test" / unicodedata.normalize("NFC", name))
    data = read_folder(folder, 8)
    assert data.info.class_names == (name, "cat") and len(data.test) == 8
    put_images(folder / "train" / unicodedata.normalize("NFC", name), 12)
    with pytest.raises(ImageFolderError, match="two folders that are called 'Bäckerei'"):
        read_folder(folder, 8)


def test_classes_called_by_numbers_keep_their_images(tmp_path: Path) -> None:
    for name in ("0", "1", "2", "10", "11"):
        for part, count in (("train", 12), ("test", 2)):
            (tmp_path / part / name).mkdir(parents=True)
            for index in range(count):
                image = Image.new("L", (9, 9), 20 * int(name))
                image.save(tmp_path / part / name / f"{index}.png")
    data = read_folder(tmp_path, 8, 1)
    assert data.info.class_names == ("0", "1", "10", "11", "2")
    for image, label in zip(data.test.images, data.test.labels, strict=True):
        assert int(image.float().mean()) == 20 * int(data.info.class_names[int(label)])


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="all may be read")
def test_a_folder_that_may_not_be_read_is_one_sentence(folder: Path) -> None:
    (folder / "train" / "cat").chmod(0)
    try:
        with pytest.raises(ImageFolderError, match="cat cannot be read: "):
            read_folder(folder, 8)
    finally:
        (folder / "train" / "cat").chmod(0o755)


def test_a_photograph_in_a_folder_is_upright_and_deep_scans_keep_their_greys(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = np.zeros((9, 18, 3), np.uint8)
    lying[:, 9:] = 255  # upright: white below
    file = folder / "train" / "cat" / "0000.png"
    Image.fromarray(lying).save(file, exif=exif)
    assert read_image(str(file), (8, 4))[0, [0, -1], 0].tolist() == [0, 255]
    Image.fromarray(np.full((9, 9), 32_896, np.uint16)).save(file)
    assert set(read_image(str(file), (8, 8)).ravel().tolist()) == {128}


@has_links
def test_a_class_or_part_of_links_whose_targets_are_gone_is_named_as_such(folder: Path) -> None:
    for file in (folder / "train" / "cat").iterdir():
        file.unlink()
        file.symlink_to("/no/such/disk/of images.png")
    with pytest.raises(ImageFolderError, match=r"links whose target is gone, as .*cat"):
        read_folder(folder, 8)
    (folder / "train").rename(folder / "elsewhere")
    (folder / "train").symlink_to("/no/such/disk")
    with pytest.raises(ImageFolderError, match="train is a link whose target is gone"):
        read_folder(folder, 8)


def test_a_path_may_be_text(folder: Path) -> None:
    assert counts(read_folder(f"{folder}{os.sep}", 8)) == counts(read_folder(folder, 8))
