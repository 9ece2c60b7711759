"""The app as its users meet it."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import expect

from explainer.figures import theme

pytestmark = pytest.mark.browser


def css(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_the_first_page_is_complete_and_its_pictures_have_a_text(visit: Callable[..., Visit]):
    home = visit()
    home.open()
    expect(home.page.locator("h1")).to_have_text("A Vision Transformer, from the inside")
    expect(home.page.locator(".pipeline li code").first).to_have_text("(1, 28, 28)")
    expect(home.page.locator(".pipeline img").first).to_be_visible()
    expect(home.page.locator(".js-plotly-plot .point")).to_have_count(10)
    expect(home.page.locator("table.parts tbody tr").first).to_be_visible()
    alone = home.page.locator(".pipeline .picture > img")
    expect(alone.first).to_be_visible()
    assert alone.count() >= 5
    for picture in alone.all():
        assert len(picture.get_attribute("alt")) > 20
    expect(home.page.locator(".pipeline .bars")).to_have_attribute(
        "aria-label", re.compile("Scores")
    )


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
            (".pipeline .legend", "color", theme.MUTED),
            (".js-plotly-plot .ytick text", "fill", theme.TEXT),
        ):
            shown = home.page.locator(selector).first
            expect(shown).to_have_css(name, css(colour.for_mode(mode)))
    # forth and back before the server has drawn the first of them
    for mode in (scheme, other):
        with home.socket.expect_event("framesent"):
            home.page.emulate_media(color_scheme=mode)
    name = home.page.locator(".js-plotly-plot .ytick text").first
    expect(name).to_have_css("fill", css(theme.TEXT.for_mode(other)))


def test_a_knob_by_keyboard_changes_page_and_link(visit: Callable[..., Visit]):
    home = visit()
    home.open("?source=untrained")
    knob = home.page.get_by_role("slider", name="Embedding width")
    knob.press("ArrowRight")
    expect(home.page.locator(".pipeline li code").nth(2)).to_have_text("(49, 128)")
    home.page.wait_for_url("**/?source=untrained&width=128")


def test_a_hostile_link_opens_on_the_defaults(visit: Callable[..., Visit]):
    home = visit()
    home.open("?source=../../x&width=63&depth=1e9&digit=<script>alert(1)</script>&query=-1&foo=1")
    expect(home.page.locator(".pipeline li code").first).to_have_text("(1, 28, 28)")
    home.page.wait_for_url("**/?foo=1*")
    assert "script" not in home.link() and "width" not in home.link()
