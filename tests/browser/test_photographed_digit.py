"""A photograph of a digit in Chromium: its steps, a correction, and a picture without ink."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from browser_helpers import Visit
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def written(folder: Path, name: str, with_ink: bool) -> Path:
    grey = np.full((300, 400), 235, np.uint8)
    if with_ink:
        grey[100:112, 180:230] = grey[112:200, 218:230] = 40
    content = BytesIO()
    Image.fromarray(grey).save(content, "PNG")
    (folder / name).write_bytes(content.getvalue())
    return folder / name


@pytest.mark.parametrize("width", [1440, 390])
def test_a_photograph_is_shown_step_by_step_and_corrected(
    visit: Callable[..., Visit], tmp_path: Path, width: int
):
    one = visit(width, "light")
    one.open("")
    page = one.page
    if width < 640:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("radio", name="Upload", exact=True).click()
    field = page.locator(".st-key-upload input[type=file]")
    field.set_input_files(written(tmp_path, "seven.png", True))
    steps = page.locator(".picture-steps li")
    expect(steps).to_have_count(5)
    expect(steps.nth(2)).to_contain_text("it was inverted")
    box, shown = page.locator(".picture-steps").bounding_box(), steps.nth(0).locator("img")
    assert shown.bounding_box()["x"] - box["x"] < 4  # no room is lost to a list's numbers
    before = steps.nth(4).locator("img").get_attribute("src")
    page.get_by_text("Correct how it is read").click()
    page.get_by_role("button", name="Turn right").click()
    expect(steps.nth(4).locator("img")).not_to_have_attribute("src", before)
    page.get_by_role("button", name="As it was found").click()
    expect(steps.nth(4).locator("img")).to_have_attribute("src", before)
    field.set_input_files(written(tmp_path, "white.png", False))
    expect(page.get_by_text("so no ink was found")).to_be_visible()
    expect(page.get_by_role("button", name="Turn left")).to_be_visible()
