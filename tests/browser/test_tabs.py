"""A tab that tests share keeps nothing of the test that had it before."""

from pathlib import Path

import pytest
from browser_helpers import Tabs, Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_tab_is_given_back_as_it_was(app: str, tabs: Tabs) -> None:
    first = tabs.take(has_touch=False)
    one = Visit(first, app)
    one.run_first("window.mine = true")
    first.route("**/_stcore/health", lambda route: route.fulfill(status=503, body="mine"))
    first.goto(f"{app}/_stcore/health")
    expect(first.locator("body")).to_have_text("mine")
    assert first.evaluate("window.mine")
    first.evaluate("localStorage.mine = sessionStorage.mine = document.cookie = 'mine=1'")
    one.leave()
    tabs.give_back(first, False, app)

    then = tabs.take(has_touch=False)
    assert then is first
    then.goto(f"{app}/_stcore/health")
    expect(then.locator("body")).to_have_text("ok")
    found = "[window.mine ?? '', localStorage.mine ?? '', sessionStorage.mine ?? '']"
    assert then.evaluate(found) == ["", "", ""]
    assert "mine" not in then.evaluate("document.cookie")
    tabs.give_back(then, False, app)


def test_no_test_leaves_a_script_in_a_shared_tab() -> None:
    """Scripts that run first go with their visitor, who has ``run_first`` for them."""
    texts = {path.name: path.read_text() for path in Path(__file__).parent.glob("test_*.py")}
    banned = "add_init" + "_script("
    assert [name for name, text in texts.items() if f"page.{banned}" in text] == []
