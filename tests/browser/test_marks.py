"""Matrices and the token picker in Chromium: pointing marks the page, a click is in the link."""

import re
import shutil
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from browser_helpers import HOME, ROOT, Visit, served
from playwright.sync_api import Browser, Locator, Page, expect

from explainer.content.numbers import written

pytestmark = pytest.mark.browser

SETTINGS = HOME.parent / ".streamlit"
NUMBERS = HOME.parent / "components" / "shared" / "numbers.js"
Opener = Callable[..., Visit]

SCRIPT = """
import numpy as np
import streamlit as st

from explainer.state import session
from explainer.state.place import read_cell
from explainer.components.matrices import matrices
from explainer.figures.matrix import Matrix
from explainer.components.token_picker import token_picker

st.set_page_config(layout="wide")
st.title("Matrices")
TOKENS = ["[CLS]", "patch 1, 1", "patch 1, 2", "patch 2, 1", "patch 2, 2"]
numbers = [f"number {i}" for i in range(1, 4)]


def items():
    q = np.arange(15, dtype=np.float32).reshape(5, 3) / 4 - 1
    ramp = np.linspace(0, 1, 197 * 197, dtype=np.float32).reshape(197, 197)
    names, pixels = [f"t{i}" for i in range(197)], [f"pixel {i}" for i in range(784)]
    return [
        Matrix("q", q, "Queries", TOKENS, numbers, "query", "dimension", colour="query"),
        Matrix("scores", q @ q.T, "Scores", TOKENS, TOKENS, "query", "key", limit=1.0),
        Matrix("embedding", q[1:], "Embedding", TOKENS[1:], numbers, "patch", "dimension"),
        Matrix("large", ramp, "Large", names, names, scale="sequential"),
        Matrix("wide", ramp[:4].repeat(4, 1)[:, :784], "Wide", names[:4], pixels),
    ]


token_picker(
    key="picker",
    image=np.full((8, 8), 90, np.uint8),
    grid=(2, 2),
    prefix_names=["[CLS]"],
    query=session.load().query or 0,
    on_choose=lambda clicked: session.set_query(clicked["query"]),
    values=np.linspace(-1, 1, 5),
    scale="diverging",
)
matrices(
    key="demo",
    items=items,
    cell=read_cell(session.load().cell),
    on_choose=session.set_cell,
    links={"query": session.load().query or 0},
    cache=("test",),
)
if "strip" in st.query_params:
    matrices(
        key="strip",
        items=lambda: [
            Matrix("q", items()[0].values, "q query", TOKENS, numbers, "any", "dimension"),
            Matrix("k", items()[0].values, "k key", TOKENS, numbers, "any", "dimension", sign="·"),
            Matrix("share", np.full((5, 1), 0.2), "share", TOKENS, [""], "key", sign="="),
        ],
        on_choose=session.set_cell,
        is_strip=True,
    )
if "twice" in st.query_params:
    matrices(
        key="other-demo",
        items=[Matrix("q", np.eye(5, 3), "Others", TOKENS, numbers, "query", "dimension")],
        on_choose=session.set_cell,
        links={"query": 2},
        group="other-",
    )
"""


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a page with nothing but the components."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(SETTINGS, folder / ".streamlit")
    (folder / "static").symlink_to(SETTINGS.parent / "static")
    script = folder / "demo.py"
    script.write_text(f"import sys\n\nsys.path.insert(0, {str(ROOT)!r})\n{SCRIPT}")
    with served(script, folder) as url:
        yield url


@pytest.fixture
def open_demo(demo: str, visit: Callable[..., Visit]) -> Opener:
    """Return an opener: link parameters → a visit to the page with the components."""

    def open_demo(params: str = "", width: int = 1440, **options: object) -> Visit:
        one = visit(width, height=1400, url=demo, **options)
        one.open(f"?{params}")
        expect(one.page.locator(".picker .cell")).to_have_count(4)
        more = {"twice=1": 1, "strip=1": 3}.get(params, 0)
        expect(one.page.locator(".matrix")).to_have_count(5 + more)
        one.settle()
        return one

    return open_demo


def matrix(page: Page, title: str) -> Locator:
    return page.locator(".matrix").filter(has=page.get_by_role("heading", name=title))


def middle(plane: Locator, row: int, column: int, rows: int, columns: int) -> dict[str, float]:
    """Return where a cell's middle is, from the top left of its matrix."""
    box = plane.bounding_box()
    return {"x": (column + 0.5) * box["width"] / columns, "y": (row + 0.5) * box["height"] / rows}


def marked(found: Locator, direction: str, count: int) -> list[int]:
    """Return the rows or columns that are marked in a matrix."""
    return found.locator(".plane").evaluate(
        """(plane, [direction, count]) => {
          const [from, extent] = direction === "row" ? ["top", "height"] : ["left", "width"];
          const whole = plane.getBoundingClientRect();
          return [...plane.querySelectorAll(`.mark.${direction}:not([hidden])`)].map((mark) => {
            const box = mark.getBoundingClientRect();
            return Math.floor((box[from] + box[extent] / 2 - whole[from]) / whole[extent] * count);
          });
        }""",
        [direction, count],
    )


