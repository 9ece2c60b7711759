"""The digits that a class draws: a pupil's pad, and what the teacher sees of them."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit
from class_helpers import joined, opened
from playwright.sync_api import Page, expect

from explainer.content import load_texts

pytestmark = pytest.mark.browser

TEXTS = load_texts("room_digits")
PUPIL = TEXTS["pupil"]
FRAME = load_texts("room_story")["frame"]
ROOM = load_texts("room_page")


def draw_a_line(page: Page) -> None:
    box = page.locator(".class-pad canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 40, steps=8)
    page.mouse.up()


def test_a_pupil_draws_and_the_class_sees_what_the_model_says(visit: Callable[..., Visit]) -> None:
    teacher, code = opened(visit, width=1440)
    page = teacher.page
    pupil = joined(visit, code, "")
    drawer = pupil.locator(".story .room-bar").get_by_role("link", name=FRAME["draw"])
    expect(pupil.locator(".story .room-bar .said")).to_have_text(FRAME["free_here"])
    expect(drawer).to_be_hidden()
    page.get_by_text(TEXTS["open"], exact=True).click()
    expect(pupil.locator(".story .room-bar .said")).to_have_text(FRAME["draw_open"])
    drawer.click()
    pupil.wait_for_url(f"**/room?*room={code}*")
    order = pupil.locator(".class-pad .order")
    expect(order).to_have_text(re.compile(r"^Draw a \d$"))
    first = order.inner_text()
    draw_a_line(pupil)
    pupil.get_by_role("button", name=PUPIL["send"]).click()
    expect(pupil.locator(".class-pad .said")).to_have_text(PUPIL["sent"])
    expect(order).not_to_have_text(first)
    strip = page.locator(".strip li")
    expect(strip).to_have_count(1)
    expect(strip.locator("img")).to_have_attribute(
        "alt", TEXTS["strip"]["alt"].format(truth=first[-1])
    )
    score = re.compile(r"Our class: [01] of 1")
    expect(page.get_by_role("heading", name=score)).to_be_visible()
    # what was sent is there after a reload, and the next digit is asked for
    second = order.inner_text()
    pupil.reload()
    expect(order).to_have_text(second)
    # the pad goes when the teacher wants no more, and comes back without a click of the pupil
    page.get_by_text(TEXTS["open"], exact=True).click()
    expect(order).to_have_text(PUPIL["closed"])
    expect(pupil.locator(".class-pad canvas")).to_be_hidden()
    page.get_by_text(TEXTS["open"], exact=True).click()
    expect(pupil.locator(".class-pad canvas")).to_be_visible()
    # the way back, as the same pupil of the same class
    pupil.get_by_role("button", name=ROOM["join"]["go_on"]).click()
    expect(drawer).to_be_visible()
    expect(pupil.locator(".story .room-bar .code")).to_contain_text(code)
    expect(page.locator(".console .count")).to_have_text(ROOM["console"]["here_one"])
    page.get_by_role("button", name=ROOM["teacher"]["who"]).click()
    expect(page.get_by_test_id("stPopoverBody").locator("tbody tr")).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_text(TEXTS["open"], exact=True).click()
    expect(drawer).to_be_hidden()
