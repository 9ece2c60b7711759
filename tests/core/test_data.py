"""The embedded digits and their reader."""

import gzip
import struct
from pathlib import Path

import pytest
import torch

from vit_core.data import (
    DataInfo,
    mnist,
    mnist_info,
    mnist_test,
    mnist_validation,
    normalize,
    read_idx,
)


def idx(*sizes: int, values: bytes, kind: int = 8) -> bytes:
    """Spell an IDX file."""
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, kind, len(sizes), *sizes) + values


# the digits


def test_the_split_is_55000_5000_10000_of_28_by_28_bytes() -> None:
    data = mnist()
    for split, count in ((data.train, 55_000), (data.val, 5_000), (data.test, 10_000)):
        assert len(split) == count
        assert split.images.shape == (count, 1, 28, 28)
        assert split.images.dtype == torch.uint8
        assert split.labels.shape == (count,)
        assert split.labels.dtype == torch.int64
        assert split.labels.unique().tolist() == list(range(10))


def test_the_first_labels_and_pixels_are_the_published_ones() -> None:
    data = mnist()
    assert data.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert data.val.labels[-3:].tolist() == [5, 6, 8]
    # the first digit, a five: the first row with ink, and its orientation (rows from top to bottom)
    first = data.train.images[0, 0]
    assert first.any(dim=1).nonzero().flatten()[[0, -1]].tolist() == [5, 24]
    assert first.any(dim=0).nonzero().flatten()[[0, -1]].tolist() == [4, 23]
    assert first[5, 12:24].tolist() == [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]


def test_every_image_counts() -> None:
    data = mnist()
    total = sum(int(s.images.sum(dtype=torch.int64)) for s in (data.train, data.val))
    assert total / (60_000 * 784 * 255) == pytest.approx(data.info.mean[0], abs=5e-5)
    per_class = torch.bincount(data.test.labels).tolist()
    assert per_class == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_fingerprint_is_pinned() -> None:
    assert mnist_info() == DataInfo(
        name="mnist",
        fingerprint="8e9c2b7d10fb0ce9",
        mean=(0.1307,),
        std=(0.3081,),
        class_names=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
    )


def test_the_data_is_read_once() -> None:
    assert mnist() is mnist()
    assert mnist().test is mnist_test()


def test_moving_keeps_the_parts() -> None:
    moved = mnist().to("meta")
    assert moved.train.images.device.type == moved.test.labels.device.type == "meta"
    assert len(moved.val) == 5_000
    assert moved.info is mnist().info


# normalising


def test_normalize_is_the_formula() -> None:
    info = DataInfo("x", "", mean=(0.5, 0.25), std=(0.5, 0.125), class_names=())
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3).expand(1, 2, 1, 3)
    expected = torch.tensor([[-1.0, -0.6, 1.0], [-2.0, -0.4, 6.0]]).view(1, 2, 1, 3)
    torch.testing.assert_close(normalize(images, info), expected, rtol=0, atol=1e-6)


def test_normalised_training_pixels_have_mean_0_and_deviation_1() -> None:
    pixels = normalize(mnist().train.images[:5_000], mnist_info())
    assert pixels.dtype == torch.float32
    assert pixels.mean().item() == pytest.approx(0, abs=0.02)
    assert pixels.std().item() == pytest.approx(1, abs=0.02)


# reading


@pytest.mark.parametrize("sizes", [(6,), (2, 3), (1, 2, 3), (3, 1, 2, 1)])
def test_idx_of_any_number_of_axes(sizes: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(idx(*sizes, values=bytes(range(6)))))
    assert torch.equal(read_idx(path), torch.arange(6, dtype=torch.uint8).view(sizes))


def test_idx_without_images(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(idx(0, 28, 28, values=b"")))
    assert read_idx(path).shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an IDX file"),
        (b"\0", "not an IDX file"),
        (b"\0\0\x08", "not an IDX file"),
        (b"\0\0\x08\x03\0\0\0\x01", "not an IDX file"),
        (b"\0\0\x08\xff", "not an IDX file"),
        (idx(2, values=b"ab", kind=9), "not an IDX file of unsigned bytes"),
        (b"PNG" + bytes(20), "not an IDX file"),
        (idx(2, 3, values=b"abcde"), "should hold 6 values and has 5"),
        (idx(2, 3, values=b"abcdefg"), "should hold 6 values and has 7"),
        (idx(2, values=b""), "should hold 2 values and has 0"),
        # a product that is 6 only if it overflows 64 bits
        (idx(2**31, 2**31, 4, 6, values=b"abcdef"), "should hold 110680464442257309696 values"),
        (idx(2**32 - 1, 2**32 - 1, 2**32 - 1, values=b"a"), "values and has 1"),
    ],
)
def test_a_wrong_idx_file_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=said):
        read_idx(path)


def test_a_damaged_gzip_file_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    whole = gzip.compress(idx(64, values=bytes(range(64))), mtime=0)
    path = tmp_path / "a.gz"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=str(path)):
            read_idx(path)
    refused = 0
    for position in range(10, len(whole)):  # after the file's name, time and system
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        with pytest.raises(ValueError, match=str(path)):
            read_idx(path)
        refused += 1
    assert refused > 60


def test_a_missing_or_plain_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a whole gzip file"):
        read_idx(tmp_path / "missing.gz")
    (tmp_path / "plain.gz").write_bytes(idx(1, values=b"a"))
    with pytest.raises(ValueError, match="not a whole gzip file"):
        read_idx(tmp_path / "plain.gz")


def test_a_few_validation_digits_are_those_of_the_whole_set() -> None:
    places = [2728, 0, 4999, 32, 32]
    found, whole = mnist_validation(places), mnist().val
    assert torch.equal(found.images, whole.images[places])
    assert torch.equal(found.labels, whole.labels[places])
