"""The app as its users meet it."""

import re

import pytest
from playwright.sync_api import expect

from explainer.figures import theme
from explainer.shell.routes import PIPELINE, TITLES, WALK, address

pytestmark = pytest.mark.browser
LINKS = {view: "" if view == "home" else address(view) for view in TITLES}
UNTRAINED = "source=untrained&patches=4&width=32&heads=2&depth=3&position=sincos&seed=5"


def css(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_the_first_page_is_complete(visit):
    home = visit()
    home.open()
    expect(home.page.locator("h1")).to_have_text("A Vision Transformer, from the inside")
    expect(home.page.locator(".pipeline li code").first).to_have_text("(1, 28, 28)")
    expect(home.page.locator(".pipeline img").first).to_be_visible()
    expect(home.page.locator(".js-plotly-plot .point")).to_have_count(10)
    expect(home.page.locator("table.parts tbody tr").first).to_be_visible()
    home.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_and_fonts_hold_from_another_directory(visit, scheme):
    home = visit(scheme=scheme)
    home.open()
    background = "(selector) => getComputedStyle(document.querySelector(selector)).backgroundColor"
    assert home.page.evaluate(background, ".stApp") == css(theme.BACKGROUND.for_mode(scheme))
    assert home.page.evaluate(background, "[data-testid=stSidebar]") == css(
        theme.SURFACE.for_mode(scheme)
    )
    legend = home.page.locator(".pipeline .legend")
    assert legend.evaluate("(e) => getComputedStyle(e).color") == css(theme.MUTED.for_mode(scheme))
    family = "getComputedStyle(document.querySelector('h1')).fontFamily"
    assert "Atkinson Hyperlegible Next" in home.page.evaluate(family)
    assert home.page.evaluate("document.fonts.check('16px \"Atkinson Hyperlegible Next\"')")
    home.check()


def test_charts_follow_a_change_of_theme(visit):
    home = visit()
    home.open()
    name = home.page.locator(".js-plotly-plot .ytick text").first
    expect(name).to_have_css("fill", css(theme.TEXT.light))
    home.page.emulate_media(color_scheme="dark")
    expect(name).to_have_css("fill", css(theme.TEXT.dark), timeout=60_000)
    home.check()


@pytest.mark.parametrize("view", LINKS)
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_scrolls_sideways(visit, view, width):
    page = visit(width=width)
    page.open(LINKS[view])
    wider = """[document.documentElement, document.querySelector('[data-testid=stMain]')]
        .map((e) => e.scrollWidth - e.clientWidth)"""
    assert page.page.evaluate(wider) == [0, 0]
    page.check()


@pytest.mark.parametrize("view", WALK)
def test_a_link_restores_model_and_image(visit, view):
    page = visit()
    page.open(f"{LINKS[view]}?{UNTRAINED}&digit=3&index=5")
    first = page.link()
    for part in UNTRAINED.split("&"):
        assert part in first
    page.page.reload()
    page.settle()
    assert page.link() == first
    sidebar = page.page.locator("[data-testid=stSidebar]")
    for label, value in (
        ("Patches per side", "4"),
        ("Embedding width", "32"),
        ("Attention heads", "2"),
        ("Encoder blocks", "3"),
    ):
        expect(sidebar.get_by_role("slider", name=label)).to_have_attribute("aria-valuetext", value)
    for label in ("Seed", re.compile("test images of a 3")):
        expect(sidebar.get_by_role("spinbutton", name=label)).to_have_value("5")
    page.check()


def test_a_knob_by_keyboard_changes_page_and_link(visit):
    home = visit()
    home.open("?source=untrained")
    knob = home.page.get_by_role("slider", name="Embedding width")
    knob.press("ArrowRight")
    expect(home.page.locator(".pipeline li code").nth(2)).to_have_text("(49, 128)")
    home.page.wait_for_url("**/?source=untrained&width=128")
    home.check()


def test_every_page_is_reached_without_losing_the_choice(visit):
    page = visit()
    page.open(f"?{UNTRAINED}&digit=3")
    for view in (*list(LINKS)[1:], "home"):
        page.page.get_by_test_id("stTopNavLinkContainer").get_by_text(
            TITLES[view], exact=True
        ).click()
        page.page.wait_for_url(f"**/{LINKS[view]}?*digit=3*")
        page.settle()
        for part in UNTRAINED.split("&"):
            assert part in page.link()
    page.check()


@pytest.mark.parametrize("view", PIPELINE)
def test_a_stage_leads_to_its_page_by_keyboard(visit, view):
    home = visit()
    home.open(f"?{UNTRAINED}")
    home.page.locator(f".pipeline a[data-view={view}]").press("Enter")
    home.page.wait_for_url(f"**/{address(view)}?*width=32*")
    home.settle()
    number = PIPELINE.index(view) + 1
    expect(home.page.locator(".page-number")).to_have_text(f"Page {number} of 8")
    home.check()


def test_a_hostile_link_opens_on_the_defaults(visit):
    home = visit()
    home.open("?source=../../x&width=63&depth=1e9&digit=<script>alert(1)</script>&query=-1&foo=1")
    expect(home.page.locator(".pipeline li code").first).to_have_text("(1, 28, 28)")
    home.page.wait_for_url("**/?foo=1*")
    assert "script" not in home.link() and "width" not in home.link()
    home.check()


def test_every_picture_of_the_pipeline_has_a_text(visit):
    home = visit()
    home.open()
    alone = home.page.locator(".pipeline .picture > img")
    expect(alone.first).to_be_visible()
    assert alone.count() >= 5
    for picture in alone.all():
        assert len(picture.get_attribute("alt")) > 20
    expect(home.page.locator(".pipeline .bars")).to_have_attribute(
        "aria-label", re.compile("Scores")
    )
