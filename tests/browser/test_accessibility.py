"""Every page: it stands still, fits its windows, and axe-core finds nothing serious.

What does not depend on colours axe looks for in one colour scheme, and for the rest in both.
"""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_helpers import Visit, wait_until
from test_layout import CUT, MOST_SHIFT, WATCH, shifted

from explainer.shell.routes import PIPELINE, TITLES, WALK, address
from explainer.state.film import OVER_EPOCHS

pytestmark = pytest.mark.browser

LINKS = {view: "" if view == "home" else address(view) for view in TITLES}
ADDRESSES = [
    *LINKS.values(),
    "train?run=recorded-healthy",
    "train?data=symbols",
    *(f"train?run=recorded-healthy&film={kind}" for kind in OVER_EPOCHS),
    *(f"{LINKS[view]}?source=cifar10&sample=3" for view in WALK),
    *(f"{LINKS[view]}?b=source%3Dfast%26edits%3Dx2_h0.1" for view in PIPELINE),
]
PLAIN = LINKS.values()  # each page once
# what axe says of all else takes it a third of its time, and to read all style sheets a tenth,
# which only a rule needs that is not asked for
ONLY = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
# the rules of colours, less the one that asks for more contrast than these tests do
COLOURS = ONLY | {"runOnly": ["color-contrast", "link-in-text-block"]}
SEVERE = ("serious", "critical")
# in Streamlit's own parts of the page, which this project cannot change: rule → part of the element
STREAMLITS_OWN: dict[str, str] = {}
STILL = """() => document.getAnimations().every((one) =>
    one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity)"""
KINDS = {  # of pictures → what shows that its part of the picker is there
    "A hard one": "text=Previous",
    "Draw": ".pad canvas",
    "Upload": "text=24MB",
    "Camera": "[data-testid=stCameraInput]",
}


def findings(visitor: Visit, *, of_colours: bool = False) -> list[str]:
    """Return what axe-core finds serious or worse, less what is Streamlit's own.

    What fades in has no contrast yet, so its end is waited for.

    Args:
        of_colours: only of colours, for what was looked at in the other colour scheme.
    """
    visitor.page.wait_for_function(STILL)
    found = Axe().run(visitor.page, options=COLOURS if of_colours else ONLY)
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:200]}"
        for rule in found.response["violations"]
        if rule["impact"] in SEVERE
        for node in rule["nodes"]
        if STREAMLITS_OWN.get(rule["id"], "\0") not in node["html"]
    ]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_stands_still_fits_its_windows_and_axe_finds_nothing_serious(
    visit: Callable[..., Visit], subtests: pytest.Subtests, address: str
) -> None:
    visitor = visit(width=390)
    visitor.run_first(WATCH)
    visitor.open(address)
    if address in PLAIN:
        with subtests.test("it stands still"):
            assert shifted(visitor) <= MOST_SHIFT
    with subtests.test("no wider than a phone"):
        assert visitor.sideways() == [0, 0]
    if address in PLAIN and address != "story":
        visitor.resize(720, 450)  # a window of 1440 pixels, enlarged twice
        with subtests.test("no button is cut where it is enlarged"):
            wait_until(
                visitor.page,
                lambda: [*visitor.sideways(), *visitor.page.evaluate(CUT)] == [0, 0],
            )
    visitor.resize(1440)
    visitor.page.get_by_test_id("stMain").wait_for()
    with subtests.test("no wider than a screen"):
        # drawings follow the new width a moment later
        wait_until(visitor.page, lambda: visitor.sideways() == [0, 0])
    with subtests.test("axe, light"):
        assert findings(visitor) == []
    visitor.change_scheme("dark")
    with subtests.test("axe, colours in dark"):
        assert findings(visitor, of_colours=True) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_sidebar(
    visit: Callable[..., Visit], subtests: pytest.Subtests, scheme: str
) -> None:
    visitor = visit(scheme=scheme)
    visitor.open("patches")
    for kind, shown in KINDS.items():
        visitor.page.get_by_role("radio", name=kind, exact=True).click()
        visitor.page.wait_for_selector(shown)
        visitor.settle()
        with subtests.test(kind):
            assert findings(visitor, of_colours=scheme == "dark") == []
    visitor.page.get_by_role("button", name="Compare", exact=True).click()
    visitor.page.get_by_role("button", name="Untrained | trained").wait_for()
    visitor.settle()
    with subtests.test("what can be compared"):
        assert findings(visitor, of_colours=scheme == "dark") == []
    visitor.page.keyboard.press("Escape")
    visitor.page.get_by_text("Pretrained models", exact=True).click()
    visitor.page.get_by_role("button", name="Download it").wait_for()
    visitor.settle()
    with subtests.test("what can be downloaded"):
        assert findings(visitor, of_colours=scheme == "dark") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_an_answer_and_an_open_explanation(
    visit: Callable[..., Visit], scheme: str
) -> None:
    visitor = visit(scheme=scheme)
    visitor.open("position")
    card = visitor.page.locator("[class*=st-key-question-]").first
    card.get_by_test_id("stButtonGroup").get_by_role("radio").first.click()
    card.locator("li").first.wait_for()
    visitor.page.locator("a[href^='glossary#']").first.click()
    visitor.page.locator("#gloss.open").wait_for()
    assert findings(visitor, of_colours=scheme == "dark") == []


@pytest.mark.parametrize("view", ["self_attention", "multi_head", "patch_embedding", "position"])
def test_two_halves_and_their_difference_fit_and_axe_finds_nothing_serious(
    visit: Callable[..., Visit], subtests: pytest.Subtests, view: str
) -> None:
    visitor = visit(width=390)
    visitor.open(f"{LINKS[view]}?b=edits%3Dh0.0_m12_n")
    for fold in visitor.page.get_by_text("B − A: how much").all():
        fold.click()
        visitor.settle()
    visitor.page.get_by_text("Brown: the number is larger in B.").first.wait_for()
    with subtests.test("no wider than a phone"):
        assert visitor.sideways() == [0, 0]
    with subtests.test("axe, light"):
        assert findings(visitor) == []
    visitor.resize(1440)
    visitor.change_scheme("dark")
    with subtests.test("no wider than a screen"):
        # drawings follow the new width a moment later
        wait_until(visitor.page, lambda: visitor.sideways() == [0, 0])
    with subtests.test("axe, colours in dark"):
        assert findings(visitor, of_colours=True) == []
