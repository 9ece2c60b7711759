"""A visitor's own pictures, from an empty page to another picture that the new model is asked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser_helpers import Visit
from own_pictures import picture, three_classes, zipped
from playwright.sync_api import expect
from test_accessibility import findings

pytestmark = pytest.mark.browser


def test_from_an_empty_page_to_another_picture(visit: Callable[..., Visit], tmp_path: Path) -> None:
    hostile, good, photo = tmp_path / "a.zip", tmp_path / "b.zip", tmp_path / "c.png"
    hostile.write_bytes(zipped({"red/0.png": picture(), "../red/1.png": picture()}))
    good.write_bytes(three_classes(6))
    photo.write_bytes(picture("blue", 99))
    one = visit(390)
    page = one.page
    one.open("train?data=pictures")
    expect(page.get_by_text("Before you send anything")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(hostile)
    expect(page.get_by_text("has a path that leaves its folder")).to_be_visible()
    one.settle()
    page.locator("input[type=file]").first.set_input_files(good)
    expect(page.get_by_text("18 pictures were added.")).to_be_visible()
    expect(page.get_by_role("img", name="A picture of green")).to_have_count(6)
    one.settle()
    assert findings(one) == [], "axe, of what was brought"
    page.get_by_role("button", name="Train the probe").click()
    expect(page.get_by_text("of 6 held-out pictures right")).to_be_visible()
    expect(page.get_by_text("You expected 5 of 10")).to_be_visible()
    expect(page.locator(".asked li")).to_have_count(6)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, "nothing stands beside the page"
    one.settle()
    assert findings(one) == [], "axe, of the result"
    page.get_by_role("button", name="Try another picture").click()
    expect(page.get_by_role("heading", name="Classification head").first).to_be_visible()
    one.settle()
    assert "run=" in page.url
    one.open(page.url.removeprefix(f"{one.url}/"))
    expect(page.get_by_text("blue").first).to_be_visible()
