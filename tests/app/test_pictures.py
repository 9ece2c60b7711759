"""A visitor's own picture: its text in a link, its preparation, and every file that may come."""

import base64
import struct
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from explainer.inputs.pictures import link_code, test_digits
from explainer.inputs.pictures.prepare import BOX, CENTRE, UnusablePictureError, centred, ink_of
from explainer.inputs.pictures.read_file import (
    MAX_BYTES,
    MAX_DECODED_BYTES,
    MOST_PIXELS,
    read_upload,
)
from explainer.state.link import decode

any_picture = arrays(np.uint8, (28, 28))
# of a pen of at least 7 points of 140, which leaves a mark on every pixel that it crosses
strokes = st.lists(
    st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(7, 40), st.integers(7, 40)),
    min_size=1,
    max_size=5,
)


# the text of a link


@given(any_picture)
def test_a_link_gives_exactly_the_quantised_picture(pixels):
    text = link_code.encode(pixels)
    found = link_code.decode(text)
    np.testing.assert_array_equal(found, link_code.quantise(pixels))
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - pixels).max() <= 8
    assert link_code.decode(link_code.encode(found)).tobytes() == found.tobytes()


@given(any_picture)
def test_the_state_reads_every_text_of_a_picture(pixels):
    text = link_code.encode(pixels)
    assert decode({"picture": text}).picture == text


def test_a_digit_is_short_in_a_link():
    lengths = [
        len(link_code.encode(test_digits.test_digit(digit, index)))
        for digit in range(10)
        for index in range(10)
    ]
    assert max(lengths) < 300


@given(st.text(max_size=60) | st.text(alphabet="AQBgz0189_-", max_size=600))
@settings(max_examples=300)
def test_hostile_text_is_one_sentence_or_a_picture(text):
    try:
        assert link_code.decode(text).shape == (28, 28)
    except ValueError as error:
        assert "\n" not in str(error)
        assert "picture" in str(error)


def link_text(content: bytes, version: int = link_code.VERSION) -> str:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    return base64.urlsafe_b64encode(bytes([version]) + packed).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "AQ",
        link_text(b""),
        link_text(bytes(391)),
        link_text(bytes(393)),
        link_text(bytes(100_000_000)),  # a bomb: unfolds to 100 MB
        link_text(bytes(392), version=0),
        link_text(bytes(392))[:-3],
        base64.urlsafe_b64encode(b"\1" + b"\xff" * 40).decode(),
        "ä" * 20,
        link_text(bytes(392)) + "AAAA",
    ],
)
def test_a_text_that_is_no_picture_is_refused(text):
    assert not link_code.is_picture(text)
    with pytest.raises(ValueError, match="picture"):
        link_code.decode(text)


def test_a_picture_of_a_newer_version_says_so():
    with pytest.raises(ValueError, match="newer version"):
        link_code.decode(link_text(bytes(392), version=link_code.VERSION + 1))


@pytest.mark.parametrize("wrong", [np.zeros((27, 28), np.uint8), np.zeros((28, 28), np.float32)])
def test_only_pictures_of_28_pixels_are_encoded(wrong):
    with pytest.raises(ValueError, match=r"\(28, 28\)"):
        link_code.encode(wrong)


# preparation


def boxed(shapes: list[tuple[int, int, int, int]]) -> np.ndarray:
    ink = np.zeros((140, 140), np.uint8)
    for top, left, height, width in shapes:
        ink[top : top + height, left : left + width] = 255
    return ink


