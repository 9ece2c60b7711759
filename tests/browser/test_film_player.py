"""Films in Chromium: a stop is exactly that block, and nothing runs on after somebody has left."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_helpers import Visit, wait_until
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from explainer.observation import observe
from explainer.observation.film import blocks_film
from explainer.state.choice import Choice
from explainer.state.link import State

pytestmark = pytest.mark.browser

SHAPE = {"source": "untrained", "patches": 4, "width": 16, "heads": 2, "depth": 3}
LINK = "multi-head?" + "&".join(f"{name}={value}" for name, value in SHAPE.items())
Visitors = Callable[..., Visit]
# how many frames a page still waits for
COUNTED = """
globalThis.waiting = new Set();
const [ask, cancel] = [requestAnimationFrame.bind(window), cancelAnimationFrame.bind(window)];
globalThis.requestAnimationFrame = (act) => {
  const id = ask((now) => { waiting.delete(id); act(now); });
  waiting.add(id);
  return id;
};
globalThis.cancelAnimationFrame = (id) => { waiting.delete(id); cancel(id); };
"""


def film(page: Page) -> Locator:
    return page.locator(".film")


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Place in the film")


def seen() -> Any:
    return observe.observe(Choice("untrained", State(**SHAPE).shaped, 0, 7, 0))


def named(page: Page) -> list[tuple[str, str]]:
    """Return what the film names beside the picture: token and weight."""
    rows = film(page).locator(".strongest li").all()
    return [tuple(row.locator("span").all_inner_texts()) for row in rows]


def percent(weight: float) -> str:
    if 0 < weight < 0.0005:
        return "< 0.1\u202f%"
    return f"{100 * weight:.{1 if weight < 0.0995 else 0}f}\u202f%"


def colour_at(page: Page, where: list[float]) -> list[int]:
    """Return what the arcs paint at a place in CSS pixels: red, green, blue, opacity."""
    return (
        film(page)
        .locator(".arcs")
        .evaluate(
            """(canvas, [x, y]) => {
          const ratio = canvas.width / canvas.clientWidth;
          const at = [Math.round(x * ratio), Math.round(y * ratio)];
          return [...canvas.getContext("2d").getImageData(...at, 1, 1).data];
        }""",
            where,
        )
    )


def middle_of_arc(page: Page, query: int, key: int) -> list[float]:
    """Return the middle of the arc from one token to another, in CSS pixels of the canvas."""
    box = film(page).locator(".arcs").bounding_box()
    ends = []
    for token in (query, key):
        button = film(page).locator(f"[data-token='{token}']").bounding_box()
        ends.append(
            np.array(
                [
                    button["x"] - box["x"] + button["width"] / 2,
                    button["y"] - box["y"] + button["height"] / 2,
                ]
            )
        )
    start, end = ends
    across = np.array([1, -1]) * (end - start)[::-1]
    bend = (start + end) / 2 + 0.14 * across
    return (start / 4 + bend / 2 + end / 4).tolist()


def test_each_stop_shows_its_block_and_the_arrow_keys_go_from_stop_to_stop(
    visit: Visitors,
) -> None:
    one = visit()
    one.open(f"{LINK}&query=6&head=1")
    page, asked = one.page, len(one.sent)
    expected = blocks_film(seen(), 6, 0, 2)
    slider(page).focus()
    for block in range(3):
        expect(film(page).locator(".stop")).to_have_text(f"Block {block + 1} of 3, head 2")
        ends, weights = expected.strongest(block, 1), expected.shown[block, 1]
        names = ["[CLS]", *(f"patch {row}, {col}" for row in range(1, 5) for col in range(1, 5))]
        assert named(page) == [(names[key], percent(weights[key])) for key in ends[:5]]
        widest = colour_at(page, middle_of_arc(page, 6, ends[0]))
        assert widest[3] > 100
        assert widest[0] > widest[1] > widest[2], "the colour of queries"
        spoken = slider(page).get_attribute("aria-valuetext")
        assert spoken.startswith(f"Block {block + 1} of 3, head 2: patch 2, 2 looks most at")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    expect(film(page).locator(".stop")).to_have_text("Block 1 of 3, head 2")
    assert len(one.sent) == asked, "all of it stays in the browser"


def test_a_film_plays_to_its_last_stop_and_then_waits_for_no_frame(visit: Visitors) -> None:
    one = visit()
    one.run_first(COUNTED)
    one.open(LINK)
    page = one.page
    page.get_by_label("Speed").select_option("4")
    slider(page).focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(film(page).locator(".stop")).to_have_text("Block 3 of 3, head 1")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert slider(page).input_value() == "2"
    page.wait_for_function("waiting.size === 0")


def test_a_film_ends_with_its_page(visit: Visitors) -> None:
    one = visit()
    one.run_first(COUNTED)
    one.open(LINK)
    page = one.page
    page.get_by_label("Again and again").check()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.locator("a[href*='/position']").first.click()
    page.wait_for_url("**/position*")
    one.settle()
    page.wait_for_function("waiting.size === 0")


def test_a_film_plays_on_while_another_token_and_head_are_chosen(visit: Visitors) -> None:
    one = visit()
    one.open(LINK)
    page = one.page
    page.get_by_label("Again and again").check()
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Follow patch 3, 4", exact=True).click()
    page.wait_for_url(re.compile(r"[?&]query=12(&|$)"))
    expect(film(page).locator(".from")).to_have_text("Where patch 3, 4 looks most:")
    film(page).get_by_label("Head").select_option("mean of 2")
    page.wait_for_url(re.compile(r"[?&]film=blocks.mean(&|$)"))
    expect(film(page).locator(".stop")).to_have_text(re.compile("mean of the 2 heads"))
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    stop = int(slider(page).input_value())
    expected = blocks_film(seen(), 12, 0, 2)
    weights = expected.shown[stop, 2]
    shares = [percent(weights[key]) for key in expected.strongest(stop, 2)[:5]]
    assert [share for _, share in named(page)] == shares
    page.reload()
    one.settle()
    expect(film(page).locator(".stop")).to_have_text("Block 1 of 3, mean of the 2 heads")


def test_without_motion_a_film_goes_from_stop_to_stop(visit: Visitors) -> None:
    one = visit()
    one.page.emulate_media(reduced_motion="reduce")
    one.open(LINK)
    page = one.page
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    film(page).locator(".arcs").evaluate(
        """(canvas) => {
          globalThis.pictures = new Set();
          const look = () => {
            pictures.add(canvas.toDataURL());
            globalThis.looking = requestAnimationFrame(look);
          };
          look();
        }"""
    )
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    expect(film(page).locator(".stop")).to_have_text("Block 3 of 3, head 1")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert page.evaluate("cancelAnimationFrame(looking) ?? pictures.size") == 3


def test_a_pointed_token_says_its_weight(visit: Visitors) -> None:
    one = visit()
    one.open(f"{LINK}&query=6")
    page = one.page
    weights = blocks_film(seen(), 6, 0, 0).shown[0, 0]
    page.get_by_role("button", name="Follow patch 4, 4", exact=True).hover()
    expect(film(page).locator(".pointed")).to_have_text(f"patch 4, 4 gets {percent(weights[16])}.")


def test_two_films_go_in_step_on_one_scale(visit: Visitors) -> None:
    one = visit()
    one.open(f"{LINK}&query=6&b=seed%3D5%26depth%3D5")
    page = one.page
    first, second = (page.locator(".film").nth(half) for half in range(2))
    expect(second.locator(".stop")).to_have_text("Block 1 of 5, head 1")
    sliders = page.get_by_role("slider", name="Place in the film")
    sliders.first.focus()
    page.keyboard.press("ArrowRight")
    expect(first.locator(".stop")).to_have_text("Block 2 of 3, head 1")
    expect(second.locator(".stop")).to_have_text("Block 3 of 5, head 1")
    sliders.last.focus()
    page.keyboard.press("End")
    expect(first.locator(".stop")).to_have_text("Block 3 of 3, head 1")
    scales = [
        one.inner_text().split("of both films is ")[1]
        for one in (first.locator(".note"), second.locator(".note"))
    ]
    assert scales[0] == scales[1]
    second.get_by_role("button", name="Play").click()
    first.get_by_role("button", name="Pause").click()
    expect(second.get_by_role("button", name="Play")).to_be_visible()
    second.get_by_role("button", name="Follow patch 4, 4", exact=True).click()
    expect(first.locator(".from")).to_have_text("Where patch 4, 4 looks most:")


def test_the_recorded_run_is_a_film_of_its_epochs(visit: Visitors) -> None:
    one = visit()
    one.open("train?run=recorded-healthy&film=map")
    page = one.page
    expect(film(page).locator(".digits li")).to_have_count(16)
    slider(page).focus()
    page.keyboard.press("End")
    expect(film(page).locator(".stop")).to_have_text("Epoch 3 of 3")
    expect(film(page).locator(".told")).to_contain_text("16 of 16 are right.")
    expect(film(page).locator(".digits .wrong")).to_have_count(0)
    expect(page.get_by_role("img", name="A 7, read as 7")).to_have_count(2)
    page.get_by_role("radio", name="Filters").click()
    page.wait_for_url(re.compile(r"[?&]film=filters(&|$)"))
    picture = film(page).locator(".filters canvas")
    expect(picture).to_have_attribute("aria-label", re.compile("^Epoch 3 of 3: "))
    after = picture.evaluate("(canvas) => canvas.toDataURL()")
    slider(page).focus()
    page.keyboard.press("Home")
    expect(film(page).locator(".stop")).to_have_text("Epoch 0 of 3")
    wait_until(page, lambda: picture.evaluate("(canvas) => canvas.toDataURL()") != after)


@pytest.mark.parametrize("kind", ["GIF", "WebP"])
def test_a_film_is_saved_from_the_page(visit: Visitors, tmp_path: Path, kind: str) -> None:
    one = visit()
    one.open(f"{LINK}&query=6&film=blocks.mean.1-2")
    with one.page.expect_download() as download:
        one.page.get_by_role("button", name=f"Save as {kind}").click()
    assert download.value.suggested_filename == f"attention-2-to-3.{kind.lower()}"
    target = tmp_path / "film"
    download.value.save_as(target)
    with Image.open(target) as image:
        assert image.format == kind.upper()
        assert image.n_frames == 6, "two stops, and four frames between them"
