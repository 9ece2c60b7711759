"""What takes long on the page that looks inside begins on a button, says how far it is, stops."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import expect

from explainer.content import load_texts
from explainer.observation.look.many import MOST

pytestmark = pytest.mark.browser

TEXTS = load_texts("look_true")["many"]
WAITING = load_texts("frame")["waiting"]


def test_many_pictures_begin_on_a_button_can_be_stopped_and_are_kept_for_all(
    visit: Callable[..., Visit],
) -> None:
    visitor = visit(390, "dark")
    visitor.open("look-inside?source=seed")
    part = visitor.page.locator(".st-key-part-many")
    part.scroll_into_view_if_needed()
    offer = part.get_by_role("button", name=TEXTS["offer"].format(count=MOST))
    offer.click()
    bar = part.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", re.compile("^[1-9]"))
    part.get_by_role("button", name=WAITING["stop"]).click()
    expect(part).to_contain_text(re.compile("Stopped after [0-9.]+ % of the work"))
    expect(bar).to_have_count(0)
    offer.click()
    expect(bar).to_be_visible()
    # it comes by itself, behind a question
    part.get_by_role("button", name=TEXTS["show"]).click()
    expect(part.get_by_role("table")).to_contain_text(TEXTS["table_deletion"])
    visitor.settle()
    assert visitor.sideways() == [0, 0]
    other = visit()
    other.open("look-inside?source=seed&digit=3")
    part = other.page.locator(".st-key-part-many")
    part.scroll_into_view_if_needed()
    expect(part.get_by_role("button", name=TEXTS["show"])).to_be_visible()
