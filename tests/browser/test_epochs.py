"""The epoch slider and its play button in Chromium, on the run that the app brings along."""

from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

RUN = "source=run&run=recorded-healthy"
LAST = 3


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Epoch")


def button(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stSidebar").get_by_role("button", name=label)


def wait_for(page: Page, epoch: int) -> None:
    page.wait_for_url(f"**epoch={epoch}*", wait_until="commit")
    expect(slider(page)).to_have_attribute("aria-valuetext", str(epoch))


def test_the_keyboard_moves_through_the_epochs_and_the_page_with_them(visit: Callable[..., Visit]):
    seen = visit()
    seen.open(f"?{RUN}&epoch=0&digit=3")
    page = seen.page
    expect(page.locator(".home .says")).to_have_text("It has learned nothing yet. It guesses")
    slider(page).focus()
    slider(page).press("ArrowRight")
    wait_for(page, 1)
    slider(page).press("End")
    wait_for(page, LAST)
    seen.settle()
    expect(slider(page)).to_be_focused()
    expect(page.locator(".home .says")).to_have_text("It says")
    page.get_by_text("Where it comes from").click()
    expect(page.get_by_test_id("stMain")).to_contain_text("last epoch")
    page.locator("a[href*='/multi-head']").first.click()
    page.wait_for_url("**/multi-head*")
    seen.settle()
    wait_for(page, LAST)
    assert "digit=3" in seen.link()


def test_playing_goes_to_the_last_epoch_and_the_button_keeps_the_focus(visit: Callable[..., Visit]):
    seen = visit(width=390, scheme="dark")
    seen.open(f"patches?{RUN}&epoch=1")
    page = seen.page
    page.get_by_test_id("stExpandSidebarButton").click()
    button(page, "Play").focus()
    page.keyboard.press("Enter")
    expect(button(page, "Stop")).to_be_focused()
    for epoch in range(2, LAST + 1):
        wait_for(page, epoch)
    expect(button(page, "Play")).to_be_focused()
    seen.settle()
