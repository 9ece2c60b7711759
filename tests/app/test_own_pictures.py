"""A visitor's own pictures: what is read of zips and files, and one sentence for all else."""

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from garbage import collect_all_garbage
from own_pictures import picture, three_classes, zipped
from PIL import Image

from explainer.content import load_texts
from explainer.inputs.pictures.own import archive, collection
from explainer.inputs.pictures.own.archive import ZipError, look_into
from explainer.inputs.pictures.own.collection import (
    MAX_PICTURES,
    SIDE,
    Collection,
    CollectionError,
    of_left_out,
)

TEXTS = load_texts("own_pictures")
MEGABYTE = 1024**2


def add(content: bytes, into: Collection | None = None) -> Collection:
    found = into if into is not None else Collection()
    found.add_zip(io.BytesIO(content), len(content))
    return found


def said_of(content: bytes) -> str:
    """Return the sentence with which a zip is refused, and nothing of it is kept."""
    found = Collection()
    with pytest.raises((ZipError, CollectionError)) as refusal:
        add(content, found)
    said = str(refusal.value)
    assert not found.classes and found.received == 0
    assert said[0].isupper() and said.endswith(".") and "\n" not in said
    return said


def entry(name: str, **changes: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for attribute, value in changes.items():
        setattr(info, attribute, value)
    return info


def with_entry(info: zipfile.ZipInfo, content: bytes = b"x") -> bytes:
    file = io.BytesIO(three_classes(1))
    with zipfile.ZipFile(file, "a") as found:
        found.writestr(info, content)
    return file.getvalue()


# what is read


def test_a_folder_is_a_class() -> None:
    found = add(three_classes())
    assert list(found.classes) == ["blue", "green", "red"] and found.count == 18
    assert found.problem == ""
    one = found.classes["red"][0].open()
    assert one.size == (40, 40), "the middle square"
    assert np.asarray(one)[..., 0].mean() > 150


@pytest.mark.parametrize("around", ["my pictures/", "a/b/c/", "data/train/", "./"])
def test_folders_around_the_classes_are_passed_over(around: str) -> None:
    files = {
        f"{around}{kind}/{n}.png": picture(kind, n) for kind in ("red", "blue") for n in (0, 1)
    }
    assert list(add(zipped(files)).classes) == ["blue", "red"]


def test_train_and_test_are_no_classes_and_inner_folders_belong_to_theirs() -> None:
    files = {
        "train/red/a.png": picture("red", 0),
        "test/red/b.png": picture("red", 1),
        "train/blue/deep/er/c.png": picture("blue", 2),
        "Test/blue/d.png": picture("blue", 3),
    }
    found = add(zipped(files))
    assert {name: len(pictures) for name, pictures in found.classes.items()} == {
        "blue": 2,
        "red": 2,
    }


@pytest.mark.parametrize("name", ["кошка", "猫", "قطة", "çà et là", "γάτα", "🐈"])
def test_names_in_other_alphabets_are_read(name: str) -> None:
    files = {f"{name}/{name}.png": picture(number=1), "b/1.png": picture(number=2)}
    assert name in add(zipped(files)).classes
    # as programs write it that do not say that it is UTF-8
    raw = zipped({"xx/1.png": picture(number=1), "b/1.png": picture(number=2)})
    if len(encoded := name.encode()) >= 2:
        found = io.BytesIO()
        with zipfile.ZipFile(found, "w") as target:
            target.writestr("xx" + "x" * (len(encoded) - 2) + "/1.png", picture(number=1))
        content = found.getvalue().replace(
            b"xx" + b"x" * (len(encoded) - 2) + b"/1", encoded + b"/1"
        )
        assert list(add(content).classes) == [name]
    assert "xx" in add(raw).classes


def test_system_files_are_passed_over_in_silence() -> None:
    files = {
        "__MACOSX/red/._0.png": b"x",
        "red/.DS_Store": b"x",
        "red/Thumbs.db": b"x",
        ".git/config": b"x",
        "red/0.png": picture(),
        "empty/": b"",
    }
    _, contents = look_into(io.BytesIO(zipped(files)))
    assert [one.name for one in contents.entries] == ["0.png"] and not contents.left_out


def test_large_pictures_are_shrunk_at_once_and_small_ones_kept_exactly() -> None:
    found = Collection()
    files = [("large", picture(size=900, form="JPEG")), ("small", picture(number=1, size=32))]
    assert found.add_files("red", iter(files)).count == 2
    large, small = found.classes["red"]
    assert large.open().size == (SIDE, SIDE) and len(large.content) < 120_000
    with Image.open(io.BytesIO(picture(number=1, size=32))) as original:
        expected = np.asarray(original)[:, 4:36]
    assert np.array_equal(np.asarray(small.open()), expected)


# what is left out


def test_what_is_left_out_is_named_with_its_reason() -> None:
    frames = [Image.fromarray(np.full((9, 9, 3), n, np.uint8)) for n in (0, 200)]
    animated, deep = io.BytesIO(), io.BytesIO()
    frames[0].save(animated, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    frames[0].save(deep, "GIF", save_all=True, append_images=frames[1:])
    files = {
        "red/0.png": picture(),
        "red/animated.webp": animated.getvalue(),  # its first picture counts
        "red/again.png": picture(),
        "zebra/same.png": picture(),
        "red/notes.txt": b"hello",
        "red/moving.gif": deep.getvalue(),
        "red/half.png": picture(number=1)[:-700],
        "red/empty.jpg": b"",
        "red/phone.heic": b"\0\0\0\x18ftypheic" + bytes(20),
        "red/more.zip": zipped({"a": b"b"}),
        "loose.png": picture(number=3),
    }
    found = Collection()
    content = zipped(files)
    added = found.add_zip(io.BytesIO(content), len(content))
    assert added.count == 2 and list(found.classes) == ["red"]
    reasons = dict(added.left_out)
    assert reasons == {
        "more.zip": "nested",
        "loose.png": "loose",
        "again.png": "twice",
        "same.png": "elsewhere",
        "notes.txt": "unknown",
        "moving.gif": "unknown",
        "half.png": "damaged",
        "empty.jpg": "empty",
        "phone.heic": "heic",
    }
    said = of_left_out(added.left_out)
    assert all(name.split(".")[0] in said for name in reasons)
    assert said.count(" left out") == len(set(reasons.values()))


def test_every_reason_has_words() -> None:
    words, unusable = TEXTS["left_out"], load_texts("picker")["unusable"]
    assert set(unusable) - set(words) == {"uniform", "no_digit"}, "those are of digits"
    for reason in words:
        assert words[reason] in of_left_out((("a.png", reason),))


def test_many_that_are_left_out_are_counted() -> None:
    said = of_left_out(tuple((f"{n}.txt", "unknown") for n in range(300)))
    assert "300 files" in said and "and 296 more" in said and len(said) < 200


def test_names_of_files_are_no_markup() -> None:
    said = of_left_out((("[x](http://e) {why} <b>.txt", "unknown"),))
    assert "\\[x\\]" in said and "{why}" in said.replace("\\", "") and "<b>" not in said


def test_a_class_has_at_most_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "MAX_PICTURES", 3)
    found = Collection()
    content = three_classes(5)
    added = found.add_zip(io.BytesIO(content), len(content))
    assert added.count == 9 and {why for _, why in added.left_out} == {"full"}
    assert MAX_PICTURES == 200


# hostile zips


def test_a_bomb_is_refused_before_anything_is_unpacked() -> None:
    content = zipped({f"red/{n}.png": bytes(8 * MEGABYTE) for n in range(10)})
    assert len(content) < 100_000
    tracemalloc.start()
    said = said_of(content)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "80 MB" in said and most < 2 * MEGABYTE


def test_a_size_that_is_not_true_unpacks_no_more_than_it_says() -> None:
    honest = zipped({"red/0.png": bytes(20 * MEGABYTE), "red/1.png": picture()})
    lying = honest.replace(struct.pack("<I", 20 * MEGABYTE), struct.pack("<I", 1000))
    assert lying != honest
    collect_all_garbage()
    tracemalloc.start()
    found = Collection()
    added = found.add_zip(io.BytesIO(lying), len(lying))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert added.left_out == (("0.png", "damaged"),) and most < 4 * MEGABYTE


@pytest.mark.parametrize(
    "name",
    ["../red/1.png", "red/../../1.png", "/etc/red/1.png", "..\\red\\1.png", "C:\\red\\1.png"],
)
def test_paths_that_leave_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    said = said_of(with_entry(entry(name), picture()))
    assert TEXTS["zip"]["outside"].split("{")[0] in said


@pytest.mark.parametrize("kind", [0o120777, 0o020666, 0o010666])
def test_links_and_devices_are_refused(kind: int) -> None:
    said = said_of(with_entry(entry("red/link.png", external_attr=kind << 16), b"/etc/passwd"))
    assert "link or a device" in said and "red/link.png" in said.replace("\\", "")


def test_ten_thousand_files_are_refused() -> None:
    content = zipped({f"red/{n}.png": b"" for n in range(10_000)}, zipfile.ZIP_STORED)
    assert "10,000 files" in said_of(content)


def test_a_table_of_contents_that_hides_its_length_is_refused() -> None:
    """Python reads as many bytes of it as the end says, whatever count stands there."""
    content = zipped({f"red/{n:05d}-{'x' * 200}.png": b"" for n in range(5_000)})
    place = content.rindex(b"PK\x05\x06")
    few = content[: place + 8] + struct.pack("<HH", 2, 2) + content[place + 12 :]
    collect_all_garbage()
    tracemalloc.start()
    said = said_of(few)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "very many files" in said and most < MEGABYTE


def test_zip64_is_refused() -> None:
    content = zipped({"red/0.png": picture()})
    place = content.rindex(b"PK\x05\x06")
    locator = b"PK\x06\x07" + bytes(16)
    assert "very many" in said_of(content[:place] + locator + content[place:])


def test_locked_entries_are_refused() -> None:
    content = bytearray(three_classes(1))
    place = content.index(b"PK\x01\x02")
    content[place + 8] |= 1
    assert "password" in said_of(bytes(content))


def test_other_packings_are_left_out() -> None:
    """Python unpacks these without a bound."""
    packed = zipped({"red/0.png": bytes(30 * MEGABYTE)}, zipfile.ZIP_LZMA)
    _, contents = look_into(io.BytesIO(zipped({"red/1.png": picture()}, zipfile.ZIP_BZIP2)))
    assert contents.left_out == (("1.png", "method"),) and not contents.entries
    assert "packed in a way" in said_of(packed)


def test_a_zip_of_zips_alone_says_so() -> None:
    said = said_of(zipped({"red/a.zip": three_classes(1), "red/b.tar.gz": b"x"}))
    assert "no picture in a folder" in said and "archive within the archive" in said


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"no zip at all" * 9, picture(), b"PK\x05\x06" + bytes(10)]
)
def test_other_files_are_no_zip(content: bytes) -> None:
    assert said_of(content) == TEXTS["zip"]["no_zip"]