def extent(pixels: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    return rows[0], rows[-1], columns[0], columns[-1]


@given(strokes)
@example(shapes=[(0, 20, 30, 2), (0, 79, 7, 11)])  # a thin one, whose centre rounding moves
def test_a_drawing_is_20_pixels_long_white_and_centred_by_its_mass(shapes):
    prepared = centred(boxed(shapes))
    top, bottom, left, right = extent(prepared)
    # a thin tip may round to black
    assert BOX - 2 <= max(bottom - top, right - left) + 1 <= BOX
    assert prepared.max() == 255
    assert set(np.unique(prepared)) <= {17 * level for level in range(16)}
    values = prepared.astype(float)
    for axis, first, last in ((1, top, bottom), (0, left, right)):
        centre = values.sum(axis=axis) @ np.arange(28) / values.sum()
        is_at_an_edge = first <= 1 or last >= 26
        assert abs(centre - CENTRE) <= 0.5 + 1e-9 or is_at_an_edge


def test_a_plain_shape_is_centred_within_half_a_pixel():
    for shape in ((5, 5, 30, 7), (60, 10, 9, 22), (0, 0, 20, 20), (100, 99, 13, 40)):
        prepared = centred(boxed([shape])).astype(float)
        top, bottom, left, right = extent(prepared)
        assert max(bottom - top, right - left) + 1 == BOX
        for axis in (0, 1):
            centre = prepared.sum(axis=axis) @ np.arange(28) / prepared.sum()
            assert abs(centre - CENTRE) <= 0.5


def test_the_digits_of_mnist_are_centred_where_ours_are():
    images = np.stack([test_digits.test_digit(d, i) for d in range(10) for i in range(30)]) / 255
    mass = images.sum((1, 2))
    for axis in (1, 2):
        centres = images.sum(3 - axis) @ np.arange(28) / mass
        assert centres.mean() == pytest.approx(CENTRE, abs=0.1)


def test_a_prepared_digit_is_prepared_again_without_change_of_place():
    digit = test_digits.test_digit(4, 0)
    assert extent(centred(digit)) == extent(digit)


def test_no_ink_is_a_black_picture():
    assert not centred(np.zeros((50, 60), np.uint8)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 3)])
def test_ink_of_any_shape_fits(shape):
    prepared = centred(np.full(shape, 200, np.uint8))
    assert prepared.shape == (28, 28)
    assert prepared.max() == 255


# photographs


def paper(height: int = 320, width: int = 240) -> np.ndarray:
    """A dark upright bar, left of the middle, on bright paper."""
    grey = np.full((height, width), 240, np.uint8)
    grey[60:260, 70:100] = 30
    return grey


def is_upright_bar(pixels: np.ndarray) -> bool:
    top, bottom, left, right = extent(pixels)
    return bottom - top + 1 == BOX and right - left + 1 <= 5


def test_dark_ink_on_paper_becomes_white_on_black():
    ink = ink_of(paper())
    assert ink.inverted
    assert ink.values[0, 0] == 0
    assert ink.values[150, 85] == 255
    assert is_upright_bar(centred(ink.values))


def test_white_ink_on_black_is_not_inverted():
    ink = ink_of(255 - paper())
    assert not ink.inverted
    assert is_upright_bar(centred(ink.values))


def test_shadow_and_grain_fade_to_black():
    shade = np.linspace(0.5, 1, 320)[:, None] * np.linspace(1, 0.75, 240)[None]
    grain = np.random.default_rng(0).normal(0, 5, (320, 240))
    photo = np.clip(paper() * shade + grain, 0, 255).astype(np.uint8)
    ink = ink_of(photo)
    assert ink.inverted
    assert is_upright_bar(centred(ink.values))
    outside = np.ones((320, 240), bool)
    outside[55:265, 65:105] = False
    assert not ink.values[outside].any()


@pytest.mark.parametrize(
    "grey",
    [
        np.full((50, 50), 255, np.uint8),
        np.zeros((50, 50), np.uint8),
        np.full((1, 1), 128, np.uint8),
        np.random.default_rng(1).integers(120, 126, (80, 80)).astype(np.uint8),
    ],
)
def test_a_uniform_picture_has_no_ink(grey):
    with pytest.raises(UnusablePictureError, match="the same brightness everywhere"):
        ink_of(grey)


# files


def file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    content = BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


GREY = Image.fromarray(paper())
COLOUR = GREY.convert("RGB")
BLANK = Image.new("RGB", GREY.size, "white")
CLEAR = Image.fromarray(np.dstack([np.zeros((320, 240, 3), np.uint8), 255 - paper()]))
DEEP = Image.fromarray(paper().astype(np.uint16) * 257)
ON_ITS_SIDE = Image.Exif()
ON_ITS_SIDE[0x0112] = 6  # to be turned clockwise by a quarter
LYING = GREY.transpose(Image.Transpose.ROTATE_90)


