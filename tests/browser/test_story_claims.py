"""The story's screens about maps of what counted, in a real browser, with the model's numbers."""

import re

import pytest
from playwright.sync_api import expect
from story_helpers import answer, button, open_still, story

from explainer.content import load_texts
from explainer.inputs.models.load import load_source
from explainer.inputs.pictures.test_digits import test_digit as digit_of
from vit_core.interpret import attribute, deletion_insertion

pytestmark = pytest.mark.browser

TEXTS = load_texts("story")["screens"]
FRAME = load_texts("story")["frame"]
FAST = "source=fast&digit=7&"


def test_the_map_that_never_asked_the_model_is_found_out(visit):
    page = open_still(visit, "where", FAST)
    captions = story(page).locator("figcaption b")
    expect(captions.first).to_have_text(TEXTS["where"]["map"].format(number=1))
    answer(page, 0)
    ink = captions.filter(has_text=FRAME["method_ink"])
    expect(ink).to_have_count(1)
    number = ink.inner_text().split(":")[0]
    expect(story(page).locator(".verdict")).to_contain_text(f"{number} is plain ink")
    # the same patch is marked in the picture and in every map, and its place is written
    maps = story(page).locator("figure")
    maps.nth(1).locator(".patch").nth(5).click()
    expect(story(page).locator(".patch.pointed")).to_have_count(maps.count())
    expect(story(page).locator("figcaption .said").first).to_have_text(
        re.compile(r"place \d+ of 16")
    )
    page.keyboard.press("ArrowRight")
    expect(maps.nth(1).get_by_role("button", name="row 2, column 3")).to_be_focused()


def test_patches_fall_away_as_the_server_takes_them(visit, subtests):
    page = open_still(visit, "truth", FAST)
    slider = story(page).get_by_label(TEXTS["truth"]["slider"])
    expect(slider).to_be_disabled()
    answer(page, 0)
    source = load_source("fast")
    image = source.batch(digit_of(7, 0))
    target = source.model.eval()(image).argmax(dim=1)
    for method in ("rollout", "ink"):
        with subtests.test(method):
            values = attribute(source.model, image, target, method).patches
            curve = deletion_insertion(source.model, image, target, values).deletion[0]
            chosen = button(page, FRAME[f"method_{method}"])
            chosen.click()
            expect(chosen).to_have_attribute("aria-pressed", "true")
            slider.fill("5")
            gone = (2 * 5 * 16 + 14) // 28
            said = re.compile(rf"^{gone} of 16 gone, 7: (< )?[\d.]+\s%$")
            expect(slider).to_have_attribute("aria-valuetext", said)
            expect(story(page).locator(".patch.gone")).to_have_count(gone)
            share = float(re.sub(r"[^\d.]", "", story(page).locator(".meter .value").inner_text()))
            assert share == pytest.approx(100 * float(curve[5]), abs=0.51 if share >= 10 else 0.06)
    expect(story(page).locator(".claim-legend .random")).to_have_count(1)


def test_two_models_play_the_same_map_side_by_side(visit):
    page = open_still(visit, "truth", f"{FAST}b=source%3Duntrained&", width=1440, height=900)
    answer(page, 0)
    button(page, FRAME["method_ink"]).click()
    for name in "ab":
        half = story(page).locator(f".half.{name}")
        expect(half.locator(".claim-line.ink.playing")).to_have_attribute("d", re.compile("^M"))
        expect(half.locator(".claim-legend li.random")).to_have_count(1)
    story(page).locator(".half.a .scrub input").fill("3")
    for name in "ab":
        expect(story(page).locator(f".half.{name} .patch.gone").first).to_be_attached()


def test_the_patch_that_is_most_alike_is_guessed_and_both_pictures_shown(visit):
    page = open_still(visit, "alike", FAST)
    slider = story(page).get_by_label(TEXTS["alike"]["slider"])
    expect(slider).to_be_disabled()
    boards = story(page).locator(".stage figure")
    boards.nth(1).locator(".patch:not(.followed)").first.click()
    expect(story(page).locator(".verdict")).to_contain_text("Most alike to the model is row")
    for at in range(2):
        expect(boards.nth(at).locator(".patch.best")).to_have_count(1)
    slider.fill("0")
    start = re.compile(TEXTS["alike"]["start"])
    expect(slider).to_have_attribute("aria-valuetext", start)
    # another patch is followed in both
    boards.nth(0).locator(".patch").nth(9).click()
    for at in range(2):
        expect(boards.nth(at).locator(".patch").nth(9)).to_have_class(re.compile("followed"))


def test_this_picture_appears_among_the_points_once_it_was_asked_for(visit):
    page = open_still(visit, "map", FAST)
    own = story(page).locator(".own-point")
    expect(story(page).locator(".option")).to_have_count(3)  # the points are there
    expect(own).to_be_hidden()
    answer(page, 0)
    expect(own).to_be_visible()
    near = re.compile(r"\d+ of the 10 nearest belong to 7\.")
    expect(story(page).locator(".cloud .said")).to_have_text(near)
    expect(story(page).locator(".plane canvas").first).to_have_attribute("aria-label", near)
    page.reload()
    expect(own).to_be_visible()
