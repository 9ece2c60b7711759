"""Photographs of digits are read: paper and ink are told apart on desks, in frames, in shadows."""

import io
from zlib import crc32

import numpy as np
import pytest
import torch
from digit_scenes import KINDS, Photo, sheet
from PIL import Image

from explainer.inputs.pictures.adjustment import AS_FOUND, Adjustment, adjusted, turned
from explainer.inputs.pictures.prepare import UnusablePictureError, ink_of
from explainer.inputs.pictures.read_file import (
    PHOTO_SIDE,
    WORK_SIDE,
    check_size,
    prepare,
    read_photo,
    read_photograph,
    read_upload,
)
from vit_core import load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import mnist_test, normalize

COUNT = 3  # of each kind, one of which may be misread; the benchmark reads more


@pytest.fixture(scope="module")
def read():
    """Return a reader: (28, 28) uint8 → the digit that the shipped model takes it for."""
    checkpoint = load_checkpoint(SHIPPED_DIR / "default.safetensors")

    def read(pixels: np.ndarray) -> int:
        with torch.no_grad():
            logits = checkpoint.model(
                normalize(torch.from_numpy(pixels)[None, None], checkpoint.data)
            )
        return int(logits.argmax())

    return read


def png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=1)  # the same pixels in a third of the time
    return content.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_photographed_digits_are_read(kind, read):
    test, right = mnist_test(), 0
    random = np.random.default_rng([7, crc32(kind.encode())])
    # a digit that is misread in MNIST itself says nothing about its photograph
    places = [
        place
        for place in random.choice(10_000, 2 * COUNT, replace=False)
        if read(test.images[place, 0].numpy()) == int(test.labels[place])
    ]
    for place in places[:COUNT]:
        photo = KINDS[kind](test.images[place, 0].numpy(), random)
        try:
            right += read(read_upload(png(photo)).pixels) == int(test.labels[place])
        except UnusablePictureError:
            continue
    assert right >= COUNT - 1


@pytest.mark.parametrize("place", [116, 118, 121, 126, 139, 140, 149])
def test_a_digit_that_the_border_cuts_is_whole_and_no_part_of_it(place, read):
    """Of these, one stroke alone once had the better score, since no border touched it."""
    test = mnist_test()
    digit = Image.fromarray(test.images[place, 0].numpy()).resize(
        (300, 300), Image.Resampling.BICUBIC
    )
    ink = np.clip((np.asarray(digit, float) / 255 - 0.35) / 0.3, 0, 1)
    grey = np.rint(235 - 195 * ink).astype(np.uint8)[40:260, 55:245]
    assert read(read_upload(png(Image.fromarray(grey))).pixels) == int(test.labels[place])


def page(*strokes: tuple[int, int, int, int], paper: int = 235, ink: int = 40) -> np.ndarray:
    """Return paper (300, 400) with upright boxes of ink: top, left, bottom, right."""
    grey = np.full((300, 400), paper, np.uint8)
    for top, left, bottom, right in strokes:
        grey[top:bottom, left:right] = ink
    return grey


SEVEN = ((100, 180, 112, 230), (112, 218, 200, 230))


def outline(values: np.ndarray) -> tuple[int, int, int, int]:
    places = np.argwhere(values > 127)
    return (*places.min(0), *(places.max(0) + 1))


def test_a_strip_of_desk_at_the_border_is_no_ink():
    grey = page(*SEVEN)
    grey[:, :30] = 60
    found = ink_of(grey)
    assert found.inverted
    assert outline(found.values) == pytest.approx((100, 180, 200, 230), abs=1)


def test_a_frame_is_no_digit():
    frame = ((60, 140, 66, 280), (230, 140, 236, 280), (60, 140, 236, 146), (60, 274, 236, 280))
    found = ink_of(page(*SEVEN, *frame))
    assert outline(found.values) == pytest.approx((100, 180, 200, 230), abs=1)


@pytest.mark.parametrize("edge", [60, 200, 225, 330])
def test_a_hard_shadow_is_no_ink_wherever_its_edge_falls(edge):
    grey = page(*SEVEN)
    grey[:, edge:] = grey[:, edge:] * 0.45
    found = ink_of(grey)
    assert found.inverted
    assert outline(found.values) == pytest.approx((100, 180, 200, 230), abs=1)


@pytest.mark.parametrize("ink", [40, 120])
def test_ruled_lines_are_taken_out_and_strokes_that_they_cross_mended(ink):
    lines = [(top, 0, top + 2, 400) for top in range(20, 300, 35)]
    grey = page(*lines, ink=ink)
    for top, left, bottom, right in SEVEN:
        grey[top:bottom, left:right] = 40
    found = ink_of(grey)
    assert outline(found.values) == pytest.approx((100, 180, 200, 230), abs=2)
    assert (found.values[113:199, 222:226] > 127).all()


def test_one_long_stroke_is_a_digit_and_no_line():
    found = ink_of(page((20, 190, 280, 204)))
    assert outline(found.values) == pytest.approx((20, 190, 280, 204), abs=1)
    assert not found.is_ruled


