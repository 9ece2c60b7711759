"""A run from its first click to its script, as a person lives it; and a run that was shared."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from browser_helpers import Visit
from playwright.sync_api import Page, expect

from vit_core import load_checkpoint

pytestmark = pytest.mark.browser

SMALL = "patches=4&width=32&heads=2&depth=2"
# the newest epoch of the drawn curve of the training; -1 before there is one
NEWEST = """() => {
  const drawn = document.querySelector('.st-key-train-curves [data-newest]');
  return Number(drawn?.dataset.newest ?? -1);
}"""


def wait_for_epoch(page: Page, epoch: float) -> None:
    page.wait_for_function(f"({NEWEST})() > {epoch}", polling=50)


def start(visitor: Visit, link: str = SMALL) -> None:
    visitor.open(f"train?{link}")
    visitor.page.locator(".st-key-train-start button").click()
    wait_for_epoch(visitor.page, 0)


def unfold(visitor: Visit, name: str) -> None:
    visitor.page.locator(f".st-key-train-fold-{name} summary").click()
    visitor.settle()


def shown_accuracy(page: Page) -> str:
    found = re.search(r"(\d+\.\d\d) %", page.locator(".train-share").inner_text())
    assert found, "the test accuracy has two digits"
    return found[1]


def said(page: Page) -> str:
    """Return Home's bars, with the probability of each digit."""
    bars = page.locator(".home .bars")
    expect(bars.locator(".value").first).to_have_text(re.compile(r"\d"))
    return bars.inner_text()


def test_one_whole_run(visit: Callable[..., Visit], tmp_path: Path) -> None:
    visitor = visit()
    page = visitor.page
    start(visitor)
    first = page.evaluate(NEWEST)
    wait_for_epoch(page, first)
    run = re.search(r"run=([\w-]{8,40})", page.url)
    assert run, "the run stands in the address"

    page.reload()
    wait_for_epoch(page, 1.02)  # the first epoch is whole and kept
    assert run[1] in page.url
    stop = page.locator(".st-key-train-stop button")
    stop.click()
    resume = page.locator(".st-key-train-resume button")
    expect(resume).to_have_text(re.compile(r"Resume after epoch \d"))
    expect(page.get_by_text("You stopped this run")).to_be_visible()

    visitor.settle()
    resume.click()
    # while a page is drawn anew, the number before may still stand beside it
    expect(page.locator(".train-of", has_text="10,000 test digits")).to_be_visible()
    unfold(visitor, "hardest")
    expect(page.locator(".st-key-train-fold-hardest .strip li")).to_have_count(16)
    unfold(visitor, "along")
    accuracy = shown_accuracy(page)
    assert float(accuracy) > 80

    with page.expect_download() as download:
        page.locator(".st-key-train-checkpoint button").click()
    download.value.save_as(tmp_path / "taken.safetensors")
    taken = load_checkpoint(tmp_path / "taken.safetensors")
    assert taken.config.embed_dim == 32
    with page.expect_download() as download:
        page.locator(".st-key-train-script button").click()
    download.value.save_as(tmp_path / "fresh" / "train_again.py")

    page.locator(".st-key-train-open button").click()
    page.wait_for_url("**/*source=run*")
    visitor.settle()
    expect(page.get_by_role("slider", name="Epoch")).to_have_attribute("aria-valuetext", "3")
    at_the_end = said(page)
    visitor.open(f"?source=run&run={run[1]}&epoch=1")
    assert said(page) != at_the_end, "the same digit, with the weights of another epoch"
    visitor.open(f"self-attention?source=run&run={run[1]}&epoch=1")
    expect(page.get_by_role("slider", name="Epoch")).to_have_attribute("aria-valuetext", "1")
    page.get_by_role("slider", name="Epoch").press("ArrowRight")
    page.wait_for_url("**/self-attention?*epoch=2*")
    visitor.settle()

    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "train_again.py"],
        cwd=tmp_path / "fresh",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"test accuracy {accuracy}%" in done.stdout
    again = load_checkpoint(tmp_path / "fresh" / "model.safetensors")
    for name, value in taken.model.state_dict().items():
        assert value.equal(again.model.state_dict()[name]), name


def test_a_second_tab_and_a_shared_link(visit: Callable[..., Visit]) -> None:
    """The same browser steers the run from another tab; another browser may only look."""
    owner, guest = visit(), visit(width=390, scheme="dark")
    start(owner)
    address = owner.link()
    tab = owner.page.context.new_page()
    tab.goto(owner.page.url)
    expect(tab.locator(".st-key-train-stop button")).to_be_visible()

    guest.open(address)
    wait_for_epoch(guest.page, 0)
    expect(guest.page.get_by_text("This run was shared with you")).to_be_visible()
    assert guest.page.locator(".st-key-train-stop").count() == 0
    assert guest.page.locator(".st-key-train-pause").count() == 0

    tab.locator(".st-key-train-pause button").click()
    expect(tab.locator(".st-key-train-go_on button")).to_be_visible()
    expect(owner.page.locator(".st-key-train-go_on button")).to_be_visible()
    tab.locator(".st-key-train-stop button").click()
    expect(owner.page.locator(".st-key-train-resume button")).to_be_visible()
    guest.settle()
