"""Heat maps and the film of their test in Chromium: all of it without asking the server."""

from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect

from explainer.content import load_texts

pytestmark = pytest.mark.browser

TEXTS = load_texts("look_inside")
MAPS, FILM = TEXTS["parts"]["where"]["maps"], TEXTS["parts"]["truth"]["film"]
LINK = "look-inside?source=untrained&patches=4&width=16&heads=2&depth=2"


def tile(page: Page, title: str) -> Locator:
    return page.locator(".heat-maps .tile", has=page.get_by_role("heading", name=title, exact=True))


def test_a_patch_is_read_in_every_map_and_maps_are_drawn_smooth(
    visit: Callable[..., Visit],
) -> None:
    one = visit()
    one.open(f"{LINK}&query=1")
    rollout, chance = tile(one.page, "Attention rollout"), tile(one.page, "Chance")
    where = one.page.locator(".heat-maps .where")
    expect(where).to_have_text("patch 1, 1")
    before = rollout.locator(".value").inner_text()
    box = chance.locator(".picture").bounding_box()
    chance.locator(".picture").hover(position={"x": 0.9 * box["width"], "y": 0.6 * box["height"]})
    expect(where).to_have_text("patch 3, 4")
    expect(rollout.locator(".value")).not_to_have_text(before)
    one.page.mouse.move(0, 0)
    expect(where).to_have_text("patch 1, 1")
    one.page.locator(".heat-maps .cell").nth(0).focus()
    one.page.keyboard.press("ArrowRight")
    expect(where).to_have_text("patch 1, 2")
    overlay = rollout.locator("canvas.overlay")
    expect(overlay).to_have_css("image-rendering", "pixelated")
    one.page.get_by_role("button", name=MAPS["smooth"], exact=True).click()
    expect(overlay).to_have_css("image-rendering", "auto")
    expect(one.page.get_by_text(MAPS["smooth_note"])).to_be_visible()


def test_patches_go_step_by_step_in_the_order_of_the_chosen_map(
    visit: Callable[..., Visit],
) -> None:
    one = visit()
    one.page.emulate_media(reduced_motion="reduce")
    one.open(LINK)
    film = one.page.locator(".deletion-film")
    film.scroll_into_view_if_needed()
    slider = one.page.get_by_role("slider", name=FILM["slider"])
    caption = film.locator(".caption")
    expect(caption).to_contain_text("0 of 16 patches are gone")
    slider.focus()
    one.page.keyboard.press("End")
    expect(caption).to_contain_text("16 of 16 patches are gone")
    values = film.locator(".row > .number").all_inner_texts()
    assert len({*values}) == 1  # without patches all maps are alike
    one.page.keyboard.press("ArrowLeft")
    expect(caption).not_to_contain_text("16 of 16")
    film.get_by_role("button", name="Ink").click()
    expect(caption).to_contain_text("Ink:")
    one.page.wait_for_url("**method=ink**")
    film.get_by_role("button", name=FILM["gives"], exact=True).click()
    expect(caption).to_contain_text("patches are back")
    one.page.keyboard.press("Home")
    slider.focus()
    one.page.keyboard.press("Home")
    film.get_by_role("button", name="Play").click()
    expect(caption).not_to_contain_text(" 0 of 16")
    film.get_by_role("button", name="Pause").click()
    expect(film.get_by_role("button", name="Play")).to_be_visible()
