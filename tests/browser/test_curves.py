"""The curves of a run in Chromium: pointing reads values in both charts, and so do the keys."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit, wait_until
from playwright.sync_api import expect

from explainer.content import load_texts
from vit_core.mistakes import MISTAKES

pytestmark = pytest.mark.browser

RUN = "train?run=recorded-healthy"
CURVES = ".st-key-train-curves"


def test_pointing_into_one_chart_reads_both_and_the_arrow_keys_walk_over_the_epochs(
    visit: Callable[..., Visit],
) -> None:
    visitor = visit()
    visitor.open(RUN)
    first = visitor.page.locator(f"{CURVES} .panel > svg").first
    expect(first.locator("path.course")).to_have_count(1)
    expect(first.locator("path.mark")).to_have_count(3)
    box = first.bounding_box()
    # the plot begins 40 pixels from the left and ends 14 before the right: epoch 2 of 3
    x = 40 + (box["width"] - 54) * 2 / 3
    first.hover(position={"x": x, "y": 100})
    tips = visitor.page.locator(f"{CURVES} .tip")
    expect(tips.first).to_contain_text("epoch 2.00")
    expect(tips.first.locator("b")).to_have_text([re.compile(r"^0\.\d{3}$")] * 2)
    expect(tips.last.locator("b")).to_have_text([re.compile(r"^9\d\.\d %$")] * 2)
    visitor.page.mouse.move(5, 5)
    expect(tips.first).to_be_hidden()

    name = re.compile("^Line chart of the share")
    chart = visitor.page.locator(CURVES).get_by_role("group", name=name)
    said = visitor.page.locator(f"{CURVES} [role=status]")
    chart.press("Home")
    expect(said).to_contain_text("epoch 1.00")
    chart.press("ArrowRight")
    expect(said).to_contain_text("epoch 2.00")
    chart.press("End")
    expect(said).to_contain_text("all 5,000 validation digits, after each epoch: 98.7 %")


def test_the_charts_fill_their_place(visit: Callable[..., Visit]) -> None:
    visitor = visit(width=390)
    visitor.open(RUN)
    panels = visitor.page.locator(f"{CURVES} .panel")
    for width in (390, 1440):
        visitor.resize(width)
        expect(panels).to_have_count(2)
        boxes = [panels.nth(index).bounding_box() for index in range(2)]
        is_beside = boxes[0]["y"] == boxes[1]["y"]
        assert is_beside == (width == 1440)
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


# the texts of a chart that stand where a curve goes, as the pixels of a line tell it
COVERED = """(curves) => {
  const root = curves.shadowRoot ?? curves;
  const found = [];
  for (const svg of root.querySelectorAll('.panel > svg')) {
    const isOfAxis = (text) => /^[\\d.]+$|^epoch$/.test(text.textContent);
    const texts = [...svg.querySelectorAll('text')].filter((text) => !isOfAxis(text));
    for (const path of svg.querySelectorAll('path.course')) {
      for (let at = 0; at <= path.getTotalLength(); at += 2) {
        const { x, y } = path.getPointAtLength(at);
        for (const text of texts) {
          const box = text.getBBox();
          if (x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height)
            found.push(text.textContent);
        }
      }
    }
  }
  return [...new Set(found)];
}"""


@pytest.mark.parametrize("width", [390, 1440])
def test_no_text_stands_on_a_curve(visit: Callable[..., Visit], width: int) -> None:
    visitor = visit(width=width)
    visitor.open("train")
    visitor.page.locator(".st-key-train-fold-mistakes summary").click()
    visitor.settle()
    choices = visitor.page.locator(".st-key-mistake").get_by_role("radio")
    names = load_texts("mistakes")["names"]
    expect(choices).to_have_count(len(names))
    for mistake in MISTAKES:  # the gallery's last entry is none of a run, and has no curves
        choices.and_(visitor.page.get_by_role("radio", name=names[mistake], exact=True)).click()
        curves = visitor.page.locator(".st-key-mistake-curves .curves")
        # those of the mistake before stay until the new ones come
        expect(curves.locator(".legend")).to_contain_text(names[mistake])
        expect(curves.locator("path.course")).to_have_count(4)
        # what was just made is drawn once more, at the width that it gets
        wait_until(visitor.page, lambda shown=curves: shown.evaluate(COVERED) == [])
