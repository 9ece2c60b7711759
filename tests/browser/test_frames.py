"""The app in a frame of another site: runs keep their owner, and classes their pupils."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser_helpers import FLAGS, PATIENCE, Visit, chromium, framed, wait_until
from class_helpers import opened
from playwright.sync_api import Browser, BrowserContext, FrameLocator, expect
from replicas import encrypted, make_certificate, nginx

from explainer.content import load_texts
from explainer.training.visitor import COOKIE

pytestmark = pytest.mark.browser

ROOM = load_texts("room_page")
SMALL = "patches=4&width=32&heads=2&depth=2"


@pytest.fixture
def platform(app: str) -> Iterator[str]:
    """Serve a page of another site, for which browsers keep cookies back, with Train inside."""
    with framed(f"{app}/train?{SMALL}") as url:
        yield url


def open_platform(
    browser: Browser, folder: Path, platform: str, keeps: bool
) -> tuple[BrowserContext, FrameLocator]:
    """Open the page as a person's browser does, with its own profile.

    Args:
        keeps: whether it keeps anything for a page inside another site's; Chromium keeps it apart
            for each site, unless its settings forbid it.
    """
    settings = folder / "Default" / "Preferences"
    settings.parent.mkdir(parents=True)
    forbids = {"cookie_controls_mode": int(not keeps), "block_third_party_cookies": not keeps}
    settings.write_text(json.dumps({"profile": forbids}))
    context = browser.browser_type.launch_persistent_context(
        folder,
        executable_path=chromium(),
        args=FLAGS,
        viewport={"width": 1440, "height": 900},
        ignore_https_errors=True,  # a certificate of the test's own
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(platform)
    return context, page.frame_locator("iframe")


def test_a_run_keeps_its_owner_after_a_reload(
    browser: Browser, tmp_path: Path, platform: str
) -> None:
    context, frame = open_platform(browser, tmp_path, platform, keeps=True)
    frame.locator(".st-key-train-start button").click()
    frame.locator(".st-key-train-stop button").wait_for()
    assert context.cookies() == [], "browsers take none over http for another site's page"
    context.pages[-1].reload()  # the frame begins with the address that the platform knows
    frame.locator(".st-key-train-stop button").click()
    frame.get_by_text("You stopped this run").wait_for()
    context.close()


def test_a_pupil_is_the_same_after_a_reload(
    browser: Browser, tmp_path: Path, visit: Callable[..., Visit]
) -> None:
    teacher, code = opened(visit)
    page = teacher.page
    with framed(f"{teacher.url}/story?room={code}") as url:
        context, frame = open_platform(browser, tmp_path, url, keeps=True)
        expect(frame.locator(".story .room-bar")).to_be_visible()
        expect(page.locator(".console .count")).to_have_text(ROOM["console"]["here_one"])
        assert context.cookies() == []
        context.pages[-1].reload()
        expect(frame.locator(".story .room-bar")).to_be_visible()
        expect(page.locator(".console .count")).to_have_text(ROOM["console"]["here_one"])
        page.get_by_role("button", name=ROOM["teacher"]["who"]).click()
        expect(page.get_by_test_id("stPopoverBody").locator("tbody tr")).to_have_count(1)
        context.close()


def test_over_https_a_cookie_for_the_platform_alone_keeps_the_pupil(
    browser: Browser, tmp_path: Path, visit: Callable[..., Visit]
) -> None:
    if nginx() is None and "CI" not in os.environ:
        pytest.skip("no nginx on this machine")
    certificate = make_certificate(tmp_path)
    teacher, code = opened(visit)
    page = teacher.page
    with (
        encrypted(teacher.url, certificate, tmp_path) as app,
        framed(f"{app}/story?room={code}", certificate) as platform,
    ):
        context, frame = open_platform(browser, tmp_path / "profile", platform, keeps=True)
        expect(frame.locator(".story .room-bar")).to_be_visible()
        expect(page.locator(".console .count")).to_have_text(ROOM["console"]["here_one"])
        wait_until(page, lambda: any(one["name"] == COOKIE for one in context.cookies()))
        for cookie in context.cookies():  # the visitor's, and the one that names the replica
            assert (cookie["secure"], cookie["sameSite"]) == (True, "None"), cookie
            assert cookie.get("partitionKey") == platform.rpartition(":")[0], cookie
        # without what the tab stores, only the cookie tells who this is
        context.pages[-1].frame(url=f"{app}/**").evaluate("sessionStorage.clear()")
        context.pages[-1].reload()
        expect(frame.locator(".story .room-bar")).to_be_visible()
        expect(page.locator(".console .count")).to_have_text(ROOM["console"]["here_one"])
        page.get_by_role("button", name=ROOM["teacher"]["who"]).click()
        expect(page.get_by_test_id("stPopoverBody").locator("tbody tr")).to_have_count(1)
        context.close()


def test_a_browser_that_keeps_nothing_says_so(
    browser: Browser, tmp_path: Path, platform: str
) -> None:
    context, frame = open_platform(browser, tmp_path, platform, keeps=False)
    frame.locator(".st-key-train-start button").click()
    frame.get_by_text("Your browser stores nothing for a page inside another site's").wait_for()
    link = frame.get_by_role("link", name="Open this page in a tab of its own")
    assert link.get_attribute("href").endswith("/train")
    assert link.get_attribute("target") == "_blank"
    frame.locator(".st-key-train-stop button").click()
    context.close()