def test_damaged_zips_are_refused_or_read_in_part() -> None:
    whole = three_classes(2)
    for cut in range(0, len(whole), 997):
        changed = bytearray(whole)
        changed[cut : cut + 3] = b"\xff\x00\xff"
        try:
            add(bytes(changed))
        except (ZipError, CollectionError) as refusal:
            assert str(refusal).endswith(".")
    said_of(whole[: len(whole) // 2])


def test_two_spellings_of_a_class_are_refused() -> None:
    files = {"Red/0.png": picture(number=0), "red/1.png": picture(number=1)}
    said = said_of(zipped(files))
    assert "Red" in said and "red" in said and "capital letters" in said


def test_too_many_classes_are_refused() -> None:
    said = said_of(zipped({f"{n}/0.png": picture(number=n) for n in range(11)}))
    assert "11 classes" in said and "10 are" in said


def test_a_picture_of_huge_dimensions_is_left_out() -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    found = Collection()
    added = found.add_files("red", iter([("huge.png", file.getvalue())]))
    assert added.left_out == (("huge.png", "large"),) and not found.classes


# names and limits


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "a" * 41, "a\u202eb", "\x00\x01"])
def test_names_that_cannot_be_written_are_refused(name: str) -> None:
    with pytest.raises(CollectionError) as refusal:
        Collection().add_files(name, iter([("a.png", picture())]))
    assert str(refusal.value).endswith(".")