def test_pointing_says_the_value_and_marks_every_linked_axis_without_the_server(
    open_demo: Opener,
) -> None:
    one = open_demo()
    page, asked = one.page, len(one.sent)
    scores, q = matrix(page, "Scores"), matrix(page, "Queries")
    plane = scores.locator(".plane")
    plane.hover(position=middle(plane, 1, 4, 5, 5))
    expect(scores.locator(".readout")).to_have_text("patch 1, 1 × patch 2, 2: 0.1250")
    assert marked(scores, "row", 5) == [1] and marked(scores, "column", 5) == [4]
    assert marked(q, "row", 5) == [1]
    assert marked(matrix(page, "Embedding"), "row", 4) == [0, 3]  # the query and the key
    expect(page.locator(".picker [data-token='1']")).to_have_class(re.compile("active"))
    expect(page.locator(".picker [data-token='4']")).to_have_class(re.compile("looked-at"))
    page.get_by_role("heading", name="Matrices", exact=True).hover()
    expect(scores.locator(".readout")).to_have_class(re.compile("idle"))
    assert marked(q, "row", 5) == [0]  # the chosen token again

    page.get_by_role("button", name="patch 2, 1", exact=True).hover()
    expect(page.locator(".picker .readout")).to_have_text("patch 2, 1: 0.5000")
    assert marked(matrix(page, "Queries"), "row", 5) == [3]
    assert marked(matrix(page, "Embedding"), "row", 4) == [2]
    assert marked(matrix(page, "Large"), "row", 197) == []
    assert len(one.sent) == asked


def test_pointing_marks_nothing_of_another_group(open_demo: Opener) -> None:
    page = open_demo("twice=1").page
    scores, queries, others = (matrix(page, name) for name in ("Scores", "Queries", "Others"))
    assert marked(others, "row", 5) == [2]
    plane = scores.locator(".plane")
    plane.hover(position=middle(plane, 1, 4, 5, 5))
    expect(scores.locator(".readout")).to_have_text("patch 1, 1 × patch 2, 2: 0.1250")
    assert marked(queries, "row", 5) == [1]
    assert marked(others, "row", 5) == [2]
    plane = others.locator(".plane")
    plane.hover(position=middle(plane, 4, 0, 5, 3))
    expect(others.locator(".readout")).to_have_text("patch 2, 2 × number 1: 0")
    assert marked(others, "row", 5) == [4]
    assert marked(queries, "row", 5) == [0]  # the chosen token again


def test_a_clicked_cell_is_in_the_link_outlined_and_survives_reload(open_demo: Opener) -> None:
    one = open_demo()
    page = one.page
    scores = matrix(page, "Scores")
    plane = scores.locator(".plane")
    one.received.clear()
    plane.click(position=middle(plane, 1, 3, 5, 5))
    page.wait_for_url(re.compile(r"cell=scores\.1\.3(&|$)"))
    one.settle()
    assert sum(one.received) < 20_000  # the matrices themselves do not travel again
    page.reload()
    expect(scores.locator(".box")).to_have_attribute(
        "aria-label",
        re.compile(r"^Scores: 5 rows of 5 numbers\..*Chosen: patch 1, 1 × patch 2, 1:"),
    )
    expect(scores.locator(".chosen")).to_be_visible()
    expect(matrix(page, "Queries").locator(".chosen")).to_be_hidden()
    outline, whole = scores.locator(".chosen").bounding_box(), plane.bounding_box()
    assert outline["x"] - whole["x"] == pytest.approx(0.6 * whole["width"], abs=1)
    assert outline["y"] - whole["y"] == pytest.approx(0.2 * whole["height"], abs=1)


def test_a_clicked_token_is_in_the_link_and_stays_marked(open_demo: Opener) -> None:
    page = open_demo().page
    page.get_by_role("button", name="patch 1, 2", exact=True).click()
    page.wait_for_url(re.compile(r"query=2(&|$)"))
    page.get_by_role("heading", name="Matrices", exact=True).hover()
    expect(page.locator(".picker [data-token='2']")).to_have_attribute("aria-pressed", "true")
    assert marked(matrix(page, "Queries"), "row", 5) == [2]


def test_arrow_keys_move_and_enter_chooses(open_demo: Opener) -> None:
    page = open_demo("cell=q.1.1").page
    q = matrix(page, "Queries")
    q.locator(".box").focus()
    for key, expected in (
        ("ArrowRight", "patch 1, 1 × number 3: 0.2500"),
        ("ArrowRight", "patch 1, 1 × number 3: 0.2500"),
        ("ArrowDown", "patch 1, 2 × number 3: 1.000"),
        ("Home", "patch 1, 2 × number 1: 0.5000"),
        ("PageDown", "patch 2, 2 × number 1: 2.000"),
        ("ArrowUp", "patch 2, 1 × number 1: 1.250"),
    ):
        page.keyboard.press(key)
        expect(q.locator(".readout")).to_have_text(expected)
    status = page.get_by_role("status").filter(has_text="patch 2, 1 × number 1: 1.250")
    expect(status).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"cell=q\.3\.0(&|$)"))


