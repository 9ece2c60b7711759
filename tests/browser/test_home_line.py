"""Home follows the pen also with a model that only the server can run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser_helpers import HOME, ROOT, Visit
from playwright.sync_api import expect

# the app, in which no model is small enough for a browser
SCRIPT = """
import runpy, sys
sys.path.insert(0, {root!r})
from explainer.inputs.models import for_browser
for_browser.LARGEST_MODEL = 0
runpy.run_path({home!r}, run_name="__main__")
"""

pytestmark = pytest.mark.browser


def test_the_server_answers_while_the_pen_is_down_and_when_it_rests(
    visit: Callable[..., Visit], serve: Callable[..., str], tmp_path: Path
) -> None:
    script = tmp_path / "large.py"
    script.write_text(SCRIPT.format(root=str(ROOT), home=str(HOME)), encoding="utf-8")
    url = serve(script, tmp_path, STREAMLIT_BROWSER_GATHER_USAGE_STATS="false")
    one = visit(url=url)
    one.open("?digit=2")
    page = one.page
    answer, source = page.locator(".home .answer"), page.locator(".home .source")
    expect(answer).to_have_text("2")
    expect(source).to_have_text("Computed by the server.")
    box = page.get_by_role("application", name="Drawing pad").bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 0.15 * box["height"])
    page.mouse.down()
    before = len(one.sent)
    page.mouse.move(x, box["y"] + 0.85 * box["height"], steps=40)
    expect(source).to_contain_text("Computed by the server, in")
    expect(answer).to_have_text("1")
    assert "picture=" not in page.url
    # the page's own run answers one question at a time, however many movements there were
    assert 1 <= len(one.sent) - before < 20
    page.mouse.up()
    page.wait_for_function("location.search.includes('picture=')")
    expect(source).to_have_text("Computed by the server.")
    expect(answer).to_have_text("1")
