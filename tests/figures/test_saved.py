"""Saved pictures: their numbers are those of the data, their margin says what they are."""

import io
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from explainer.content import load_texts
from explainer.figures import (
    block_flow,
    by_block,
    class_bars,
    colour_map,
    confusion,
    costs,
    curves,
    drawn,
    gallery,
    layer_norm,
    looks,
    maps,
    mosaic,
    panels,
    parts,
    pixels,
    products,
    side_by_side,
    strip,
    switched,
    terms,
    theme,
    waves,
)
from explainer.figures.matrix import Matrix
from explainer.figures.panels import Panel, Swatch
from explainer.figures.plotly_text import in_plotly
from explainer.figures.saved import files, letters, paper, tree
from explainer.figures.saved.charts import chart_of
from explainer.figures.saved.colours import light
from explainer.figures.saved.margin import EDGE, About, below_film
from explainer.figures.saved.matrices import Marks, colours_of, ticks

TEXTS = load_texts("matrices")
HOSTILE = '<b>&"x" $y_2$ ]]> \x07\ud800 名'
ABOUT = About(
    HOSTILE,
    "Page · Part",
    "Model: Default; epoch 3, seed 0.",
    "Picture: digit 7.",
    "The same in the app: patches?digit=3&figure=a.b",
    "CC BY-SA 3.0.",
    "ViT Explainer",
)
SVG = "{http://www.w3.org/2000/svg}"


def matrix(values: np.ndarray, name: str = "scores", **how: object) -> Matrix:
    rows, columns = values.shape
    return Matrix(
        name,
        values,
        "Scores",
        [f"token {row + 1}" for row in range(rows)],
        [f"dimension {column + 1}" for column in range(columns)],
        row_axis="query",
        column_axis="dimension",
        **how,
    )


def saved(thing: object, kind: str, about: About = ABOUT, **how: object) -> bytes:
    return files.content([drawn.Drawn("a", "", lambda: thing, how)], about, TEXTS, kind)


def cells_in(svg: bytes, name: str) -> list[str]:
    """Return the colours of a matrix's cells in an SVG, row by row."""
    group = next(
        one for one in ElementTree.fromstring(svg).iter() if one.get("id") == f"cells-{name}"
    )
    return [re.search("fill: (#[0-9a-f]{6})", path.get("style", ""))[1] for path in group]


def words_in(svg: bytes) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def image_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def expected(values: np.ndarray, limit: float, stops: list[str], low: float) -> np.ndarray:
    """Return the colours of values from ``low`` to ``limit``, worked out by itself."""
    table = pixels.palette(stops)
    return table[np.rint(255 * np.clip((values - low) / (limit - low), 0, 1)).astype(int)]


# matrices


