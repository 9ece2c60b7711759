"""Figures of coloured pixels: of the right form, and of pinned colours."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from explainer.figures import pixels
from explainer.figures.grids import LINE, gridded
from explainer.figures.looks import image_alone, look, looks, overlay, overview
from explainer.figures.maps import map_of
from explainer.figures.products import Tile, product

SMALL = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
PHOTOGRAPH = np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8)
WEIGHTS = np.array([[0.1, 0.2], [0.3, 0.4]])


def decode(address: str) -> np.ndarray:
    picture = Image.open(io.BytesIO(base64.b64decode(address.split(",", 1)[1])))
    return np.asarray(picture.convert("RGBA"))


@pytest.mark.parametrize("image", [SMALL, PHOTOGRAPH, SMALL[:4]])
def test_colours_arrive_as_they_are(image: np.ndarray) -> None:
    shown = decode(pixels.image_address(image))
    np.testing.assert_array_equal(shown[..., :3], image)
    assert (shown[..., 3] == 255).all()


def test_coloured_pieces_stand_in_their_places_with_clear_gaps() -> None:
    tiles = SMALL.reshape(2, 4, 2, 4, 3).transpose(0, 2, 4, 1, 3).reshape(4, 48)
    shown = decode(pixels.pieces(tiles, (2, 2), (4, 4)))
    assert shown.shape == (9, 9, 4)
    assert not shown[4].any() and not shown[:, 4].any()
    joined = np.delete(np.delete(shown, 4, axis=0), 4, axis=1)
    np.testing.assert_array_equal(joined[..., :3], SMALL)
    assert (joined[..., 3] == 255).all()


def test_a_gap_is_seen_beside_large_patches() -> None:
    tiles = PHOTOGRAPH.reshape(16, 14, 16, 14, 3).transpose(0, 2, 4, 1, 3).reshape(256, 588)
    shown = decode(pixels.pieces(tiles, (16, 16), (14, 14)))
    assert shown.shape == (16 * 16 - 2, 16 * 16 - 2, 4)
    assert not shown[14:16].any()


def test_a_grid_lies_over_colours() -> None:
    picture = gridded(SMALL, (2, 2), zoom=3)
    assert picture.shape == (24, 24, 3)
    np.testing.assert_array_equal(picture[1::3, 1::3], SMALL)
    assert (picture[12] == LINE).all() and (picture[:, 12] == LINE).all()
    assert not (picture == LINE).all(axis=(1, 2))[11]


@pytest.mark.parametrize(("image", "smooth"), [(SMALL, False), (PHOTOGRAPH, True)])
def test_photographs_are_smoothed_and_small_images_are_not(image: np.ndarray, smooth: bool) -> None:
    for html in (look(image, WEIGHTS, ""), image_alone(image, "")):
        assert ('class="smooth"' in html) == smooth
        first = re.findall(r'src="([^"]+)"', html)[0]
        np.testing.assert_array_equal(decode(first)[..., :3], image)
    assert pixels.rendering(image) == ("auto" if smooth else "pixelated")


def test_many_pictures_bring_their_image_once() -> None:
    texts = {"caption": "all", "block": "{block}", "head": "{head}", "alt": "{block}.{head}"}
    weights = np.random.default_rng(0).random((12, 12, 256))
    words = [["strongest"] * 12] * 12
    address = pixels.image_address(PHOTOGRAPH)
    html = overview(PHOTOGRAPH, weights, (16, 16), (0, 0), texts, words)
    assert html.count(address) == 1
    assert len(html) < len(address) + 144 * 3_000
    name = re.search(r"\.(behind-[0-9a-f]{8}) \.over \{ background: url", html)[1]
    assert f'class="overview-box {name}"' in html

    several = looks([(overlay(WEIGHTS, "an <alt>"), "title", [])] * 12, PHOTOGRAPH)
    assert several.count(address) == 1 and several.count("an &lt;alt&gt;") == 12
    assert f'<div class="{name}">' in several and '<div class="looks">' in several


def test_weights_over_an_image_are_the_same_with_it_and_without() -> None:
    heat = re.findall(r'src="([^"]+)"', look(SMALL, WEIGHTS, ""))[1]
    assert re.findall(r'src="([^"]+)"', overlay(WEIGHTS, "")) == [heat]


def test_signed_colours_lie_around_mid_grey() -> None:
    values = np.array([[[0.0, 2.0, -2.0], [1.0, -1.0, 0.0]]])
    shown = decode(map_of(values, 2.0))
    assert shown[..., :3].tolist() == [[[128, 255, 0], [191, 64, 128]]]
    with pytest.raises(ValueError, match="finite"):
        map_of(np.full((1, 1, 3), np.nan), 1.0)


def test_a_coloured_patch_times_a_filter_has_no_numbers_in_its_cells() -> None:
    values = np.ones((2, 2, 3))
    tiles = (Tile(values, "patch", "", "a"), Tile(values[..., 0], "product", "", "b"))
    html = product(tiles, ("=",))
    assert html.count('class="cells"') == 1  # of the product, which is one number for each pixel