@pytest.mark.parametrize(
    ("content", "done"),
    [
        pytest.param(file(GREY), [], id="grey PNG"),
        pytest.param(file(COLOUR), [], id="colour PNG"),
        pytest.param(file(COLOUR, "JPEG"), [], id="JPEG"),
        pytest.param(file(COLOUR, "WEBP"), [], id="WebP"),
        pytest.param(file(GREY.convert("1")), [], id="black and white"),
        pytest.param(file(GREY.convert("P")), [], id="palette"),
        pytest.param(file(GREY.convert("CMYK"), "JPEG"), [], id="CMYK"),
        pytest.param(file(GREY.convert("LA")), [], id="grey and opaque"),
        pytest.param(file(CLEAR), ["transparent"], id="ink on nothing"),
        pytest.param(file(CLEAR, "WEBP"), ["transparent"], id="ink on nothing, WebP"),
        pytest.param(file(CLEAR.convert("LA")), ["transparent"], id="grey ink on nothing"),
        pytest.param(
            file(GREY.convert("P"), transparency=240), ["transparent"], id="palette with a hole"
        ),
        pytest.param(
            file(COLOUR, transparency=(240,) * 3), ["transparent"], id="one transparent colour"
        ),
        pytest.param(file(DEEP), ["deep"], id="16 bits"),
        pytest.param(file(LYING, "JPEG", exif=ON_ITS_SIDE), ["turned"], id="turned JPEG"),
        pytest.param(file(LYING, "PNG", exif=ON_ITS_SIDE), ["turned"], id="turned PNG"),
        pytest.param(file(LYING.convert("RGB"), "WEBP", exif=ON_ITS_SIDE), ["turned"], id="turned"),
        pytest.param(
            file(COLOUR, save_all=True, append_images=[BLANK]), ["first_frame"], id="animated PNG"
        ),
        pytest.param(
            file(COLOUR, "WEBP", save_all=True, append_images=[BLANK]),
            ["first_frame"],
            id="animated WebP",
        ),
        pytest.param(file(COLOUR.resize((2400, 3200)), "JPEG"), [], id="large photograph"),
        pytest.param(file(GREY.resize((30, 40))), [], id="small"),
    ],
)
def test_every_kind_of_file_becomes_the_same_bar(content, done):
    upload = read_upload(content)
    assert upload.done == (*done, "inverted")
    assert is_upright_bar(upload.pixels)
    assert upload.original.shape == (*upload.grey.shape, 3)
    assert upload.grey.shape == upload.ink.shape
    assert max(upload.grey.shape) <= 512
    assert upload.pixels.dtype == np.uint8


def declared(width: int, height: int) -> bytes:
    """The beginning of a PNG that says it has this size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"no picture at all" * 50, "unknown", id="text"),
        pytest.param(file(GREY, "GIF"), "unknown", id="GIF, whatever its name"),
        pytest.param(file(GREY, "BMP"), "unknown", id="BMP"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unknown", id="SVG"),
        pytest.param(file(Image.new("L", (1, 1))), "uniform", id="1 x 1"),
        pytest.param(file(BLANK), "uniform", id="white"),
        pytest.param(file(Image.new("RGBA", (9, 9))), "uniform", id="nothing but transparency"),
        pytest.param(file(Image.new("1", (20_000, 20_000))), "large", id="20,000 x 20,000"),
        pytest.param(declared(10_000, 10_000), "large", id="a bomb that only warns"),
        pytest.param(declared(100_000, 100_000), "large", id="a bomb"),
        pytest.param(declared(8_001, 8_000), "large", id="just too large"),
        pytest.param(declared(7_100, 7_100), "whole", id="too large to be decoded whole"),
        pytest.param(declared(7_000, 7_000), "damaged", id="says that it is large"),
        pytest.param(b"\0\0\0\x20ftypheic" + bytes(99), "heic", id="an iPhone's own kind"),
        pytest.param(bytes(MAX_BYTES + 1), "heavy", id="too many bytes"),
    ],
)
def test_what_is_no_picture_has_one_reason(content, reason):
    with pytest.raises(UnusablePictureError) as caught:
        read_upload(content)
    assert caught.value.reason == reason


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_truncated_file_is_a_reason_and_never_a_traceback(kind, share):
    content = file(COLOUR.rotate(3, fillcolor="white"), kind)
    with pytest.raises(UnusablePictureError) as caught:
        read_upload(content[: int(share * len(content))])
    assert caught.value.reason in ("damaged", "unknown")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
@example(places=[(0.875, 1)])  # in a WebP, the note on how the camera was held
@settings(max_examples=60, deadline=None)
def test_a_file_with_wrong_bytes_is_a_picture_or_a_reason(kind, places):
    content = bytearray(file(COLOUR.resize((60, 80)), kind, exif=ON_ITS_SIDE))
    for where, byte in places:
        content[int(where * (len(content) - 1))] = byte
    with suppress(UnusablePictureError):
        assert read_upload(bytes(content)).pixels.shape == (28, 28)


def test_the_limits_are_those_that_the_sentences_name():
    assert MAX_BYTES == 24 * 1024**2
    assert MOST_PIXELS == 8_000 * 8_000
    assert MAX_DECODED_BYTES == 200 * 10**6