def test_a_known_class_is_found_in_any_spelling() -> None:
    found = Collection()
    found.add_files("Tea  cups", iter([("a.png", picture())]))
    found.add_files(" tea CUPS ", iter([("b.png", picture(number=1))]))
    assert {name: len(pictures) for name, pictures in found.classes.items()} == {"Tea cups": 2}


def test_bytes_are_counted_over_all_files(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(picture())
    monkeypatch.setattr(collection, "MAX_RECEIVED", 3 * size + size // 2)
    found = Collection()
    files = ((f"{n}.png", picture(number=n)) for n in range(5))
    added = found.add_files("red", files)
    assert added.count == 3 and [why for _, why in added.left_out] == ["over", "over"]
    with pytest.raises(CollectionError, match="more than"):
        add(three_classes(1), found)
    found.remove("red")
    assert found.received == 0 and add(three_classes(1), found).count == 3


def test_the_oldest_pictures_go_when_all_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = add(three_classes(2)), Collection()
    monkeypatch.setattr(collection, "MAX_KEPT", first.kept_bytes + 1000)
    add(three_classes(2), second)
    assert first.was_dropped and not first.classes
    assert second.count == 6 and not second.was_dropped


def test_what_is_missing_is_said() -> None:
    found = Collection()
    assert found.problem == TEXTS["few_classes"]
    add(three_classes(4), found)
    assert "has 4 pictures" in found.problem and "at least 5" in found.problem


def test_the_limits_are_those_of_the_texts() -> None:
    assert archive.MAX_UNPACKED == collection.MAX_RECEIVED == 60 * MEGABYTE
    words = str(TEXTS["bring"])
    assert "60 MB" in words and "24 MB" in words and "32 MB" in words
