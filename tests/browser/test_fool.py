"""Fool it in a real browser: by mouse and keyboard, by its link, in challenges, on all models."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from browser_helpers import HOME, ROOT, Visit, pixels, wait_until
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from test_accessibility import findings
from test_home_line import SCRIPT

from explainer.content import load_texts
from explainer.inputs.models.load import load_source, source_of
from explainer.inputs.pictures.edited import edited
from explainer.observation import observe
from explainer.observation.challenges import FEW, few_patches, one_head
from explainer.observation.live_answer import edited_pass
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.edits import read_edits

pytestmark = pytest.mark.browser

TEXTS = load_texts("fool")
EDITS = "t15_x-2_y3_k9_d12_m16_s3.24_n_h1.2_h3.0"
TOO_HIGH = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
  .map((element) => element.scrollHeight - element.clientHeight)"""
# all words that are written on a canvas
WRITTEN = """window.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  window.written.push(text);
  return write.call(this, text, ...place);
};"""
# who still listens or computes, by what
LEFT = """() => {
  const of = (name) => globalThis[Symbol.for(`vit-explainer.${name}`)];
  const engines = [...(of("live")?.engines.values() ?? [])].map((engine) => engine.users.size);
  const lines = [...(of("server-lines") ?? [])].filter(([name]) => name.startsWith("fool"));
  return {
    engines: engines.reduce((sum, count) => sum + count, 0),
    lines: lines.reduce((sum, [, line]) => sum + line.listeners.size, 0),
    channel: of("channels").get("fool").listeners.size,
  };
}"""


def opened(visit: Callable[..., Visit], link: str = "", **window: object) -> Visit:
    visitor = visit(**window)
    visitor.open(f"fool?{link}".rstrip("?"))
    expect(fool(visitor.page).locator(".lines p").first).to_be_visible()
    return visitor


def fool(page: Page) -> Locator:
    return page.locator(".fool")


def place(page: Page, number: int) -> Locator:
    return fool(page).locator(".place").nth(number)


def button(page: Page, name: str) -> Locator:
    return fool(page).get_by_role("button", name=name, exact=True)


def edits_are(page: Page, text: str) -> None:
    """Wait until the address has these changes."""
    page.wait_for_function(
        "(text) => (new URLSearchParams(location.search).get('edits') ?? '') === text", arg=text
    )


def says(page: Page) -> Locator:
    return fool(page).locator(".lines p").first


def middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, *numbers: int) -> None:
    """Press at the first of some places, and go over the others."""
    page.mouse.move(*middle(place(page, numbers[0])))
    page.mouse.down()
    for number in numbers[1:]:
        page.mouse.move(*middle(place(page, number)), steps=4)


def observed(source: str, digit: int = 7) -> tuple[Choice, Observation]:
    choice = Choice(source, load_source(source).model.config, seed=0, digit=digit, index=0)
    return choice, observe.observe(choice)


def answer_of(choice: Choice, seen: Observation, text: str) -> str:
    """Return how the page writes the class and share that Python computes for some edits."""
    logits = edited_pass(source_of(choice), seen.pixels, read_edits(text), ["logits"])["logits"]
    shares = logits.double().softmax(0)
    best = int(shares.argmax())
    digits = 2 if 0.0005 <= float(shares[best]) <= 0.9995 else 4
    return f"{seen.class_names[best]}, {100 * float(shares[best]):.{digits}f}\u202f%"


# the link


