"""One picture is the same picture however its file stores it: turned, deep or transparent."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, features

from vit_core.data.image_file import (
    FORMATS,
    MOST_PIXELS,
    UnreadableImageError,
    as_shown,
    open_image,
    quiet_pillow,
    read_image,
    upright,
)

T = Image.Transpose
STORED = {  # how a camera stores an upright picture with each of EXIF's numbers
    2: T.FLIP_LEFT_RIGHT,
    3: T.ROTATE_180,
    4: T.FLIP_TOP_BOTTOM,
    5: T.TRANSPOSE,
    6: T.ROTATE_90,
    7: T.TRANSVERSE,
    8: T.ROTATE_270,
}


def corners(size=(64, 48)):
    """A picture with a red, a green and a blue quarter."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = 255, 0, 0
    pixels[: height // 2, width // 2 :] = 0, 255, 0
    pixels[height // 2 :, : width // 2] = 0, 0, 255
    return Image.fromarray(pixels)


def through_file(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def array(image):
    return np.asarray(image).astype(int)


def chunk(kind, content):
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_header(width, height, depth=8, colour=2):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "MPO"])
@pytest.mark.parametrize("number", range(1, 9))
def test_every_orientation_is_upright(kind, number):
    exif = Image.Exif()
    exif[0x0112] = number
    stored = corners().transpose(STORED[number]) if number in STORED else corners()
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow is built without it")
    options = {"quality": 98} if kind in ("JPEG", "WEBP", "AVIF", "MPO") else {}
    file = through_file(stored, kind, exif=exif, **options)
    found = open_image(file, 3)
    assert found.size == (64, 48)
    assert abs(array(found)[[2, 2, -3], [2, -3, 2]] - 255 * np.eye(3)).max() < 40
    assert as_shown(found, 3).size == (64, 48)  # and is not turned a second time
    assert upright(upright(Image.open(io.BytesIO(file.getvalue())))).size == (64, 48)


def test_jpeg_that_lies_is_not_decoded_smaller_than_asked_for():
    exif = Image.Exif()
    exif[0x0112] = 6
    file = through_file(corners((800, 200)).transpose(T.ROTATE_90), "JPEG", exif=exif)
    found = open_image(file, 3, at_least=(60, 400))
    assert found.width >= 400 and found.height >= 60
    assert found.width < 800  # nor in full


@pytest.mark.parametrize("damaged", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"nothing", b"Exif\0\0MM"])
def test_damaged_exif_does_no_harm(damaged):
    with quiet_pillow():
        found = open_image(through_file(corners(), "JPEG", exif=damaged, quality=95), 3)
    assert abs(array(found) - array(corners())).mean() < 8


@pytest.mark.parametrize("number", [0, 9, 65_535])
def test_unknown_orientation_is_upright(number):
    exif = Image.Exif()
    exif[0x0112] = number
    assert (
        array(open_image(through_file(corners(), "PNG", exif=exif), 3)).tolist()
        == array(corners()).tolist()
    )


DEEP = np.linspace(0, 65_535, 64 * 48).reshape(48, 64)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM", "JPEG2000"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_grey_is_the_same_as_eight(kind, channels):
    options = {"irreversible": False} if kind == "JPEG2000" else {}
    file = through_file(Image.fromarray(DEEP.astype(np.uint16)), kind, **options)
    found = array(open_image(file, channels))
    expected = np.rint(DEEP / 257)
    assert abs(found - (expected if channels == 1 else expected[..., None])).max() <= 1


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [
        (1.0, np.float32),
        (255.0, np.float32),
        (65_535.0, np.float32),
        (65_535, np.int32),
        (255, np.int32),
    ],
)
def test_deeper_grey_is_scaled_by_what_its_values_can_mean(scale, dtype):
    values = (DEEP / 65_535 * scale).astype(dtype)
    found = array(open_image(through_file(Image.fromarray(values), "TIFF"), 1))
    assert abs(found - DEEP / 257).max() <= 1.01


@pytest.mark.parametrize("bad", [-1.0, 70_000.0, float("nan"), float("inf")])
def test_values_without_a_meaning_are_refused_in_a_sentence(bad):
    values = np.zeros((4, 4), np.float32)
    values[1, 1] = bad
    with pytest.raises(UnreadableImageError, match=r"the picture has pixels with values from"):
        open_image(through_file(Image.fromarray(values), "TIFF"), 1)


def test_both_orders_of_bytes_and_other_files_of_the_same_values():
    expected = DEEP / 257
    for image, kind in (
        (Image.fromarray(DEEP.astype(">u2")), "TIFF"),
        (Image.fromarray(DEEP.astype("<u2")), "TIFF"),
        (Image.fromarray((DEEP / 65_535).astype(np.float32)), "PPM"),  # which makes it a PFM
    ):
        found = array(open_image(through_file(image, kind), 1))
        assert abs(found - expected).max() <= 1, (image.mode, kind)
        assert abs(array(as_shown(image, 1)) - expected).max() <= 1, image.mode


def test_dark_sixteen_bit_picture_stays_dark():
    dark = Image.fromarray(np.full((4, 4), 250, np.uint16))
    for kind in ("PNG", "TIFF", "PPM"):
        assert array(open_image(through_file(dark, kind), 1)).max() == 1


