"""Home's pictures as objects: what they show equals what they were given."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from explainer.figures import pixels, theme
from explainer.figures.class_bars import class_bars
from explainer.figures.parts import parts_table

NAMES = tuple("0123456789")
SHARES = np.array([0.01, 0.02, 0.6, 0.05, 0.05, 0.2, 0.01, 0.02, 0.02, 0.02], np.float32)


def decode(address: str) -> np.ndarray:
    """Return the picture behind a data address as another program reads it, RGBA."""
    content = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return np.array(Image.open(io.BytesIO(content)).convert("RGBA"))


def colour(stop: str) -> list[int]:
    return [int(stop[at : at + 2], 16) for at in (1, 3, 5)] + [255]


def test_a_grey_image_keeps_every_pixel():
    image = np.arange(256, dtype=np.uint8).reshape(8, 32)
    shown = decode(pixels.grey_image(image))
    assert shown.shape == (8, 32, 4)
    for channel in range(3):
        np.testing.assert_array_equal(shown[..., channel], image)


def test_weights_start_at_zero_whatever_the_smallest_is():
    shown = decode(pixels.weights_matrix(np.array([[0.5, 1.0], [0.0, 0.75]])))
    assert shown[1, 0].tolist() == colour(theme.SEQUENTIAL[0])
    assert shown[0, 1].tolist() == colour(theme.SEQUENTIAL[-1])
    assert np.abs(shown[0, 0].astype(int) - colour(theme.SEQUENTIAL[5])).max() <= 4


def test_pieces_are_the_patches_in_their_places_with_clear_gaps():
    image = np.arange(1, 37, dtype=np.float32).reshape(6, 6)
    patches = image.reshape(2, 3, 3, 2).transpose(0, 2, 1, 3).reshape(6, 6)  # of 3 × 2 pixels
    shown = decode(pixels.pieces(patches, grid=(2, 3), patch=(3, 2)))
    assert shown.shape == (7, 8, 4)
    assert (shown[3, :, 3] == 0).all() and (shown[:, [2, 5], 3] == 0).all()
    joined = np.delete(np.delete(shown, 3, axis=0), [2, 5], axis=1)
    assert (joined[..., 3] == 255).all()
    np.testing.assert_array_equal(joined[..., 0].flatten().argsort(), np.arange(36))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_no_picture_hides_a_number_that_is_none(bad):
    values = np.array([[0.0, bad]])
    with pytest.raises(ValueError, match="finite"):
        pixels.weights_matrix(values)
    with pytest.raises(ValueError, match="finite"):
        class_bars(np.array([0.5, bad]), "01", 0, ["", ""], "", "")


def test_class_bars_are_the_probabilities_and_tell_the_true_class():
    texts = [f"{share:.0%}" for share in SHARES]
    html = class_bars(SHARES, NAMES, 5, texts, "the <true> class", "all & every")
    rows = re.findall(r"<tr(.*?)</tr>", html)
    assert [re.search(r"<th[^>]*>(.*?)</th>", row)[1] for row in rows] == list(NAMES)
    assert [
        f"width:max(1px,{100 * share:.2f}%)" in row for share, row in zip(SHARES, rows, strict=True)
    ]
    assert [at for at, row in enumerate(rows) if "class=best" in row] == [2]
    assert [at for at, row in enumerate(rows) if "✓" in row] == [5]
    assert 'aria-label="the &lt;true&gt; class"' in html and "all &amp; every" in html
    for text in texts:
        assert f"<td>{text}" in html


def test_the_parts_add_up_and_empty_ones_are_left_out():
    html = parts_table(
        {"a": 750, "b": 0, "c": 250}, {"a": "<A>", "b": "B", "c": "C"}, ("x", "y", "z"), "all"
    )
    assert re.findall(r"<td>(.*?)</td>", html) == ["750", "75.0 %", "250", "25.0 %"]
    assert "&lt;A&gt;" in html and ">B<" not in html