def test_a_link_restores_all(visit: Callable[..., Visit]) -> None:
    page = opened(visit, f"edits={EDITS}").page
    choice, seen = observed("default")
    expect(says(page)).to_contain_text(answer_of(choice, seen, EDITS))
    edits_are(page, EDITS)
    levels = np.array(pixels(fool(page).locator("canvas.pixels")))[:, 0].reshape(28, 28)
    np.testing.assert_array_equal(levels, edited(seen.pixels, read_edits(EDITS), (4, 4)))
    expect(fool(page).get_by_role("slider")).to_have_value("15")
    expect(fool(page).get_by_role("switch", name="Position")).not_to_be_checked()
    for block, head in ((2, 3), (4, 1)):
        switch = fool(page).get_by_role("switch", name=f"Block {block}, head {head}")
        expect(switch).not_to_be_checked()
    expect(fool(page).get_by_role("switch", checked=True)).to_have_count(14)
    expect(place(page, 9)).to_have_accessible_name(re.compile("covered with black"))
    expect(place(page, 12)).to_have_accessible_name(re.compile("left out"))
    expect(place(page, 24)).to_have_accessible_name(re.compile("picture patch row 1, column 4"))
    expect(fool(page).locator(".moves")).to_have_text("9 moves")
    page.reload()
    expect(says(page)).to_contain_text(answer_of(choice, seen, EDITS))
    edits_are(page, EDITS)


def test_a_hostile_link_shows_the_plain_picture_and_one_sentence(
    visit: Callable[..., Visit],
) -> None:
    visitor = opened(visit, "edits=%3Cimg%20src%3Dx%3E_m1")
    edits_are(visitor.page, "")
    expect(visitor.page.locator(".refused p")).to_have_count(1)
    expect(says(visitor.page)).to_contain_text("It says 7")


def test_the_server_hears_when_the_hand_rests_and_not_while_it_moves(
    visit: Callable[..., Visit],
) -> None:
    visitor = opened(visit, "digit=2")
    page = visitor.page
    before = len(visitor.sent)
    drag(page, 8, 9, 10, 11, 18)
    expect(says(page)).to_contain_text("Without these 5 patches")
    page.wait_for_timeout(1500)  # longer than a hand has to rest
    assert len(visitor.sent) == before
    page.mouse.up()
    edits_are(page, "k8_k9_k10_k11_k18")
    expect(fool(page).locator(".moves")).to_have_text("1 move")
    wait_until(page, lambda: len(visitor.sent) > before)
    # another page and back: the server knows
    bar = page.get_by_test_id("stTopNavLinkContainer")
    visitor.settle()
    bar.get_by_text("Patches", exact=True).click()
    page.wait_for_url("**/patches*")
    visitor.settle()
    assert "edits" not in page.url
    bar.get_by_text("Fool it", exact=True).click()
    expect(says(page)).to_contain_text("Without these 5 patches")
    edits_are(page, "k8_k9_k10_k11_k18")


# tools


def test_what_is_done_is_undone_and_done_again(visit: Callable[..., Visit]) -> None:
    page = opened(visit).page
    place(page, 17).click()
    edits_are(page, "k17")
    button(page, "left out").click()
    place(page, 18).click()
    edits_are(page, "k17_d18")
    place(page, 18).click()  # uncovers it
    edits_are(page, "k17")
    button(page, "Swap").click()
    drag(page, 0, 16)
    page.mouse.up()
    edits_are(page, "k17_s0.16")
    fool(page).get_by_role("switch", name="Block 1, head 2", exact=True).click()
    fool(page).get_by_role("switch", name="Position").click()
    edits_are(page, "k17_s0.16_n_h0.1")
    fool(page).get_by_role("slider").fill("-30")
    edits_are(page, "t-30_k17_s0.16_n_h0.1")
    expect(says(page)).to_contain_text("With all these changes it says")
    for text in ("k17_s0.16_n_h0.1", "k17_s0.16_h0.1", "k17_s0.16", "k17", "k17_d18", "k17", ""):
        button(page, "Undo").click()
        edits_are(page, text)
    expect(button(page, "Undo")).to_be_disabled()
    expect(says(page)).to_contain_text("Change something")
    for text in ("k17", "k17_d18", "k17"):
        page.keyboard.press("Control+y") if text == "k17_d18" else button(page, "Redo").click()
        edits_are(page, text)
    button(page, "Reset").click()
    edits_are(page, "")
    page.keyboard.press("Control+z")
    edits_are(page, "k17")


