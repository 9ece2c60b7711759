"""Images of which only the pixels that are not 0 are kept."""

import pytest
import torch
from training_data import QUICK, TINY, small_mnist

from vit_core import build
from vit_core.data import ImageData, Split, mnist, mnist_info, mnist_test
from vit_core.data.limit import limited
from vit_core.data.packed import PackedSplit, packed_mnist, packed_mnist_test
from vit_core.training.loop import fit

NOISE = Split(
    torch.randint(0, 4, (11, 3, 5, 7), generator=torch.Generator().manual_seed(0)).byte(),
    torch.arange(11),
)
BLANK = Split(torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.arange(3))


@pytest.mark.parametrize("split", [NOISE, BLANK, Split(255 - BLANK.images, BLANK.labels)])
def test_nothing_is_lost(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vit_core.data.packed.AT_ONCE", 4)
    packed = PackedSplit.pack(split)
    assert (len(packed), packed.image_shape) == (len(split), split.image_shape)
    for indices in ([2, 0, 0, 1], [], [len(split) - 1]):
        assert torch.equal(packed.at(indices), split.at(indices))
        assert torch.equal(
            packed.select(torch.tensor(indices, dtype=torch.long)), split.at(indices)
        )
    assert torch.equal(packed.first(2).images, split.images[:2])
    assert torch.equal(packed.first(99).labels, split.labels)
    for ours, expected in zip(packed.in_order(2, 1, 2), split.in_order(2, 1, 2), strict=True):
        assert torch.equal(ours.images, expected.images)
        assert torch.equal(ours.indices, expected.indices)


def test_packed_mnist_is_mnist_in_a_third_of_the_space() -> None:
    packed, plain = packed_mnist(), mnist()
    assert packed.info == mnist_info()
    for ours, expected in zip(
        (packed.train, packed.val, packed.test), (plain.train, plain.val, plain.test), strict=True
    ):
        assert isinstance(ours, PackedSplit)
        assert torch.equal(ours.first(len(ours)).images, expected.images)
        assert torch.equal(ours.labels, expected.labels)
        size = ours.is_set.nbytes + ours.values.nbytes + ours.starts.nbytes
        assert size < expected.images.nbytes / 2.9
    first = limited(packed, 3).train
    assert torch.equal(first.at([0, 29]), limited(plain, 3).train.at([0, 29]))


def test_packed_test_digits_are_the_test_digits() -> None:
    packed, plain = packed_mnist_test(), mnist_test()
    assert torch.equal(packed.first(len(packed)).images, plain.images)
    assert torch.equal(packed.labels, plain.labels)
    assert packed.is_set.nbytes + packed.values.nbytes < plain.images.nbytes / 2.9


def test_a_run_does_not_depend_on_how_its_images_are_kept() -> None:
    data = small_mnist()
    packed = ImageData(
        *(PackedSplit.pack(part) for part in (data.train, data.val, data.test)), data.info
    )
    assert list(map(str, fit(build(TINY), packed, QUICK))) == list(
        map(str, fit(build(TINY), data, QUICK))
    )


def test_another_device_gets_them_unpacked() -> None:
    packed = PackedSplit.pack(NOISE)
    assert packed.to("cpu") is packed
    moved = packed.to("meta")
    assert isinstance(moved, Split)
    assert moved.images.device.type == moved.labels.device.type == "meta"