@pytest.mark.parametrize("shape", [(5, 7), (1, 9), (9, 1), (40, 60)])
@pytest.mark.parametrize("scale", ["diverging", "sequential"])
def test_cells_have_the_colours_of_their_numbers(shape: tuple[int, int], scale: str) -> None:
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    signed = scale == "diverging"
    values = values if signed else np.abs(values)
    svg = saved([matrix(values, scale=scale)], "svg")
    most = float(np.abs(values).max())
    stops = theme.DIVERGING if signed else theme.SEQUENTIAL
    colours = expected(values, most, stops, -most if signed else 0.0)
    found = [[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in cells_in(svg, "scores")]
    # of a colour of 256, a rounded half makes a step
    assert np.abs(np.array(found).reshape(colours.shape) - colours).max() <= 4
    assert len(found) == values.size


def test_a_png_has_the_same_cells_at_twice_the_size() -> None:
    values = np.random.default_rng(2).normal(size=(24, 30)).astype(np.float32)
    item = matrix(values)
    image = image_of(saved([item], "png"))
    colours = colours_of(item)
    flat = image.reshape(-1, 3)
    rows, columns = np.where((image == colours[0, 0]).all(axis=-1))
    side = 2 * 20
    top, left = rows.min(), columns.min()
    for row, column in ((0, 0), (0, 29), (23, 0), (11, 17)):
        at = image[top + side * row + side // 2, left + side * column + side // 2]
        assert (at == colours[row, column]).all()
    assert len(flat) > values.size * side**2


def test_a_large_matrix_is_a_picture_of_a_pixel_for_each_number() -> None:
    values = np.random.default_rng(3).normal(size=(197, 197)).astype(np.float32)
    item = matrix(values)
    svg = saved([item], "svg").decode()
    addresses = re.findall(r'xlink:href="(data:image/png;base64,[^"]*)"', svg)
    images = [tree.image_of(re.sub(r"\s", "", one)) for one in addresses]
    large = next(one for one in images if one.shape[:2] == (197, 197))
    assert (large[..., :3] == colours_of(item)).all()
    assert "pixelated" in svg


def test_what_is_clipped_centred_and_marked() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    clipped = words_in(saved([matrix(values, limit=5.0)], "svg"))
    note = TEXTS["clipped"].format(limit="±5.000", largest="11.00")
    assert " ".join(clipped).count(note.split(";")[0]) == 1
    centre = values.mean(axis=1, keepdims=True)
    item = matrix(values, centre=centre)
    assert (colours_of(item) == colours_of(matrix(values - centre))).all()
    said = words_in(saved([item], "svg"))
    assert TEXTS["centred"].format(value="+1.500") in said
    # the chosen cell and the followed row each have a frame
    plain = saved([matrix(values)], "svg").decode()
    marked = saved([matrix(values)], "svg", cell=("scores", 1, 2), links={"token": 2}).decode()
    for colour in (theme.QUERY.light, theme.TEXT.light):
        assert marked.count(f"stroke: {colour}") == plain.count(f"stroke: {colour}") + 1


def test_marks_are_those_of_the_page() -> None:
    square = Matrix("s", np.eye(5), "S", list("abcde"), list("abcde"), "token", "token")
    marks = Marks({"token": 3, "key": 1}, 1).of(square)
    assert [(is_row, at) for is_row, at, _ in marks] == [(True, 3), (False, 1)]
    patches = Matrix("p", np.ones((4, 2)), "P", list("abcd"), list("xy"), "patch", "dimension")
    assert [one[:2] for one in Marks({"token": 3, "dimension": 1}, 1).of(patches)] == [
        (True, 2),
        (False, 1),
    ]
    assert Marks({"token": 0}, 1).of(patches) == []


def test_a_strip_has_its_signs_and_every_matrix() -> None:
    values = np.ones((4, 3), np.float32)
    items = [matrix(values, "q"), matrix(values, "k", sign="·"), matrix(values, "s", sign="=")]
    svg = saved(items, "svg", is_strip=True)
    assert {"·", "="} <= set(words_in(svg))
    assert all(len(cells_in(svg, name)) == 12 for name in "qks")


def test_names_are_written_where_they_fit() -> None:
    with paper.drawing():
        names, step = ticks([f"dimension {n + 1}" for n in range(64)], 15, lie=True)
        assert names[0] == "1" and step == 2
        names, step = ticks([f"dimension {n + 1}" for n in range(768)], 1, lie=True)
        assert list(names.values())[:3] == ["1", "50", "100"]
        names, _ = ticks(["cat", HOSTILE, "dog"], 20)
        assert names[1].startswith('<b>&"x" $y_2$ ]]>')
        assert ticks([""], 20) == ({}, 1)


# the margin


def test_the_margin_says_what_it_is_and_whose() -> None:
    svg = saved([matrix(np.eye(3))], "svg")
    words = words_in(svg)
    shown = letters.plain(HOSTILE)
    assert shown in words and "\x07" not in shown
    for words_of_margin in (ABOUT.where, ABOUT.model, ABOUT.picture, ABOUT.link, ABOUT.licence):
        assert words_of_margin in words
    root = ElementTree.fromstring(svg)
    said = [one.text for one in root.iter() if one.tag.startswith("{http://purl.org/dc")]
    for text in (shown, ABOUT.link, "ViT Explainer"):
        assert text in said
    assert not [one for one in root.iter() if one.tag.endswith("date")]
    # a licence stands within an agent, and so does the maker
    assert ABOUT.licence in said
    assert float(root.get("width")) == float(root.get("viewBox").split()[2])


def test_a_png_says_it_in_its_chunks() -> None:
    image = Image.open(io.BytesIO(saved([matrix(np.eye(3))], "png")))
    assert image.text["Title"] == letters.plain(HOSTILE)
    assert image.text["Source"] == ABOUT.link
    assert image.text["Copyright"] == ABOUT.licence
    assert image.text["Software"] == "ViT Explainer"
    assert ABOUT.model in image.text["Description"]
    size = ElementTree.fromstring(saved([matrix(np.eye(3))], "svg"))
    assert image.size == tuple(2 * float(size.get(side)) for side in ("width", "height"))


def test_the_background_is_white_in_all_corners() -> None:
    image = image_of(saved([matrix(np.eye(3))], "png"))
    frame = np.concatenate(
        [
            image[:EDGE].reshape(-1, 3),
            image[-8:].reshape(-1, 3),
            image[:, : 2 * EDGE - 4].reshape(-1, 3),
        ]
    )
    assert (frame == 255).all()


def test_long_words_stay_inside() -> None:
    about = replace(
        ABOUT, link="https://example.org/patches?picture=" + 1000 * "x", model=90 * "名 "
    )
    svg = saved([matrix(np.eye(3))], "svg", about)
    width = float(ElementTree.fromstring(svg).get("width"))
    with paper.drawing():
        assert max(letters.width(one, 11) for one in words_in(svg) if "x" * 20 in one) < width
    assert "x" * 1000 in "".join(words_in(svg))


def test_words_for_a_film_are_as_wide_as_its_frames() -> None:
    for width in (57, 400, 641):
        words = below_film(ABOUT, width, 2)
        assert words.shape[1:] == (width, 3) and words.dtype == np.uint8
    assert (words == below_film(ABOUT, 641, 2)).all() and words.min() < 128


def test_the_same_picture_is_the_same_file_in_every_thread() -> None:
    values = np.random.default_rng(4).normal(size=(12, 12)).astype(np.float32)
    chart = costs.pairs_chart(["2", "4"], [25, 289], 1, "", "light")
    figures = [[matrix(values)], chart, class_bars_html(), [Panel(np.zeros((4, 4), np.uint8))]]
    jobs = [(figure, kind) for figure in figures for kind in ("png", "svg")]
    alone = [saved(*job) for job in jobs]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda job: saved(*job), 3 * jobs))
    assert together == 3 * alone