def test_the_picture_is_moved_by_drag_and_keys(visit: Callable[..., Visit]) -> None:
    page = opened(visit).page
    button(page, "Move").click()
    box = fool(page).locator(".board").bounding_box()
    assert box is not None
    pixel = box["width"] / 28
    page.mouse.move(*middle(place(page, 24)))
    page.mouse.down()
    x, y = middle(place(page, 24))
    page.mouse.move(x + 3 * pixel, y - 2 * pixel, steps=6)
    page.mouse.up()
    edits_are(page, "x3_y-2")
    expect(fool(page).locator(".moves")).to_have_text("1 move")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    edits_are(page, "x2_y3")
    expect(fool(page).locator(".help")).to_contain_text("2 to the right, 3 down")


def test_everything_by_keyboard_alone(visit: Callable[..., Visit]) -> None:
    page = opened(visit).page
    keys = page.keyboard
    place(page, 0).focus()
    for key in ("ArrowDown", "ArrowDown", "End", "ArrowLeft"):
        keys.press(key)
    expect(place(page, 19)).to_be_focused()
    keys.press("Enter")
    edits_are(page, "k19")
    keys.press("Tab")  # one stop for all patches
    expect(button(page, "Cover")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    expect(place(page, 19)).to_be_focused()
    keys.press("Enter")  # takes the patch
    expect(place(page, 19)).to_have_accessible_name(re.compile("taken"))
    keys.press("Escape")
    expect(place(page, 19)).not_to_have_accessible_name(re.compile("taken"))
    keys.press(" ")
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    keys.press("Enter")
    edits_are(page, "k19_s5.19")
    slider = fool(page).get_by_role("slider")
    slider.focus()
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "10°")
    edits_are(page, "t10_k19_s5.19")
    first = fool(page).get_by_role("switch", name="Block 1, head 1", exact=True)
    first.focus()
    keys.press("ArrowRight")
    keys.press("ArrowDown")
    keys.press("Enter")
    edits_are(page, "t10_k19_s5.19_h1.1")
    keys.press("Control+z")
    edits_are(page, "t10_k19_s5.19")


def test_another_picture_starts_anew(visit: Callable[..., Visit]) -> None:
    page = opened(visit, "digit=3&edits=k3").page
    button(page, "Another digit").click()
    page.wait_for_function("() => location.search.includes('digit=4')")
    edits_are(page, "")
    expect(says(page)).to_contain_text("It says 4")
    expect(fool(page).locator(".moves")).to_have_text("0 moves")


# challenges


def test_the_fewest_patches_are_played_for_and_compared(visit: Callable[..., Visit]) -> None:
    choice, seen = observed("fast")
    few = few_patches(choice, seen, FEW, "black")
    assert few is not None and few.found.is_exact and len(few.found.patches) == 2
    page = opened(visit, "source=fast&edits=n").page
    button(page, TEXTS["challenge"]["few"]).click()
    edits_are(page, "")
    panel = fool(page).locator(".challenge")
    expect(panel).to_contain_text("The search found 2 patches.")
    expect(button(page, "Swap")).to_be_disabled()
    expect(button(page, "Compare")).to_be_hidden()
    needless = next(patch for patch in range(16) if patch not in few.found.patches)
    place(page, needless).click()
    expect(panel).to_contain_text("1 covered. It still says 7.")
    fool(page).get_by_role("switch", name="Block 1, head 1", exact=True).click(force=True)
    for patch in few.found.patches:
        place(page, patch).click()
    expect(panel).to_contain_text("3 covered. Done: it says")
    button(page, "Compare").click()
    expect(panel).to_contain_text(
        "You needed 3 patches. The search found 2 patches. No single patch does it: all 16 were"
    )
    expect(panel).to_contain_text(TEXTS["teaches"]["not_attention"])
    place(page, needless).click()
    expect(panel).to_contain_text("You needed 2 patches.")
    button(page, "Show its solution").click()
    edits_are(page, "_".join(f"k{patch}" for patch in few.found.patches))
    expect(fool(page).locator(".solved")).to_have_count(2)
    button(page, "End").click()
    expect(button(page, "Swap")).to_be_enabled()
    expect(button(page, TEXTS["challenge"]["few"])).to_be_focused()


