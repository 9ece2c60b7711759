"""Two halves in Chromium: one colour scale for both, and linked pointing, while both are there."""

import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from browser_helpers import HOME, ROOT, Visit, pixels, served, wait_until
from playwright.sync_api import Browser, Locator, Page, expect

from explainer.components.halves import grid_of
from explainer.state.second import same_token
from vit_core import ViTConfig

pytestmark = pytest.mark.browser

MARKS = HOME.parent / "components" / "shared" / "marks.js"
SETTINGS = HOME.parent / ".streamlit"
# what the second half and the link between both have left on the page
LEFT_BEHIND = """() => {
  const shared = (name) => globalThis[Symbol.for(`vit-explainer.${name}`)];
  const isSecond = ([group]) => group.startsWith("b-");
  const marks = [...shared("marks")].filter(isSecond).map(([, one]) => one);
  const sum = (name) => marks.reduce((total, one) => total + one[name].size, 0);
  return {
    companions: shared("matrices").get("demo").size,
    listeners: sum("listeners"),
    links: sum("links"),
    halves: shared("halves") ? 1 : 0,
  };
}"""
SHARED = "One scale for A and B"

# half B has numbers of twice the size, a finer grid, and no class token
SCRIPT = """
import numpy as np
import streamlit as st

from explainer.components.filter_grid import filter_grid
from explainer.components.halves import link_halves
from explainer.components.matrices import matrices
from explainer.components.patch_explorer import patch_explorer
from explainer.components.token_explorer import token_explorer
from explainer.components.token_picker import token_picker
from explainer.content import load_texts
from explainer.figures.matrix import Matrix
from vit_core import ViTConfig

st.set_page_config(layout="wide")
st.title("Halves")
A = ViTConfig(image_size=8, patch_size=4, embed_dim=4, depth=1, num_heads=1)
B = ViTConfig(image_size=8, patch_size=2, embed_dim=4, depth=1, num_heads=1, pool="mean")


def draw(prefix, config, size):
    tokens = [f"{prefix}token {i}" for i in range(config.num_tokens)]
    names = ["[CLS]"] * config.num_prefix_tokens
    ramp = np.linspace(-size, size, config.num_tokens, dtype=np.float32)
    image = np.full((8, 8), 90, np.uint8)
    weights = np.ones(config.num_tokens) / config.num_tokens
    weights[-1] += size / 4
    filters = np.full((4, 2, 2), size, np.float32)
    token_picker(
        key=f"{prefix}picker", image=image, grid=config.grid_size, prefix_names=names, query=0,
        on_choose=lambda clicked: None, values=ramp, scale="diverging", group=prefix,
    )
    matrices(
        key=f"{prefix}demo",
        items=[
            Matrix("m", ramp[:, None] * np.ones(3), f"{prefix}M", tokens, ["x", "y", "z"], "query"),
            Matrix("zero", np.zeros((1, 1)) + (size - 1), f"{prefix}Zero", ["0"], ["0"]),
        ],
        on_choose=lambda cell: None,
        group=prefix,
    )
    token_explorer(
        key=f"{prefix}explorer", image=image, grid=config.grid_size,
        patterns=np.tile(weights, (1, 1, config.num_tokens, 1)), heads=1,
        prefix_names=names, texts=load_texts("token_explorer"), block=0, head=0, query=0,
        on_choose=lambda clicked: None,
    )
    patch_explorer(
        key=f"{prefix}patches", image=image, grid=config.grid_size,
        vectors=np.full((config.num_patches, 64 // config.num_patches), size, np.float32),
        texts=load_texts("patch_explorer"), patch=0, on_choose=lambda clicked: None,
    )
    filter_grid(
        key=f"{prefix}filters", filters=filters, responses=np.arange(4.0), chosen=0,
        on_choose=lambda chosen: None, cache=("filters", size), group=prefix,
    )


def plain(prefix, config):
    token_picker(
        key=f"{prefix}plain", image=np.full((8, 8), 90, np.uint8), grid=config.grid_size, query=0,
        prefix_names=["[CLS]"] * config.num_prefix_tokens, on_choose=lambda clicked: None,
    )


both = st.toggle("Compare", "both" in st.query_params)
left, right = st.columns(2)
with left, st.container(key="left"):
    draw("", A, 1)
    plain("", A)
if both:
    with right, st.container(key="right"):
        draw("b-", B, 2)
        plain("b-", B)
    link_halves(A, B, key="halves")
    rows = [f"token {i}" for i in range(A.num_tokens)]
    with st.container(key="below"):
        matrices(
            key="difference-demo",
            items=[Matrix("m", np.full((5, 3), 9.0), "B − A", rows, ["x", "y", "z"], "query")],
            on_choose=lambda cell: None,
        )
"""


