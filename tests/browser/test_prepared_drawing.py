"""While the pen is down, a drawing is prepared in the browser exactly as the server does it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser

from explainer.components import assets
from explainer.components.drawing_pad import SIDE
from explainer.inputs.pictures.prepare import centred

pytestmark = pytest.mark.browser


def drawings() -> list[np.ndarray]:
    """Return drawings of all sizes, thick and thin, also a dot, a speck and an empty pad."""
    generator = np.random.default_rng(0)
    empty, speck = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    speck[5, 7] = 3
    inks = [empty, speck]
    for number in range(200):
        image = Image.new("L", (560, 560))
        pen, size = ImageDraw.Draw(image), (1, 1, 0.5, 0.1)[number % 4]
        for _ in range(generator.integers(1, 4)):
            points = 280 + size * generator.uniform(-260, 260, (generator.integers(2, 6), 2))
            width = int(generator.integers(10, 60) * max(size, 0.3))
            pen.line([tuple(point) for point in points.tolist()], 255, width, "curve")
        inks.append(np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)))
    return inks


def test_a_drawing_is_the_same_to_the_last_grey_level(browser: Browser) -> None:
    inks = drawings()
    page = browser.new_page()
    prepared = page.evaluate(
        "([source, inks, side]) => { const centred = new Function(`${source}; return centred`)();"
        " return inks.map((ink) => Array.from(centred(Uint8Array.from(ink), side))) }",
        [
            assets.javascript("drawing_pad/centred"),
            [ink.ravel().tolist() for ink in inks],
            SIDE,
        ],
    )
    page.close()
    for ink, pixels in zip(inks, prepared, strict=True):
        np.testing.assert_array_equal(np.reshape(pixels, (28, 28)), centred(ink))
