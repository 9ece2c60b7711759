"""Saving pictures in Chromium: the menu, its files, the clipboard, what a browser itself draws."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from browser_helpers import Visit
from PIL import Image
from playwright.sync_api import Page, expect

from explainer import picture
from explainer.content import load_texts

pytestmark = pytest.mark.browser

TEXTS = load_texts("pictures")
Opener = Callable[..., Visit]


def open_menu(page: Page, part: str) -> None:
    page.locator(f".st-key-more-{part} button").first.click()
    expect(page.locator(".saved-picture").first).to_be_visible()


def downloaded(page: Page, button: str) -> bytes:
    with page.expect_download() as event:
        page.get_by_role("button", name=button, exact=True).first.click()
    return event.value.path().read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_buttons_give_the_files_of_the_command(
    scheme: str, visit: Opener, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = visit(1024, scheme)
    one.open("patches?digit=3")
    assert not one.page.locator(".saved-picture").count()  # sent when the menu is opened
    open_menu(one.page, "explore")
    for kind in ("PNG", "SVG"):
        file = tmp_path / f"out.{kind.lower()}"
        link = "patches?digit=3&figure=explore.patch-explorer"
        assert picture.main([link, str(file)]) == 0
        assert downloaded(one.page, kind) == file.read_bytes()


def test_a_picture_is_copied(visit: Opener) -> None:
    one = visit()
    one.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    one.open("patches?digit=3")
    open_menu(one.page, "explore")
    one.page.get_by_role("button", name=TEXTS["copy"]["copy"]).first.click()
    expect(one.page.get_by_text(TEXTS["copy"]["copied"]).first).to_be_visible()
    size = one.page.evaluate(
        """async () => {
          const [item] = await navigator.clipboard.read();
          const picture = await createImageBitmap(await item.getType("image/png"));
          return [picture.width, picture.height];
        }"""
    )
    assert size[0] > 1000 and size[1] > 500
    one.page.context.clear_permissions()


def test_a_browser_that_cannot_copy_says_so(visit: Opener) -> None:
    one = visit()
    one.run_first("delete window.ClipboardItem")
    one.open("patches?digit=3")
    open_menu(one.page, "explore")
    one.page.get_by_role("button", name=TEXTS["copy"]["copy"]).first.click()
    expect(one.page.get_by_text(TEXTS["copy"]["cannot"]).first).to_be_visible()


@pytest.mark.parametrize(
    "address", ["", "story?screen=3", "story?screen=6&b=digit%3D3", "fool?edits=m16_k9_d12_h1.2"]
)
def test_what_the_browser_draws_is_saved_on_white(address: str, visit: Opener) -> None:
    pictures = {}
    for scheme in ("light", "dark"):
        one = visit(1440, scheme)
        one.open(address)
        button = one.page.locator("button.save").first
        expect(button).to_be_enabled()
        one.page.wait_for_timeout(500)
        content = downloaded(one.page, TEXTS["in_browser"]["save"])
        expect(button).to_have_text(TEXTS["in_browser"]["save"])
        pictures[scheme] = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    light, dark = pictures["light"], pictures["dark"]
    assert light.shape == dark.shape
    for image in (light, dark):
        frame = np.concatenate([image[:40].reshape(-1, 3), image[:, :40].reshape(-1, 3)])
        assert (frame == 255).all()
        assert (image < 100).any(axis=-1).mean() > 0.01  # it is not empty
    # a dark page gives the colours of paper, too
    assert (np.abs(light.astype(int) - dark).max(axis=-1) > 60).mean() < 0.02


def test_the_menu_of_homes_table_stands_beside_its_heading(visit: Opener) -> None:
    one = visit()
    one.open("")
    page = one.page
    page.get_by_text(load_texts("home")["parts_title"]).first.click()
    menu = page.locator(".st-key-more-parts button:visible").first
    expect(menu).to_be_visible()
    heading = page.locator(".st-key-part-parts h2")
    expect(heading).to_be_visible()
    there, beside = menu.bounding_box(), heading.bounding_box()
    assert abs(there["y"] + there["height"] / 2 - beside["y"] - beside["height"] / 2) < 30
