"""One Chromium and one server of the app for all browser tests of a process."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import streamlit as st
from browser_helpers import FLAGS, HOME, PATIENCE, Tabs, Visit, chromium, served
from playwright.sync_api import Browser, expect, sync_playwright

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module", autouse=True)
def caches_of_trained_models() -> Iterator[None]:
    """Forget what other tests of the process computed with other models, and leave nothing."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None and "CI" not in os.environ:
        pytest.skip("no chromium on this machine")
    assert path, "no chromium, which these tests need"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


@pytest.fixture(scope="session")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the app from a directory that has nothing to do with it."""
    with served(HOME, tmp_path_factory.mktemp("elsewhere")) as url:
        yield url


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Return a starter of a test's own server: what ``served`` takes → its address.

    The server ends after the test's visitors have left. A page whose server ends tells the console
    that it cannot send what was clicked a moment before.
    """
    with ExitStack() as servers:

        def start(script: Path, folder: Path, **environment: str) -> str:
            return servers.enter_context(served(script, folder, **environment))

        yield start


@pytest.fixture
def visit(
    app: str,
    tabs: Tabs,
    serve: object,  # of which nothing is taken: its servers end after these visitors
) -> Iterator[Callable[..., Visit]]:
    """Return an opener: width of the window, colour scheme → a new visitor.

    Afterwards no visitor may have met an error or asked another host.
    """
    visits: list[tuple[Visit, bool]] = []

    def new(
        width: int = 1440,
        scheme: str = "light",
        *,
        height: int = 900,
        has_touch: bool = False,
        url: str = app,
    ) -> Visit:
        page = tabs.take(has_touch)
        page.set_viewport_size({"width": width, "height": height})
        # the tab may have been another test's
        page.emulate_media(media="screen", color_scheme=scheme, reduced_motion="no-preference")
        one = Visit(page, url)
        visits.append((one, has_touch))
        return one

    yield new
    try:
        for one, _ in visits:
            one.check()
    finally:
        for one, has_touch in visits:
            one.leave()
            if one.other_hosts:  # what these have stored is not known here
                one.page.context.close()
            else:
                tabs.give_back(one.page, has_touch, one.url)