def test_twelve_bits_and_sixteen_bits_with_white_as_zero():
    """A TIFF may call 0 white; Pillow turns that round for 8 bits, not for 16."""
    file = bytearray(through_file(Image.fromarray(DEEP.astype(np.uint16)), "TIFF").getvalue())
    (start,) = struct.unpack("<I", file[4:8])
    (count,) = struct.unpack("<H", file[start : start + 2])
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack("<H", file[entry : entry + 2]) == (262,):
            file[entry + 8 : entry + 10] = b"\0\0"
    found = array(open_image(io.BytesIO(bytes(file)), 1))
    assert abs(found - (255 - DEEP / 257)).max() <= 1


def test_sixteen_bit_colour():
    levels = np.linspace(0, 65_535, 16).astype(">u2").reshape(4, 4)
    pixels = np.stack([levels, levels[::-1], levels.T], axis=-1)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    file = png_header(4, 4, 16) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    found = array(open_image(io.BytesIO(file), 3))
    assert abs(found - pixels.astype(float) / 257).max() <= 1


def test_one_transparent_value_of_sixteen_bits():
    levels = np.array([[1000, 1001], [30_000, 65_535]], ">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    file = png_header(2, 2, 16, 0) + chunk(b"tRNS", struct.pack(">H", 1000))
    file += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert array(open_image(io.BytesIO(file), 1)).tolist() == [[255, 4], [117, 255]]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA", "RGBa", "La"])
@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_parts_are_white(mode, channels):
    """Black ink on nothing, whatever colour the nothing has."""
    alpha = np.zeros((8, 8), np.uint8)
    alpha[2:6, 2:6] = 255
    black = Image.new("L", (8, 8), 0)
    black.putalpha(Image.fromarray(alpha))
    if mode == "P":
        image = Image.fromarray((alpha > 0).astype(np.uint8), "L").convert("P")
        image.putpalette([0, 0, 0, 0, 0, 0])
        image.info["transparency"] = 0
    else:
        image = (
            black.convert("RGBA").convert(mode) if mode in ("PA", "RGBa") else black.convert(mode)
        )
    before = image.tobytes()
    found = array(as_shown(image, channels))
    assert abs(found.reshape(8, 8, -1) - (255 - alpha.astype(int))[..., None]).max() == 0
    assert image.tobytes() == before  # which is left as it was


def test_half_transparent_is_half_white():
    assert array(as_shown(Image.new("RGBA", (1, 1), (255, 0, 0, 128)), 3)).tolist() == [
        [[255, 127, 127]]
    ]


@pytest.mark.parametrize(
    "mode",
    [
        "1",
        "L",
        "P",
        "RGB",
        "RGBA",
        "RGBX",
        "CMYK",
        "YCbCr",
        "LAB",
        "HSV",
        "I",
        "F",
        "LA",
        "PA",
        "RGBa",
        "La",
        "I;16",
        "I;16B",
        "I;16L",
        "I;16N",
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_of_pillow(mode, channels):
    found = as_shown(Image.new(mode, (5, 3)), channels)
    assert found.mode == ("L" if channels == 1 else "RGB") and found.size == (5, 3)
    assert found.info == {}


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "P", "RGBX"])
def test_colours_survive_other_modes(mode):
    found = array(as_shown(corners().convert(mode), 3))
    assert abs(found - array(corners())).max() <= 3


def test_cmyk_of_a_jpeg():
    file = through_file(Image.new("CMYK", (9, 9), (0, 255, 255, 0)), "JPEG", quality=100)
    assert abs(array(open_image(file, 3)) - (255, 0, 0)).max() <= 12


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_first_of_several_frames(kind):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "lime")]
    options = {"lossless": True} if kind == "WEBP" else {}
    file = through_file(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert abs(array(open_image(file, 3)) - (255, 0, 0)).max() <= 1


def test_pictures_that_claim_too_much():
    for width, height in ((30_000, 30_000), (8_001, 8_000), (60_000, 60_000)):
        bomb = png_header(width, height) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        with pytest.raises(UnreadableImageError, match=f"more than {MOST_PIXELS:,} pixels"):
            open_image(io.BytesIO(bomb), 3)


def test_what_is_no_picture_is_said_in_one_sentence(tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").touch()
    whole = through_file(corners(), "PNG").getvalue()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "picture.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    for name, why in (
        ("text.jpg", "no image of a known format"),
        ("empty.png", "no image of a known format"),
        ("half.png", "cannot be read"),
        ("picture.eps", "no image of a known format"),  # for which a program would be started
        ("nothing.png", "does not exist"),
        ("", "is a folder"),
    ):
        with pytest.raises(UnreadableImageError, match=why) as caught:
            open_image(tmp_path / name, 3)
        assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("size", [(1, 1), (50_000, 1), (1, 50_000)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_extreme_sizes(tmp_path, size, kind):
    Image.new("RGB", size, "red").save(tmp_path / "x", kind)
    assert read_image(str(tmp_path / "x"), (8, 8)).shape == (3, 8, 8)


def test_formats_are_all_known():
    Image.init()
    assert set(FORMATS) - {"AVIF"} <= set(Image.OPEN)
