"""The story's screens about learning in a real browser: their numbers are those of the server."""

import re
import shutil
from pathlib import Path

import pytest
from browser_helpers import HOME, ROOT
from PIL import Image, ImageChops
from playwright.sync_api import expect
from story_helpers import answer, button, open_still, story

from explainer.content import load_texts
from explainer.content.numbers import percent, written
from explainer.inputs.models.load import load_source
from explainer.observation.learning.asked_step import three
from explainer.observation.learning.lesson import lesson
from explainer.observation.learning.steps import steps
from explainer.shell.story_screens import ORDER
from explainer.state.choice import Choice
from explainer.state.link import State

pytestmark = pytest.mark.browser

TEXTS = load_texts("story")["screens"]
FRAME = load_texts("story")["frame"]


SURE = 0.02  # nats, below which another name is taught


def untrained() -> Choice:
    return Choice("untrained", State(source="untrained").shaped, 3, 4, 0)


def fast() -> Choice:
    loaded = load_source("fast")
    return Choice("fast", loaded.model.config, 0, 7, 0, gallery=loaded.gallery)


CHOICES = {"source=fast&digit=7&": fast, "source=untrained&seed=3&digit=4&": untrained}


def brief(loss: float) -> str:
    return f"loss {loss:.2f}"


def test_a_half_of_the_share_adds_the_same_loss_each_time(visit):
    page = open_still(visit, "loss", "source=untrained&seed=3&digit=4&")
    said = story(page).locator(".point-said")
    expect(said).to_have_text(re.compile(r"^4: .*loss\s\d"))
    before = float(said.inner_text().split()[-1])
    expect(button(page, TEXTS["loss"]["halve"])).to_have_count(0)
    answer(page, 1)
    expect(story(page).locator(".verdict")).to_contain_text(FRAME["right"])
    expect(said).to_contain_text(brief(before + 0.693))
    halve = button(page, TEXTS["loss"]["halve"])
    halve.click()
    halve.click()
    expect(said).to_contain_text(brief(before + 3 * 0.6931))
    expect(halve).to_be_disabled()
    button(page, TEXTS["loss"]["begin"]).press("Enter")
    expect(said).to_contain_text(brief(before))
    expect(halve).to_be_enabled()


def test_a_class_that_nobody_noted_is_asked_for_and_kept(visit):
    page = open_still(visit, "draw")
    canvas = story(page).locator(".pad canvas")
    box = canvas.bounding_box()
    button(page, "Clear").click()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(x, box["y"] + 0.8 * box["height"], steps=12)
    page.mouse.up()
    page.wait_for_url("**picture=*")
    button(page, f"{ORDER.index('loss') + 1}: {TEXTS['loss']['title']}").click()
    names = story(page).get_by_label(TEXTS["loss"]["choose"])
    said = story(page).locator(".point-said")
    expect(said).to_have_text(re.compile("^1: "))
    names.select_option("4")
    expect(said).to_have_text(re.compile("^4: "))
    page.wait_for_url("**target=4*")
    story(page).get_by_role("link", name=FRAME["numbers"]).click()
    page.wait_for_url("**/learning*target=4*")


@pytest.mark.parametrize("link", CHOICES)
def test_a_step_shows_what_the_server_computes(visit, subtests, link):
    page = open_still(visit, "step", link)
    expect(story(page).locator(".bars")).to_have_count(1)
    answer(page, 2)
    choice = CHOICES[link]()
    target, taught = choice.digit, lesson(choice, choice.digit)
    if taught.loss < SURE:
        target = int(taught.probabilities.argsort()[-2])
    found = steps(choice, target, "sgd")
    for zone, at in three(found).items():
        with subtests.test(zone):
            button(page, TEXTS["step"][zone]).click()
            expect(button(page, TEXTS["step"][zone])).to_have_attribute("aria-pressed", "true")
            loss = written(float(found.losses[at]))
            expect(story(page).locator(".right .caption").last).to_contain_text(loss)
            bars = story(page).locator(".right .bars").last.locator(".bar.best .name")
            expect(bars).to_have_text(str(int(found.probabilities[at].argmax())))


def test_nothing_is_computed_before_the_screen_is_answered(visit):
    page = open_still(visit, "step")
    expect(story(page).locator(".right .bars")).to_have_count(1)
    expect(story(page).locator(".rates")).to_have_count(0)
    answer(page, 0)
    expect(story(page).locator(".right .bars")).to_have_count(2)
    page.reload()
    # who has answered sees the experiment at once
    expect(story(page).locator(".rates button").first).to_be_visible()


def test_both_halves_take_the_same_step_and_differ(visit):
    page = open_still(visit, "step", "b=source%3Duntrained&")
    answer(page, 2)
    for name in "ab":
        expect(story(page).locator(f".half.{name} .bars")).to_have_count(2)
    button(page, TEXTS["step"]["right"]).click()
    for name in "ab":
        caption = story(page).locator(f".half.{name} .caption").last
        expect(caption).to_have_text(re.compile(r"^η = .* · 9: loss"))
    button(page, FRAME["view_difference"]).click()
    expect(story(page).locator(".half.difference .bars.signed")).to_have_count(2)
    page.keyboard.press("PageUp")
    expect(story(page)).to_have_attribute("data-screen", "loss")
    difference = story(page).locator(".half.difference")
    expect(difference.locator(".caption")).to_have_text(re.compile(r"B − A: \+\d"))
    expect(difference.locator(".point-said")).to_have_count(2)


def test_the_share_on_the_curve_is_the_models(visit):
    page = open_still(visit, "loss", "source=untrained&seed=3&digit=4&")
    taught = lesson(untrained(), 4)
    share = float(taught.probabilities[4])
    said = story(page).locator(".point-said")
    expect(said).to_contain_text(brief(taught.loss))
    whole = percent(share).split(".")[0]
    expect(said).to_have_text(re.compile(rf"^4: ({whole}|{int(whole) + 1})"))


def test_beside_a_model_without_names_the_other_half_asks_and_takes_the_step(
    visit, serve, tmp_path: Path
):
    shutil.copytree(ROOT / "tests" / "core" / "recorded" / "dinov2", tmp_path / "models" / "dino")
    headless = "source=pretrained&pretrained=local%2Fdino&b=source%3Dfast%26digit%3D9&"
    url = serve(HOME, tmp_path, VIT_EXPLAINER_PRETRAINED=str(tmp_path / "models"))
    page = open_still(visit, "step", headless, url=url)
    first, second = (story(page).locator(f".half.{name}") for name in "ab")
    expect(first.locator(".own")).to_have_text(TEXTS["step"]["half_features"])
    expect(second.locator(".bars")).to_have_count(1)
    answer(page, 2)
    expect(second.locator(".bars")).to_have_count(2)
    button(page, TEXTS["step"]["right"]).click()
    expect(second.locator(".caption").last).to_have_text(re.compile("^η = .*: loss"))
    expect(first.locator("canvas.row-strip")).to_have_count(1)


def test_a_picture_saved_from_a_dark_page_has_all_that_one_from_a_light_page_has(visit):
    def saved(scheme: str) -> Image.Image:
        page = open_still(visit, "step", scheme=scheme)
        answer(page, 2)
        expect(story(page).locator(".right .bars")).to_have_count(2)
        with page.expect_download() as download:
            button(page, "Save as PNG").click()
        return Image.open(download.value.path()).convert("RGB")

    light, dark = saved("light"), saved("dark")
    assert light.size == dark.size
    assert (
        ImageChops.difference(light, dark).point(lambda level: 255 * (level > 40)).getbbox() is None
    )
