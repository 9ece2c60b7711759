"""The app as its users meet it."""

from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import expect

from explainer.figures import theme

pytestmark = pytest.mark.browser


COLOURS = """(c) => new Set(new Uint32Array(
    c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"""


def css(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_the_first_page_is_complete_and_its_picture_has_a_text(visit: Callable[..., Visit]):
    home = visit()
    home.open()
    expect(home.page.locator("h1")).to_contain_text("Vision Transformer")
    expect(home.page.locator(".home .bar")).to_have_count(10)
    expect(home.page.locator(".home .answer")).to_have_text("7")
    expect(home.page.locator(".home")).to_have_attribute("data-shape", "50 x 64 x 4")
    expect(home.page.locator(".home .labels a")).to_have_count(8)
    described = home.page.locator(".home > .announcement").first
    expect(described).to_contain_text("The most probable answer is 7")
    colours = home.page.locator(".home > canvas").evaluate(COLOURS)
    assert colours > 200


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_theme_and_fonts_hold_from_another_directory_and_charts_follow_a_change(
    visit: Callable[..., Visit], scheme: theme.Mode, other: theme.Mode
):
    home = visit(scheme=scheme)
    home.open()
    family = "getComputedStyle(document.querySelector('h1')).fontFamily"
    assert "Atkinson Hyperlegible Next" in home.page.evaluate(family)
    assert home.page.evaluate("document.fonts.check('16px \"Atkinson Hyperlegible Next\"')")
    for mode in (scheme, other):
        home.page.emulate_media(color_scheme=mode)
        for selector, name, colour in (
            (".stApp", "background-color", theme.BACKGROUND),
            ("[data-testid=stSidebar]", "background-color", theme.SURFACE),
            (".home .followed", "color", theme.MUTED),
            (".home .bar:not(.best) .name", "color", theme.TEXT),
        ):
            shown = home.page.locator(selector).first
            expect(shown).to_have_css(name, css(colour.for_mode(mode)))
    # forth and back before the server has drawn the first of them
    for mode in (scheme, other):
        with home.socket.expect_event("framesent"):
            home.page.emulate_media(color_scheme=mode)
    name = home.page.locator(".home .bar:not(.best) .name").first
    expect(name).to_have_css("color", css(theme.TEXT.for_mode(other)))


def test_a_knob_by_keyboard_changes_page_and_link(visit: Callable[..., Visit]):
    home = visit()
    home.open("?source=untrained")
    knob = home.page.get_by_role("slider", name="Embedding width")
    knob.press("ArrowRight")
    expect(home.page.locator(".home")).to_have_attribute("data-shape", "50 x 128 x 4")
    home.page.wait_for_url("**/?source=untrained&width=128")


def test_a_hostile_link_opens_on_the_defaults(visit: Callable[..., Visit]):
    home = visit()
    home.open("?source=../../x&width=63&depth=1e9&digit=<script>alert(1)</script>&query=-1&foo=1")
    expect(home.page.locator(".home")).to_have_attribute("data-shape", "50 x 64 x 4")
    home.page.wait_for_url("**/?foo=1*")
    assert "script" not in home.link() and "width" not in home.link()