def test_the_one_head_is_found(visit: Callable[..., Visit]) -> None:
    choice, seen = observed("fast")
    best = one_head(choice, seen)
    assert best is not None
    page = opened(visit, "source=fast").page
    button(page, TEXTS["challenge"]["head"]).click()
    panel = fool(page).locator(".challenge")
    expect(panel).to_contain_text(f"The search tried all {best.tried} heads.")
    place(page, 3).click()
    edits_are(page, "")
    names = {
        (block, head): f"Block {block + 1}, head {head + 1}"
        for block in range(choice.config.depth)
        for head in range(choice.config.num_heads)
    }
    mine = (best.head.block, best.head.head)
    other = next(one for one in names if one != mine)
    switch = {one: fool(page).get_by_role("switch", name=names[one], exact=True) for one in names}
    switch[other].click()
    expect(panel).to_contain_text("1 head tried. There is a head that matters more.")
    switch[mine].click()
    expect(panel).to_contain_text("Switch off one head at a time.")
    switch[other].click()
    expect(panel).to_contain_text("2 heads tried. That is the head.")
    button(page, "Compare").click()
    expect(panel).to_contain_text(f"It is head {mine[1] + 1} of block {mine[0] + 1}")


# other models


def test_a_model_without_a_head_says_how_far_its_features_move(
    visit: Callable[..., Visit], serve: Callable[..., str], tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "tests" / "core" / "recorded" / "dinov2", tmp_path / "models" / "dino")
    url = serve(HOME, tmp_path, VIT_EXPLAINER_PRETRAINED=str(tmp_path / "models"))
    visitor = opened(visit, "source=pretrained&pretrained=local%2Fdino", url=url)
    page = visitor.page
    meter = fool(page).locator(".meter p")
    expect(meter).to_contain_text("1.0000. They have turned by 0.0°")
    expect(page.locator("h1")).to_have_text(TEXTS["title_features"])
    button(page, "black").click()
    place(page, 0).click()
    expect(says(page)).to_contain_text("Without this patch the likeness is")
    expect(meter).not_to_contain_text("by 0.0°")
    expect(fool(page).locator(".bars")).to_be_hidden()
    expect(button(page, TEXTS["challenge"]["few"])).to_have_count(0)
    assert findings(visitor) == []


def test_a_large_model_is_asked_over_the_servers_line(
    visit: Callable[..., Visit], serve: Callable[..., str], tmp_path: Path
) -> None:
    script = tmp_path / "large.py"
    script.write_text(SCRIPT.format(root=str(ROOT), home=str(HOME)), encoding="utf-8")
    choice, seen = observed("default")
    url = serve(script, tmp_path, STREAMLIT_BROWSER_GATHER_USAGE_STATS="false")
    page = opened(visit, f"edits={EDITS}", url=url).page
    expect(says(page)).to_contain_text(answer_of(choice, seen, EDITS))
    button(page, "Reset").click()
    place(page, 17).click()
    expect(says(page)).to_contain_text(answer_of(choice, seen, "k17"))


# the page


def test_before_and_after_are_compared_on_other_pages(visit: Callable[..., Visit]) -> None:
    page = opened(visit, "edits=k17_k18").page
    link = fool(page).get_by_role("link", name="in the numbers")
    expect(link).to_have_attribute("href", re.compile(r"^patches\?.*b=edits%3Dk17_k18$"))
    link.click()
    page.wait_for_url("**/patches*b=edits%3Dk17_k18*")