def test_matplotlib_is_loaded_for_the_first_picture_only() -> None:
    code = (
        "import sys, explainer.shell.more, explainer.views.patches\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from explainer.figures.saved import files\n"
        "assert 'matplotlib' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_pyplot_is_not_used() -> None:
    saved([matrix(np.eye(2))], "png")
    assert "matplotlib.pyplot" not in sys.modules


def test_a_picture_in_several_places_is_in_the_file_once() -> None:
    image = np.random.default_rng(5).integers(0, 256, (120, 120, 3), np.uint8)
    one, many = (saved(count * [Panel(image, width=60)], "svg").decode() for count in (1, 9))
    assert many.count('<use xlink:href="#shared-0"') == 9
    assert len(many) < 1.2 * len(one) + 4_000
    assert "<use" not in one.replace('<use xlink:href="#m', "")
    ElementTree.fromstring(many)


# comparisons


def test_both_halves_have_one_scale() -> None:
    small, large = matrix(np.full((2, 2), 1.0)), matrix(np.full((2, 2), 4.0))
    pictures = [
        drawn.Drawn("a", "", lambda item=item: [item], {}, half)
        for item, half in ((small, "a"), (large, "b"))
    ]
    svg = files.content(pictures, ABOUT, TEXTS, "svg")
    assert {"A", "B"} <= set(words_in(svg))
    root = ElementTree.fromstring(svg)
    groups = [one for one in root.iter() if one.get("id") == "cells-scores"]
    first, second = (group[0].get("style") for group in groups)
    assert first != second and theme.DIVERGING[-1] in second


def test_panels_of_halves_are_made_for_the_larger_limit() -> None:
    asked = []

    def picture(size: float) -> drawn.Drawn:
        def on_scale(limit: float) -> list[Panel]:
            asked.append(limit)
            return [Panel(np.zeros((2, 2), np.uint8))]

        return drawn.Drawn("a", "", lambda: [], {"largest": lambda: size, "on_scale": on_scale})

    files.content([picture(1.0), picture(3.0)], ABOUT, TEXTS, "svg")
    assert asked == [3.0, 3.0]


# charts


def charts() -> dict[str, go.Figure]:
    row = np.linspace(-3, 3, 16)
    words = {"axis": "x", "mode": "dark"}
    return {
        "by_block": by_block.by_block(
            np.array([[1.0, np.nan], [2.0, 0.5]]), (0, 0), block_axis="block", hover="",
            reference=(1.5, "even"), **words,
        ),
        "costs": costs.pairs_chart(["two", in_plotly(HOSTILE)], [25, 289], 1, "", "dark"),
        "norm": layer_norm.before_and_after(row, row / 2, count_axis="n", **words),
        "gelu": layer_norm.gelu_curve(row, row, 3, height_axis="y", hover="", **words),
        "waves": waves.waves_chart([np.sin, np.cos], ["one", "two"], 0, 5, hover="", **words),
    }  # fmt: skip


@pytest.mark.parametrize("name", charts())
@pytest.mark.parametrize("kind", files.KINDS)
def test_every_chart_of_the_app_can_be_saved(name: str, kind: str) -> None:
    content = saved(charts()[name], kind)
    if kind == "svg":
        root = ElementTree.fromstring(content)
        axes = [a.title.text for a in charts()[name].select_xaxes() if a.title.text]
        assert set(axes) <= set(words_in(content))
        assert len(list(root.iter(f"{SVG}path"))) > 3


def test_bars_are_as_long_as_their_numbers() -> None:
    chart = charts()["costs"]
    found = chart_of(chart, chart.data, "x", "y")
    assert found.marks[0].sizes.tolist() == [25, 289]
    assert found.marks[0].is_lying and found.y.range[0] > found.y.range[1]
    assert [text for _, text in found.y.ticks] == ["two", letters.plain(HOSTILE)]


def test_an_unknown_kind_of_trace_is_refused() -> None:
    with pytest.raises(TypeError, match="violin"):
        saved(go.Figure(go.Violin(y=[1, 2])), "svg")
    with pytest.raises(TypeError, match="set"):
        saved({1}, "svg")
    with pytest.raises(ValueError, match="gif"):
        saved([matrix(np.eye(2))], "gif")


def test_curves_of_a_training_can_be_saved() -> None:
    epochs = np.arange(1.0, 4.0)
    lines = [
        curves.Curve(name, epochs, 1 / epochs, epochs / 4, kind, theme.ACCENT)
        for name, kind in (("training", "line"), (HOSTILE, "marks"))
    ]
    texts = load_texts("train")["charts"]
    figure = curves.curves(lines, epochs=3, texts=texts, alts=("", ""))
    words = words_in(saved(figure, "svg"))
    assert {"training", letters.plain(HOSTILE), texts["epoch_axis"]} <= set(words)
    empty = curves.curves([], epochs=0, texts=texts, alts=("", ""))
    assert saved(empty, "png")


# the page's own HTML


def class_bars_html() -> str:
    values = np.array([0.25, 0.75])
    return class_bars.class_bars(values, ["cat", HOSTILE], 1, ["25 %", "75 %"], "true", "classes")


def html_figures() -> dict[str, str]:
    grid, image = np.arange(4.0).reshape(2, 2), np.arange(64, dtype=np.uint8).reshape(8, 8)
    flow = load_texts("encoder_block")["parts"]["flow"]
    lengths = {"before": 1.0, "attention": 0.5, "middle": 2.0, "mlp": 3.0, "after": 4.0}
    strips = [strip.Answer(pixels.grey_image(image), "3", said, "9 %") for said in ("3", "5", None)]
    named = {"right": "right", "wrong": "is a {truth}", "alt": "a {truth}"}
    looked = {"caption": "c", "block": "Block {block}", "head": "Head {head}", "alt": ""}
    return {
        "block_flow": block_flow.block_flow(lengths, flow, ""),
        "block_flow flawed": block_flow.block_flow(
            lengths, flow, "", residual=False, layer_norm=False
        ),
        "class_bars": class_bars_html(),
        "colour_map": colour_map.side_by_side(
            pixels.image_address(image), np.zeros((2, 2, 3), np.uint8), (("", "one"), ("", "two"))
        ),
        "colour_strip": colour_map.strip([(np.zeros((2, 2, 3), np.uint8), HOSTILE)], ""),
        "confusion": confusion.confusion(
            np.array([[5, 0], [2, 3]]), ["cat", HOSTILE], {"caption": "", "corner": ""}
        ),
        "gallery": gallery.gallery([(pixels.image_address(image), "", HOSTILE, "0.5")]),
        "looks": looks.looks([(looks.overlay(grid, ""), HOSTILE, ["line"])], image),
        "look": looks.looks([(looks.look(image, grid, ""), "title", [])]),
        "overview": looks.overview(
            image, np.ones((2, 3, 4)), (2, 2), (0, 1), looked, [["a"] * 3] * 2
        ),
        "maps": maps.maps([(grid, "one", "line", ""), (np.zeros((2, 2, 3)), "two", "", "")], 0),
        "every_map": maps.every_map(maps.every_picture(np.eye(4), (2, 2)), (2, 2), 3, ""),
        "mosaic": f'<img src="{mosaic.mosaic(np.eye(4), (2, 2), 1.0)}" alt="">',
        "parts": parts.parts_table(
            {"a": 10, "b": 1}, {"a": "first", "b": HOSTILE}, ("Part", "Numbers", "Share"), ""
        ),
        "product": products.product(
            [products.Tile(grid, name, "", "") for name in ("x", "w", "p")], ["×", "="]
        ),
        "similar": products.similar_patches([(pixels.grey_image(image), "", "patch", ["a", "b"])]),
        "side_by_side": side_by_side.side_by_side(
            grid, np.array([1.0, 2.0]), ["one", "two"], ["1", "2"], 1, ""
        ),
        "strip": strip.strip(strips, named, marked=True),
        "before_after": switched.before_after(
            np.array([0.2, 0.8]), np.array([0.9, 0.1]), ["cat", HOSTILE],
            [("20 %", "90 %", "+70")] * 2, ("Class", "Before", "After", "Change"), "",
        ),
        "effects": switched.effects(
            grid, [["a", "b"], ["c", "d"]], (["one", "two"], ["x", "y"]), (0, 1), {(1, 0)}, ""
        ),
        "terms": terms.terms_table(
            ["x", HOSTILE], [terms.Column("value", ["1", "−2"], "#ff0000")],
            np.array([1.0, -2.0]), ("sum", "−1"), corner="term", caption="", marked=1,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", html_figures())
def test_every_html_figure_can_be_saved_with_all_its_words(name: str) -> None:
    html = html_figures()[name]
    svg = saved(html, "svg")
    assert saved(html, "png")
    shown = "".join(words_in(svg)).replace(" ", "")
    lost = [text for text in texts_of(tree.read(html)) if text not in shown]
    assert not lost, lost


def texts_of(node: tree.Node) -> list[str]:
    """Return the words of a tree that can be seen, each without its spaces."""
    found = []
    for child in node.children:
        if isinstance(child, tree.Node):
            # a caption is for screen readers, and a class without mistakes leaves its cell empty
            if child.tag not in ("style", "caption") and "none" not in child.classes:
                found += texts_of(child)
        # a shortened name is written out
        elif text := letters.plain(node.attributes.get("title") or child).replace(" ", ""):
            found.append(text)
    return found


@pytest.mark.parametrize("name", [n for n, html in html_figures().items() if "<img" in html])
def test_pictures_of_html_are_the_pages_own(name: str) -> None:
    html = html_figures()[name]
    own = [tree.image_of(one) for one in re.findall(r'src="(data:image/png[^"]*)"', html)]
    svg = saved(html, "svg").decode()
    embedded = [
        tree.image_of(re.sub(r"\s", "", one))
        for one in re.findall(r'xlink:href="(data:image/png;base64,[^"]*)"', svg)
    ]
    if name == "every_map":  # it has a frame, and so is enlarged
        assert len(embedded) == 1
        return
    for picture in own:
        assert any(
            picture.shape[:2] == one.shape[:2] and (picture[..., :3] == one[..., :3]).all()
            for one in embedded
        ), name


def test_colours_of_the_page_are_those_of_a_light_one() -> None:
    assert light("light-dark(#112233, #445566)") == "#112233"
    assert light("#abc") == "#aabbcc" and light("rgb(1,2,255)") == "#0102ff"
    assert light("color-mix(in srgb, #000000 50%, #ffffff)") == "#808080"
    assert light(f"color-mix(in srgb, {theme.BAD.css} 12%, {theme.SURFACE.css})").startswith("#")
    with pytest.raises(ValueError, match="no colour"):
        light("var(--unknown)")


# panels


def test_a_panel_has_its_values_over_the_image() -> None:
    values = np.array([[0.0, 0.5], [1.0, 0.25]])
    over = panels.veil(values, 1.0)
    assert over.shape == (2, 2, 4)
    assert (over[..., :3] == expected(values, 1.0, theme.SEQUENTIAL, 0.0)).all()
    assert over[..., 3].tolist() == [[153, 189], [224, 171]]
    shown = Panel(
        np.full((4, 4), 200, np.uint8),
        HOSTILE,
        ["line"],
        over=over,
        grid=(2, 2),
        marks=[(3, theme.QUERY.light)],
        swatches=[Swatch("[CLS]", "#ff0000", "0.5")],
        scale=(theme.SEQUENTIAL, "0", "1.000"),
    )
    svg = saved([shown], "svg")
    assert {letters.plain(HOSTILE), "line", "0", "1.000"} <= set(words_in(svg))
    assert theme.QUERY.light in svg.decode() and "#ff0000" in svg.decode()
