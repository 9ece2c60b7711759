"""Two halves of a page in Chromium: side by side, flipped on a telephone, and played in step."""

from collections.abc import Callable

import pytest
from browser_helpers import Visit, wait_until
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

FAST = "b=source%3Dfast"
RUN = "source=run&run=recorded-healthy"


def half(page: Page, name: str, part: str) -> Locator:
    prefix = "b-" if name == "b" else ""
    return page.locator(f".st-key-{prefix}half-{part}")


def box(found: Locator) -> dict[str, float]:
    there = found.bounding_box()
    assert there
    return dict(there)


def test_halves_stand_side_by_side_where_there_is_room(visit: Callable[..., Visit]) -> None:
    seen = visit()
    seen.open(f"multi-head?{FAST}")
    page = seen.page
    first, second = (box(half(page, name, "heads")) for name in "ab")
    assert first["y"] == second["y"] and abs(first["width"] - second["width"]) < 2
    assert first["x"] + first["width"] < second["x"]
    assert not page.locator(".flip").is_visible()
    assert seen.sideways() == [0, 0]
    seen.resize(1024)  # the sidebar takes what is missing
    expect(page.locator(".flip")).to_be_visible()
    expect(half(page, "b", "heads")).not_to_be_visible()
    page.get_by_role("button", name="End the comparison").click()
    page.wait_for_url(lambda url: "b=" not in url)
    seen.settle()
    expect(page.locator(".flip")).to_have_count(0)
    assert page.evaluate("'halves' in document.documentElement.dataset") is False


@pytest.mark.parametrize("link", ["self-attention?b=source%3Duntrained", f"multi-head?{FAST}"])
def test_halves_begin_in_the_first_window(link: str, visit: Callable[..., Visit]) -> None:
    """The head of a compared page takes little room: its buttons stand in the box of A and B."""
    seen = visit()
    seen.resize(1440)
    seen.open(link)
    page = seen.page
    words, end = page.locator(".halves-in-words"), page.get_by_role("button", name="End the")
    assert box(end)["x"] > box(words)["x"] + box(words)["width"]
    assert box(words)["y"] <= box(end)["y"] + box(end)["height"] / 2
    names = page.locator(".half-name[data-half='b']").first
    assert box(names)["y"] < 760
    number, title = page.locator(".st-key-page-number"), page.locator("h1").first
    assert abs(box(number)["y"] - box(title)["y"]) < 40  # beside it
    seen.resize(1024)  # below the words
    wait_until(page, lambda: box(end)["y"] >= box(words)["y"] + box(words)["height"])
    wait_until(page, lambda: seen.sideways() == [0, 0])


def test_on_a_telephone_one_half_lies_on_the_other(visit: Callable[..., Visit]) -> None:
    seen = visit(width=390, has_touch=True)
    seen.open(f"self-attention?{FAST}")
    page = seen.page
    assert seen.sideways() == [0, 0]
    first, second = half(page, "a", "steps"), half(page, "b", "steps")
    expect(first).to_be_visible()
    expect(second).not_to_be_visible()
    assert box(first)["y"] == pytest.approx(second.evaluate("(e) => e.getBoundingClientRect().y"))
    one, other = (page.get_by_role("radio", name=name, exact=True) for name in ("A", "B"))
    expect(one).to_be_checked()
    other.tap()
    expect(second).to_be_visible()
    expect(first).not_to_be_visible()
    shown = second.get_by_test_id("stMarkdown").first
    expect(shown).to_be_visible()
    expect(first.get_by_test_id("stMarkdown").first).not_to_be_visible()
    expect(page.locator(".half-name[data-half='b']").first).to_be_visible()
    expect(page.locator(".half-name[data-half='a']").first).not_to_be_visible()
    other.focus()
    page.keyboard.press("ArrowLeft")
    expect(one).to_be_focused()
    expect(first).to_be_visible()
    # it stays at the top of the window
    page.get_by_test_id("stMain").evaluate("(main) => main.scrollTo(0, 2000)")
    expect(one).to_be_in_viewport()
    assert box(page.locator(".flip"))["y"] < 120


def test_a_token_chosen_in_one_half_is_followed_in_both(visit: Callable[..., Visit]) -> None:
    seen = visit()
    seen.open(f"self-attention?{FAST}")
    page = seen.page
    second = half(page, "b", "steps")
    second.locator(".cells button").nth(5).click()
    page.wait_for_url(lambda url: "query=17" in url)
    seen.settle()
    expect(second).to_contain_text("patch 2, 2")
    expect(half(page, "a", "steps")).to_contain_text("patch 3, 3")
    half(page, "a", "steps").locator(".cells button").nth(48).click()
    page.wait_for_url(lambda url: "query=49" in url)
    seen.settle()
    expect(second).to_contain_text("patch 4, 4")


def test_a_pair_is_chosen_with_the_keyboard_and_b_is_changed(visit: Callable[..., Visit]) -> None:
    seen = visit(scheme="dark")
    seen.open("classification-head")
    page = seen.page
    page.get_by_role("button", name="Compare", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Untrained | trained").click()
    page.wait_for_url(lambda url: "b=source%3Ddefault" in url)
    seen.settle()
    expect(half(page, "a", "softmax")).to_be_visible()
    expect(half(page, "b", "softmax")).to_be_visible()
    page.get_by_role("button", name="Change B").click()
    page.get_by_text("B without position").click()
    page.wait_for_url(lambda url: "edits%3Dn" in url)
    seen.settle()
    expect(page.locator(".half-name[data-half='b']").first).to_contain_text("zeros")


def test_epochs_are_played_in_both_halves_in_step(visit: Callable[..., Visit]) -> None:
    """The second half is the same run with a head off, so it is at the first half's epoch."""
    seen = visit()
    seen.open(f"patch-embedding?{RUN}&epoch=1&b=edits%3Dh0.0")
    page = seen.page
    page.get_by_test_id("stSidebar").get_by_role("button", name="Play").click()
    for epoch in (2, 3):
        page.wait_for_url(lambda url, epoch=epoch: f"epoch={epoch}" in url, wait_until="commit")
    seen.settle()
    for name in "ab":
        found = page.locator(f".half-name[data-half='{name}']").first
        expect(found).to_contain_text("epoch 3")


def test_the_last_epoch_of_a_run_is_played_towards(visit: Callable[..., Visit]) -> None:
    seen = visit()
    seen.open(f"patch-embedding?{RUN}&epoch=1&b=epoch%3D3")
    page = seen.page
    page.get_by_test_id("stSidebar").get_by_role("button", name="Play").click()
    page.wait_for_url(lambda url: "epoch=2" in url, wait_until="commit")
    expect(page.locator(".half-name[data-half='b']").first).to_contain_text("epoch 3")
    expect(page.locator(".halves-in-words")).to_contain_text("A and B are the same now")
