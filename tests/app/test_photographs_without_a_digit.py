"""A photograph without a digit is refused; what goes around a digit is not taken for it."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from explainer.inputs.pictures.prepare import UnusablePictureError, ink_of
from explainer.inputs.pictures.read_file import read_upload


def grainy(values: np.ndarray, noise: float = 3) -> np.ndarray:
    random = np.random.default_rng(1)
    return np.clip(values + random.normal(0, noise, values.shape), 0, 255).astype(np.uint8)


def page(paper: int = 235) -> Image.Image:
    return Image.new("L", (500, 500), paper)


def lines(*places: float, ink: int = 160, width: int = 2) -> np.ndarray:
    image = page()
    for place in places:
        ImageDraw.Draw(image).line((0, place, 500, place), ink, width)
    return np.asarray(image, float)


def soft_shadow() -> np.ndarray:
    edge = 1 / (1 + np.exp(-(np.arange(500) - 250) / 20))
    return np.tile(235 * (1 - 0.4 * edge), (500, 1))


EMPTY = {
    "light that fades": np.tile(np.linspace(235, 120, 500), (500, 1)),
    "a soft shadow": soft_shadow(),
    "ruled paper": lines(*range(20, 500, 40)),
    "a flash": 120 + 110 * np.exp(-((np.indices((500, 500)) - 200) ** 2).sum(0) / 150**2),
}


@pytest.mark.parametrize("kind", EMPTY)
def test_paper_without_a_digit_is_refused(kind):
    with pytest.raises(UnusablePictureError) as error:
        ink_of(grainy(EMPTY[kind]))
    assert error.value.reason in ("uniform", "no_digit")


def test_noise_is_refused():
    with pytest.raises(UnusablePictureError):
        ink_of(grainy(np.full((500, 500), 128.0), 60))


@pytest.mark.parametrize("sides", [(0, 1), (1, 2), (0, 1, 2), (0, 3), (0, 2)])
def test_a_part_of_a_frame_is_not_the_digit(sides):
    image = page()
    pen = ImageDraw.Draw(image)
    corners = [(120, 110), (380, 110), (380, 400), (120, 400), (120, 110)]
    for side in sides:
        pen.line((corners[side], corners[side + 1]), 30, 4)
    pen.line([(200, 180), (300, 180), (230, 330)], 60, 14, joint="curve")  # a 7
    rows, columns = np.nonzero(ink_of(grainy(np.asarray(image, float))).values)
    assert rows.min() > 165 and rows.max() < 345
    assert columns.min() > 185 and columns.max() < 315


def test_lines_are_said_to_be_taken_out_only_where_they_were():
    seven = np.asarray(page(), float).copy()
    strokes = Image.fromarray(seven.astype(np.uint8))
    ImageDraw.Draw(strokes).line([(200, 180), (300, 180), (230, 330)], 60, 14, joint="curve")
    assert not ink_of(grainy(np.asarray(strokes, float))).is_ruled
    ruled = np.minimum(np.asarray(strokes, float), lines(*range(20, 500, 40), ink=60, width=4))
    assert ink_of(grainy(ruled)).is_ruled


def upload(pixels: np.ndarray):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return read_upload(content.getvalue())


def test_translucent_ink_on_nothing_is_found():
    alpha = page(0)
    ImageDraw.Draw(alpha).line([(200, 180), (300, 180), (230, 330)], 110, 14, joint="curve")
    pixels = np.full((500, 500, 4), 240, np.uint8)
    pixels[..., 3] = np.asarray(alpha)
    found = upload(pixels)
    assert "alpha" in found.done
    assert found.pixels.max() == 255


def test_thin_ink_on_a_page_with_transparent_corners_is_found():
    grey, alpha = page(250), page(0)
    ImageDraw.Draw(grey).line([(200, 180), (240, 180), (210, 240)], 30, 5, joint="curve")
    ImageDraw.Draw(alpha).rounded_rectangle((0, 0, 499, 499), 40, fill=255)
    pixels = np.dstack([np.asarray(grey)] * 3 + [np.asarray(alpha)])
    found = upload(pixels)
    assert "transparent" in found.done
    rows, columns = np.nonzero(found.ink)
    assert rows.min() > 170 and rows.max() < 250
    assert columns.min() > 190 and columns.max() < 250