def test_the_storys_screen_leads_here_with_what_is_covered(visit: Callable[..., Visit]) -> None:
    visitor = visit()
    visitor.open("story?source=fast&screen=10")
    page = visitor.page
    story = page.locator(".story")
    story.locator(".patch").nth(5).click()
    expect(story.locator(".verdict")).to_be_visible()
    story.locator(".patch").nth(6).click()
    story.get_by_role("link", name=load_texts("story")["screens"]["cover"]["play"]).click()
    page.wait_for_url("**/fool*")
    edits_are(page, "k6")
    expect(says(page)).to_contain_text("Without this patch")


@pytest.mark.parametrize("link", ["", "source=cifar10"])
def test_the_page_fits_its_window(
    visit: Callable[..., Visit], subtests: pytest.Subtests, link: str
) -> None:
    visitor = opened(visit, link, width=1024, height=768)
    page = visitor.page
    place(page, 3).click()
    for size in ((1024, 768), (1440, 900)):
        visitor.resize(*size)
        with subtests.test(f"{size[0]} pixels"):
            # what is drawn follows the new size a moment later
            wait_until(page, lambda: [*page.evaluate(TOO_HIGH), *visitor.sideways()] == [0] * 4)
            for part in (".tools", ".links", ".challenge", ".heads", ".shares"):
                expect(fool(page).locator(part)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("width", "link"), [(1440, ""), (390, ""), (1440, "source=cifar10")])
def test_the_picture_is_saved_with_what_was_changed(
    visit: Callable[..., Visit], width: int, link: str
) -> None:
    visitor = visit(width=width, height=844)
    page = visitor.page
    visitor.run_first(WRITTEN)
    visitor.open(f"fool?{link}")
    place(page, 3).click()
    edits_are(page, "m3" if link else "k3")
    expect(says(page)).to_contain_text("Without this patch")
    size = fool(page).bounding_box()
    with page.expect_download() as event:
        button(page, "Save as PNG").click()
    assert event.value.suggested_filename == "fool-it.png"
    written = page.evaluate("written.join(' ')")
    for line in fool(page).locator(".lines p").all_inner_texts():
        assert line in written
    assert "Model: " in written and "edits=" in written
    # the page itself is as it was
    assert fool(page).bounding_box() == size
    expect(fool(page).locator(".tools")).to_be_visible()
    # what is saved has no empty place of the tools: it is no higher than picture, bars and words
    with Image.open(event.value.path()) as saved:
        assert saved.height < 2 * (760 if width == 1440 else 1000)


def test_a_telephone_shows_picture_and_bars_first(visit: Callable[..., Visit]) -> None:
    visitor = opened(visit, width=390, height=844)
    page = visitor.page
    assert visitor.sideways() == [0, 0]
    expect(fool(page).locator(".board")).to_be_in_viewport(ratio=1)
    expect(fool(page).locator(".shares")).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize(("scheme", "link"), [("dark", "source=fast"), ("light", "source=cifar10")])
def test_axe_finds_nothing_serious(visit: Callable[..., Visit], scheme: str, link: str) -> None:
    visitor = opened(visit, f"{link}&edits=k3_s1.2_h0.1", scheme=scheme, width=1024, height=768)
    page = visitor.page
    page.emulate_media(reduced_motion="reduce")
    assert findings(visitor) == []
    button(page, TEXTS["challenge"]["keep"]).click()
    button(page, "Show its solution").click()
    assert findings(visitor) == []
    page.emulate_media(reduced_motion="no-preference")


def test_nothing_is_left_when_the_page_is_left(visit: Callable[..., Visit]) -> None:
    visitor = opened(visit)
    page = visitor.page
    place(page, 3).click()
    assert page.evaluate(LEFT)["engines"] == 1
    page.get_by_test_id("stTopNavLinkContainer").get_by_text("Patches", exact=True).click()
    page.wait_for_url("**/patches*")
    page.wait_for_function(f"() => Object.values(({LEFT})()).every((count) => !count)")