def test_a_matrix_that_scrolls_says_so(open_demo: Opener) -> None:
    page = open_demo().page
    wide = matrix(page, "Wide")
    expect(wide.locator(".scrolls")).to_be_visible()
    assert wide.locator(".box").evaluate("(box) => box.scrollWidth > box.clientWidth")
    for title in ("Queries", "Scores", "Large"):
        expect(matrix(page, title).locator(".scrolls")).to_be_hidden()


def test_a_cell_has_the_colour_of_its_value_and_what_is_clipped_is_said(open_demo: Opener) -> None:
    page = open_demo().page
    colours = (
        "(c) => { const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return [[...data.slice(0, 3)], [...data.slice(-4, -1)], c.width, c.height]; }"
    )
    first, last, width, height = matrix(page, "Large").locator("canvas").evaluate(colours)
    assert (width, height) == (197, 197)
    assert first == [0x13, 0x0F, 0x29] and last == [0xFF, 0xF6, 0xD1]
    _, clipped, *_ = matrix(page, "Scores").locator("canvas").evaluate(colours)
    assert clipped == [0x6C, 0x2D, 0x02]
    expect(matrix(page, "Scores").locator(".note").first).to_have_text(
        "Full colour from ±1.000 on; the farthest from zero is 15.31."
    )
    expect(matrix(page, "Queries").locator(".note").first).to_be_hidden()


def test_a_phone_scrolls_a_wide_matrix_and_never_the_page(open_demo: Opener) -> None:
    one = open_demo("cell=wide.2.700", width=390, scheme="dark", has_touch=True)
    page = one.page
    assert one.sideways() == [0, 0]
    box = matrix(page, "Wide").locator(".box")
    width, whole, from_left = box.evaluate("(e) => [e.clientWidth, e.scrollWidth, e.scrollLeft]")
    assert width < 390 < whole
    assert from_left > 0
    outline = matrix(page, "Wide").locator(".chosen").bounding_box()
    left = box.bounding_box()["x"]
    assert left <= outline["x"] <= left + width  # the chosen cell is in sight
    plane = matrix(page, "Queries").locator(".plane")
    plane.tap(position=middle(plane, 4, 2, 5, 3))
    page.wait_for_url(re.compile(r"cell=q\.4\.2(&|$)"))


def test_the_outline_of_a_chosen_cell_follows_the_theme(open_demo: Opener) -> None:
    page = open_demo("cell=q.1.1").page
    outline = matrix(page, "Queries").locator(".chosen")
    expect(outline).to_have_css("box-shadow", re.compile(re.escape("rgb(28, 31, 38)")))
    page.emulate_media(color_scheme="dark")
    expect(outline).to_have_css("box-shadow", re.compile(re.escape("rgb(232, 233, 236)")))


def test_python_and_the_browser_write_numbers_alike(browser: Browser) -> None:
    drawn = np.random.default_rng(0)
    numbers = [*drawn.standard_normal(300), *np.exp(drawn.uniform(-25, 20, 300))]
    # halves of the last digit, which are exact in binary
    numbers += [0, 1.0625, -1.0625, 5.1875, 0.99999, 99999.5, 999999.0, 1e6, 1e-4, 9.9996e-5]
    numbers = [float(np.float32(number)) for number in numbers]
    page = browser.new_page()
    script = f"(numbers) => {{ {NUMBERS.read_text()}; return numbers.map(written); }}"
    found = page.evaluate(script, numbers)
    page.close()
    assert found == [written(number) for number in numbers]


def test_a_token_of_a_strip_is_marked_in_all_its_rows_alike(open_demo: Opener) -> None:
    one = open_demo("strip=1")
    page, asked = one.page, len(one.sent)
    queries, keys, shares = (matrix(page, name) for name in ("q query", "k key", "share"))
    assert marked(queries, "row", 5) == marked(keys, "row", 5) == [0]  # the chosen token
    assert marked(shares, "row", 5) == []
    for found in (queries, keys):
        plane = found.locator(".plane")
        plane.hover(position=middle(plane, 3, 1, 5, 3))
        # once for the token that asks, once for the token that is asked
        assert set(marked(queries, "row", 5)) == set(marked(keys, "row", 5)) == {3}
        assert marked(shares, "row", 5) == [3]
        expect(page.locator(".picker [data-token='3']")).to_have_class(re.compile("active"))
    readout = page.locator(".panels > .readout")
    expect(readout).to_have_text("k key · patch 2, 1 × number 2: 1.500")
    plane = shares.locator(".plane")
    plane.hover(position=middle(plane, 4, 0, 5, 1))
    assert marked(queries, "row", 5) == [0, 4]  # it still asks, and another is asked
    assert marked(shares, "row", 5) == [4]
    boxes = [found.locator(".plane").bounding_box() for found in (queries, keys, shares)]
    assert len({(box["y"], box["height"]) for box in boxes}) == 1
    assert len(one.sent) == asked
