"""Every page: no serious finding of axe-core, and nothing wider than a phone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from explainer.shell.routes import TITLES, address

pytestmark = pytest.mark.browser

ADDRESSES = ["" if view == "home" else address(view) for view in TITLES]
ADDRESSES += ["train?run=recorded-healthy"]
COLOUR = "source=cifar10&sample=3"
ADDRESSES += [f"{page}?{COLOUR}" for page in ("", "patches", "multi-head", "classification-head")]
SEVERE = ("serious", "critical")
# in Streamlit's own parts of the page, which this project cannot change: rule → part of the element
STREAMLITS_OWN: dict[str, str] = {}


def findings(page: Page) -> list[str]:
    """Return what axe-core finds serious or worse, less what is Streamlit's own."""
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:200]}"
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in SEVERE
        for node in rule["nodes"]
        if STREAMLITS_OWN.get(rule["id"], "\0") not in node["html"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_axe_finds_nothing_serious(visit: Callable, address: str, scheme: str):
    visitor = visit(scheme=scheme)
    visitor.open(address)
    assert findings(visitor.page) == []
    visitor.check()


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_wider_than_a_phone(visit: Callable, address: str):
    visitor = visit(width=390)
    visitor.open(address)
    widths = visitor.page.evaluate(
        "() => [document.documentElement, document.querySelector('[data-testid=stMain]')]"
        ".map((element) => [element.scrollWidth, element.clientWidth])"
    )
    assert all(content <= window for content, window in widths), widths
    visitor.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_what_can_be_downloaded(visit: Callable, scheme: str):
    visitor = visit(scheme=scheme)
    visitor.open()
    visitor.page.get_by_text("Pretrained models", exact=True).click()
    visitor.page.get_by_role("button", name="Download it").wait_for()
    visitor.settle()
    assert findings(visitor.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["A hard one", "Draw", "Upload", "Camera"])
def test_axe_finds_nothing_serious_in_the_picker(visit: Callable, kind: str, scheme: str):
    visitor = visit(scheme=scheme)
    visitor.open()
    visitor.page.get_by_role("radio", name=kind, exact=True).click()
    shown = {"A hard one": "text=Previous", "Draw": ".pad canvas", "Upload": "text=24MB"}
    visitor.page.wait_for_selector(shown.get(kind, "[data-testid=stCameraInput]"))
    visitor.settle()
    assert findings(visitor.page) == []