def test_strokes_apart_from_each_other_are_one_digit():
    found = ink_of(page((100, 180, 110, 240), (122, 180, 132, 240), (122, 228, 200, 240)))
    assert outline(found.values) == pytest.approx((100, 180, 200, 240), abs=1)


def test_a_second_digit_is_named_and_can_be_cut_off():
    second = tuple((top, left + 120, bottom, right + 120) for top, left, bottom, right in SEVEN)
    first = tuple((top, left - 120, bottom, right - 120) for top, left, bottom, right in SEVEN)
    photo = read_photo(png(Image.fromarray(page(*first, *second))))
    assert "several" in prepare(photo).done
    for across in ((0, 50), (50, 100)):
        upload = prepare(photo, Adjustment(across=across))
        assert "several" not in upload.done
        assert upload.grey.shape == (300, 200)


def test_what_is_no_digit_has_its_own_reason():
    grey = np.full((200, 200), 230, np.uint8)
    grey[50:52, 50:52] = 20
    with pytest.raises(UnusablePictureError) as caught:
        ink_of(grey)
    assert caught.value.reason in ("no_digit", "uniform")


# corrections


def test_somebody_can_say_which_is_the_ink():
    grey = page(*SEVEN)
    assert ink_of(grey).inverted
    assert ink_of(grey, "dark").inverted
    try:
        assert not ink_of(grey, "light").inverted
    except UnusablePictureError as error:
        assert error.reason == "no_digit"


def test_more_ink_brings_back_what_is_faint():
    grey = page(*SEVEN)
    grey[200:240, 218:230] = 195  # the stroke goes on, hardly to be seen
    amounts = [(ink_of(grey, more=more).values > 127).sum() for more in (-2, 0, 4)]
    assert amounts[0] <= amounts[1] < amounts[2]


def test_ink_that_is_fainter_than_is_looked_for_is_found_when_asked_for():
    grey = page(*SEVEN, ink=222)
    with pytest.raises(UnusablePictureError, match="the same brightness everywhere"):
        ink_of(grey)
    found = ink_of(grey, more=5)
    assert outline(found.values) == pytest.approx((100, 180, 200, 230), abs=2)


def test_a_picture_is_turned_then_cut():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(adjusted(values, AS_FOUND), values)
    turned_right = adjusted(values, Adjustment(quarters=1))
    np.testing.assert_array_equal(turned_right, np.rot90(values, -1))
    cut = adjusted(values, Adjustment(quarters=1, down=(0, 50)))
    np.testing.assert_array_equal(cut, turned_right[:2])
    assert adjusted(values, Adjustment(across=(100, 100), down=(40, 40))).shape == (1, 1)


@pytest.mark.parametrize("quarters", [-1, 1, 2, 3])
def test_turning_keeps_the_part_that_was_cut_out(quarters):
    values = np.arange(10_000).reshape(100, 100)
    before = Adjustment(1, (10, 60), (20, 90))
    after = turned(before, quarters)
    np.testing.assert_array_equal(
        adjusted(values, after), np.rot90(adjusted(values, before), -quarters)
    )
    assert turned(after, -quarters) == before


# steps


def test_every_step_is_a_picture_of_the_same_size_that_leads_to_the_next():
    random = np.random.default_rng(3)
    upload = read_upload(png(sheet(mnist_test().images[0, 0].numpy(), random)))
    shape = upload.grey.shape
    for values in (upload.paper, upload.contrast, upload.ink):
        assert values.shape == shape
        assert values.dtype == np.uint8
    assert upload.original.shape == (*shape, 3)
    assert (upload.contrast[upload.ink > 127] > 0).all()


# size


def test_a_phone_s_photograph_is_shrunk_and_not_refused():
    photo = Photo(np.random.default_rng(0), (235, 232, 225), long=1000)
    photo.write(mnist_test().images[0, 0].numpy(), (30, 40, 110), (0.5, 0.5), (0.3, 0.7))
    large = Image.fromarray(photo.values.astype(np.uint8)).resize((8064, 5952))
    content = io.BytesIO()
    large.save(content, "JPEG", quality=90)
    content = content.getvalue() + bytes(12 * 1024**2)  # what cameras write behind the picture
    assert read_upload(content).pixels.any()
    assert max(read_photo(content).colour.shape) == PHOTO_SIDE
    assert max(read_photograph(content).shape) == WORK_SIDE


@pytest.mark.parametrize(
    ("mode", "side", "fits"),
    [("RGB", 7_000, True), ("RGB", 7_100, False), ("RGBA", 5_100, False), ("L", 7_900, True),
     ("P", 4_800, False)],
)  # fmt: skip
def test_what_can_only_be_decoded_whole_is_held_to_a_limit_of_memory(mode, side, fits):
    image = Image.new(mode, (1, 1))
    image._size = (side, side)
    image.format = "PNG"
    if fits:
        check_size(image)
    else:
        with pytest.raises(UnusablePictureError, match="while it is unpacked"):
            check_size(image)