@pytest.fixture(scope="module")
def halves(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a page that draws the same components once or twice."""
    folder = tmp_path_factory.mktemp("halves")
    shutil.copytree(SETTINGS, folder / ".streamlit")
    (folder / "static").symlink_to(SETTINGS.parent / "static")
    script = folder / "halves.py"
    script.write_text(f"import sys\n\nsys.path.insert(0, {str(ROOT)!r})\n{SCRIPT}")
    with served(script, folder) as url:
        yield url


@pytest.fixture
def open_halves(halves: str, visit: Callable[..., Visit]) -> Callable[..., Visit]:
    def open_halves(params: str = "both=1", width: int = 1600, **options: object) -> Visit:
        one = visit(width, height=1600, url=halves, **options)
        one.open(f"?{params}")
        expect(one.page.locator(".filters")).to_have_count(2 if params else 1)
        return one

    return open_halves


def half(page: Page, side: str) -> Locator:
    return page.locator(f".st-key-{side}")


def end_of(found: Locator) -> list[int]:
    """Return the colour of the last cell of a canvas."""
    return pixels(found)[-1][:3]


def matrix(parent: Locator, title: str) -> Locator:
    return parent.locator(".matrix").filter(has_text=re.compile(rf"^{title}"))


def colours(side: Locator, title: str) -> dict[str, object]:
    """Return what has a scale in one half: the colour of its last, largest number."""
    return {
        "matrix": end_of(matrix(side, f"{title}M").locator("canvas")),
        "zero": end_of(matrix(side, f"{title}Zero").locator("canvas")),
        "picker": end_of(side.locator(".picker canvas.overlay")),
        "head": end_of(side.locator(".card canvas.overlay")),
        "pattern": end_of(side.locator(".square canvas")),
        "vector": end_of(side.locator(".strip canvas.pixelated").last),
        "filter": pixels(side.locator(".filters canvas"))[200][:3],
    }


def test_alone_the_largest_number_of_each_has_the_full_colour(open_halves) -> None:
    page = open_halves("").page
    found = colours(half(page, "left"), "")
    assert found["matrix"] == found["vector"] == [0x6C, 0x2D, 0x02]
    assert found["pattern"] == [0xFF, 0xF6, 0xD1]
    expect(page.get_by_text(SHARED)).to_have_count(0)


def test_both_halves_have_one_scale_as_long_as_both_are_there(open_halves) -> None:
    one = open_halves("")
    page = one.page
    left, right = half(page, "left"), half(page, "right")
    expect(matrix(left, "M").locator(".legend .number").last).to_have_text("1.000")
    alone = colours(left, "")
    page.get_by_text("Compare", exact=True).click()
    expect(page.locator(".filters")).to_have_count(2)
    for side in (left, right):
        expect(matrix(side, "(b-)?M").locator(".legend .number").last).to_have_text("2.000")
        expect(side.locator(".picker .legend .number").last).to_have_text("2.000")
        expect(side.locator(".filters .legend .number").last).to_have_text("2.000")
        expect(side.get_by_text(SHARED)).to_have_count(5)
    shared, other = colours(left, ""), colours(right, "b-")
    assert other["matrix"] == alone["matrix"]  # the full colour is for the larger number
    for name in ("matrix", "picker", "head", "pattern", "vector"):
        assert shared[name] != alone[name], name
    assert shared["zero"] == alone["zero"]
    page.get_by_text("Compare", exact=True).click()
    expect(page.locator(".filters")).to_have_count(1)
    expect(page.get_by_text(SHARED)).to_have_count(0)
    expect(matrix(left, "M").locator(".legend .number").last).to_have_text("1.000")
    wait_until(page, lambda: colours(left, "") == alone)
    none = {"companions": 1, "listeners": 0, "links": 0, "halves": 0}
    wait_until(page, lambda: page.evaluate(LEFT_BEHIND) == none)
    one.check()


def test_pointing_in_one_half_marks_the_same_place_in_the_other(open_halves) -> None:
    page = open_halves().page
    left, right = half(page, "left"), half(page, "right")
    # the last patch of 2 by 2 is the one in row 4, column 4 of 4 by 4
    left.locator(".picker [data-token='4']").first.hover()
    expect(right.locator(".picker .active").first).to_have_attribute("data-token", "15")
    # a patch of the finer grid lies in one of the coarser
    right.locator(".picker [data-token='2']").first.hover()
    expect(left.locator(".picker .active").first).to_have_attribute("data-token", "2")
    # the other model has no class token, so what is chosen there stays marked
    left.locator(".picker [data-token='0']").first.hover()
    expect(right.locator(".picker .active").first).to_have_attribute("data-token", "0")
    left.locator(".main [data-token='4']").hover()
    expect(right.locator(".main h2")).to_contain_text("patch 4, 4")
    page.get_by_role("heading", name="Halves").hover()
    expect(right.locator(".main h2")).to_contain_text("patch 1, 1")
    right.locator(".steps [data-token='15']").hover()
    expect(left.locator(".steps .active")).to_have_attribute("data-token", "3")
    # columns that mean nothing by themselves are linked with the same matrix of the other half
    plane = matrix(left, "M").locator(".plane")
    box = plane.bounding_box()
    plane.hover(position={"x": 0.9 * box["width"], "y": 0.5 * box["height"]})
    expect(matrix(right, "b-M").locator(".mark.column")).to_be_visible()
    difference = matrix(page.locator(".st-key-below"), "B − A")
    expect(difference.locator(".mark.column")).to_be_visible()
    assert float(difference.locator(".mark.column").evaluate("(mark) => mark.offsetLeft")) > 0
    # and each says what stands there
    expect(difference.locator(".readout")).to_have_text("token 2 × z: 9.000")
    expect(matrix(right, "b-M").locator(".readout")).to_have_text("b-token 7 × z: −0.1333")
    page.get_by_role("heading", name="Halves").hover()
    expect(difference.locator(".readout")).to_have_text("9.000 to 9.000")


SHAPES = [
    ViTConfig(image_size=12, patch_size=patch, pool=pool, num_registers=registers)
    for patch in (2, 4, 6)
    for pool in ("cls", "mean")
    for registers in (0, 2)
]


def test_python_and_the_browser_link_the_same_tokens(browser: Browser) -> None:
    page = browser.new_page()
    script = f"""(pairs) => {{ {MARKS.read_text()};
      return pairs.map(([from, to, count]) =>
        Array.from({{ length: count }}, (_, token) => sameToken(token, from, to) ?? null));
    }}"""
    pairs = [(one, other) for one in SHAPES for other in SHAPES]
    sent = [[grid_of(one), grid_of(other), one.num_tokens] for one, other in pairs]
    found = page.evaluate(script, sent)
    page.close()
    for (one, other), tokens in zip(pairs, found, strict=True):
        assert tokens == [same_token(token, one, other) for token in range(one.num_tokens)]


def test_a_difference_has_a_scale_of_its_own(open_halves) -> None:
    page = open_halves().page
    below = page.locator(".st-key-below")
    expect(matrix(below, "B − A").locator(".legend .number").last).to_have_text("9.000")
    expect(below.get_by_text(SHARED)).to_have_count(0)
    for side in ("left", "right"):
        found = matrix(half(page, side), "(b-)?M").locator(".legend .number").last
        expect(found).to_have_text("2.000")
