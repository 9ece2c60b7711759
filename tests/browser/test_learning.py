"""How it learns in the browser: one step, a batch and a schedule, as a visitor asks for them."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect
from test_accessibility import findings

from explainer.content import load_texts
from explainer.observation.learning.batches import STEPS

pytestmark = pytest.mark.browser

TEXTS = load_texts("learning_step")


def part(page: Page, name: str) -> Locator:
    """Return what the page shows of one of its parts."""
    return page.locator(f"[class*='st-key-part-{name}']")


def test_one_step_follows_the_optimiser_and_the_learning_rate(visit: Callable[..., Visit]) -> None:
    visitor = visit(390, has_touch=True)
    visitor.open("learning?source=seed&digit=2&index=1")
    step = part(visitor.page, "step")
    expect(step).to_contain_text("With SGD and η = 0.1 the loss goes from")
    step.get_by_role("radio", name="Adam", exact=True).click()
    expect(step).to_contain_text("With Adam and η = 0.1")
    visitor.settle()
    assert "optimizer=adam" in visitor.page.url
    slider = step.get_by_role("slider", name=TEXTS["step"]["slide"])
    slider.press("ArrowLeft")
    expect(step).to_contain_text("With Adam and η = 0.079")
    visitor.settle()
    assert "rate=-11" in visitor.page.url
    # a question is answered without what the chart needs
    card = step.locator("[class*=st-key-question-]")
    card.get_by_role("radio").first.click()
    expect(card).to_contain_text("in a real pass with all weights moved")
    assert visitor.sideways() == [0, 0]


def test_a_batch_is_asked_for_and_comes_by_itself(visit: Callable[..., Visit]) -> None:
    visitor = visit(scheme="dark")
    page = visitor.page
    visitor.open("learning?source=seed&digit=2&index=1")
    batch = part(page, "batch")
    batch.get_by_role("button", name=re.compile("^Compare with [0-9]+ pictures$")).click()
    expect(batch.get_by_role("table")).to_contain_text(TEXTS["batch"]["this"])
    batch.get_by_role("button", name=TEXTS["batch"]["heart_ask"].format(steps=STEPS)).click()
    # the answer is kept back until it was guessed, or is asked for
    batch.get_by_role("button", name=TEXTS["batch"]["heart_show"]).click()
    expect(batch).to_contain_text("It knows one picture by heart")
    visitor.settle()
    assert findings(visitor) == []


def test_the_schedule_is_that_of_the_model_and_the_recorded_ones_are_named(
    visit: Callable[..., Visit],
) -> None:
    visitor = visit(768)
    page = visitor.page
    visitor.open("learning?source=seed&digit=2&index=1")
    schedule = part(page, "schedule")
    expect(schedule).to_contain_text("Warm-up: for the first")
    for chart in (TEXTS["schedule"]["chart"].format(steps="[0-9,]+"), "Recorded: "):
        expect(schedule.get_by_text(re.compile(chart)).first).to_be_visible()
    expect(schedule.locator(".js-plotly-plot")).to_have_count(2)
    visitor.resize(390)
    visitor.settle()
    assert visitor.sideways() == [0, 0]
