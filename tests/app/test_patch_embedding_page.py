"""The page on the patch embedding, in every model shape, and its numbers against the trace."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from reading import (
    choice_and_observation,
    choice_of,
    draw_parts,
    html_with,
    matrices_of,
    observation_of,
    questions_of,
    right_answer,
    texts_of,
    unfold,
)
from streamlit.testing.v1 import AppTest

from explainer.components.filter_grid import columns_for, pack_filters
from explainer.components.packing import unpack
from explainer.figures.products import Tile, product, similar_patches
from explainer.inputs.models import load
from explainer.inputs.pictures import link_code
from explainer.observation import observe
from explainer.observation.similarity import cosine
from explainer.state.choice import SOURCES, Choice
from explainer.state.link import PATCHES, WIDTHS, State
from explainer.state.place import Place
from explainer.views.patch_embedding import PARTS, measures
from explainer.views.patch_embedding.questions import ask_blank
from explainer.views.patch_embedding.wording import TEXTS
from vit_core import ViTConfig

Find = Callable[..., Any]
Open = Callable[..., AppTest]
SMALL = {"source": "untrained", "patches": 4, "width": 16, "heads": 2, "depth": 1}


def pickers(app: AppTest) -> list[dict[str, np.ndarray]]:
    """Return the arrays of each picture with patches to choose, in the order of the page."""
    return [
        unpack(element.proto.bytes)[1]
        for element in app.get("bidi_component")
        if element.proto.component_name == "vit_explainer.token_picker"
    ]


def choices(app: AppTest) -> dict[str, dict[str, Any]]:
    """Return what each component was told is chosen, by its channel."""
    sent = [
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == "vit_explainer.selection"
    ]
    return {told["channel"]: told for told in sent}


# every model


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_shows_its_own_weights_and_embeddings(source: str, open_page: Open) -> None:
    app = open_page("patch-embedding", source=source)
    assert not app.exception and not app.error
    assert len(app.header) == len(PARTS)
    loaded = load.load_source(source, State().shaped)
    choice = Choice(source, loaded.model.config, 0, 7, 0, gallery=loaded.gallery)
    seen = observe.observe(choice)
    folded, patch = matrices_of(app), seen.telling_patch
    assert set(folded) == {"numbers"}
    np.testing.assert_array_equal(folded["numbers"][0], seen.tensors["patch_embed"][patch])
    arrays = matrices_of(unfold(app))
    weight = loaded.model.patch_embed.proj.weight.detach().numpy()
    np.testing.assert_array_equal(arrays["weight"], weight)
    np.testing.assert_array_equal(arrays["embeddings"], seen.tensors["patch_embed"])
    np.testing.assert_array_equal(arrays["embedding"][:, 0], seen.tensors["patch_embed"][patch])
    np.testing.assert_array_equal(arrays["patch"][0], seen.tensors["patches"][patch])


@pytest.mark.parametrize("patches", PATCHES)
@pytest.mark.parametrize("width", [8, 128])
def test_shapes_at_their_extremes(
    patches: int, width: int, open_page: Open, find_component: Find
) -> None:
    app = open_page("patch-embedding", source="untrained", patches=patches, width=width)
    assert not app.exception and not app.error
    values = (28 // patches) ** 2
    assert f"$({patches**2}, {values})$ to\n$({patches**2}, {width})$" in texts_of(app)
    header, arrays = unpack(find_component(app, "filter_grid").bytes)
    assert arrays["filters"].shape == (width, 28 // patches, 28 // patches)
    assert header["rows"] * header["columns"] == width
    assert html_with(unfold(app), "maps").count("<figure") == min(12, values, width)
    assert "room for all" in texts_of(app) or "must choose what to keep" in texts_of(app)
    assert ("room for all" in texts_of(app)) == (width >= values)


@pytest.mark.parametrize("config", [ViTConfig(pool="mean"), ViTConfig(num_registers=2)])
def test_patches_are_told_apart_from_what_stands_before_them(config: ViTConfig) -> None:
    first = config.num_prefix_tokens
    app = unfold(draw_parts("patch_embedding", config, query=first + 20, unit=5))
    assert choices(app)["embedded"]["query"] == 20
    assert choices(app)["every"]["cell"] == ["embeddings", 20, 5]


@pytest.mark.parametrize("level", [0, 255])
def test_an_image_of_equal_patches(level: int) -> None:
    picture = link_code.encode(np.full((28, 28), level, np.uint8))
    app = draw_parts("patch_embedding", ViTConfig(depth=1), picture)
    assert not app.exception
    assert "All patches of this image have the same pixels" in texts_of(app)
    assert "is **blank**" in texts_of(app)
    assert "every patch is the same here" in texts_of(app)
    assert "correlation of" not in texts_of(app)
    assert len([q for q in questions_of(app).values() if len(q.options) > 1]) >= 3


def test_an_own_picture_has_every_part(open_page: Open) -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[8:20, 12:15] = 255
    app = open_page("patch-embedding", **SMALL, picture=link_code.encode(pixels))
    assert not app.exception and not app.error
    assert len(app.header) == len(PARTS)


# numbers


@pytest.mark.parametrize("patches", PATCHES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_number_taken_apart_is_the_traces(patches: int, width: int) -> None:
    choice, seen = choice_and_observation(patches=patches, width=width)
    for patch in range(0, patches**2, 3):
        for unit in range(0, width, 7):
            apart = measures.sum_of(choice, seen, patch, unit)
            exact = float(seen.tensors["patch_embed"][patch, unit])
            assert apart.total == pytest.approx(exact, abs=2e-6)
            assert len(apart.products) == (28 // patches) ** 2


@pytest.mark.parametrize("patches", [4, 14])
def test_the_worked_example_ends_in_the_models_number(patches: int, open_page: Open) -> None:
    shape = {"patches": patches, "width": 16}
    app = open_page("patch-embedding", source="untrained", **shape, query=7, unit=3)
    seen = observation_of(**shape)
    exact = float(seen.tensors["patch_embed"][6, 3])
    worked = next(latex.value for latex in app.latex if r"\sum" in latex.value)
    assert worked.split("= ")[-1].startswith(f"{exact:.4f}")
    assert "(x E + b)_{4}" in worked
    # all of four pixels are written out, and few of many
    assert (r"\dots" in worked) == (patches == 4)
    assert worked.count(r"\cdot") >= min(3, (28 // patches) ** 2)
    assert f"{exact:.8g}".replace("-", "−") in texts_of(app)


def test_a_clicked_cell_lists_every_product(open_page: Open) -> None:
    app = open_page("patch-embedding", **SMALL, query=7, unit=3, cell="embeddings.6.3")
    assert not app.exception
    seen = observation_of(**SMALL)
    exact = float(seen.tensors["patch_embed"][6, 3])
    assert any(f"{exact:.7g}".replace("-", "−") in block.value for block in app.markdown)
    assert "number 4 of patch 2, 3" in texts_of(app)
    assert not any(r"\sum_{i=1}" in latex.value for latex in app.latex)
    app.button(key="arithmetic-close").click().run()
    assert any(r"\sum_{i=1}" in latex.value for latex in app.latex)


def test_all_trace_numbers_are_in_the_pictures(open_page: Open, find_component: Find) -> None:
    app = open_page("patch-embedding", **SMALL, query=6, unit=9)
    seen = observation_of(**SMALL)
    embedded, patches = seen.tensors["patch_embed"], seen.tensors["patches"]
    _, response, pixels, embeddings = pickers(app)
    np.testing.assert_array_equal(response["values"], embedded[:, 9])
    for found, rows in ((pixels, patches), (embeddings, embedded)):
        rows = torch.tensor(rows).double()
        exact = torch.nn.functional.cosine_similarity(rows, rows[5:6], dim=1)
        np.testing.assert_allclose(found["values"], exact.numpy(), atol=1e-6)
    sent = unpack(find_component(app, "filter_grid").bytes)[1]
    np.testing.assert_array_equal(sent["responses"], embedded[5])


def test_the_list_holds_the_most_and_the_least_similar(open_page: Open) -> None:
    app = open_page("patch-embedding", source="untrained", query=18)
    seen = observation_of()
    rows = seen.tensors["patch_embed"].astype(np.float64)
    unit_rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    similar = unit_rows @ unit_rows[17]
    shown = re.findall(r", embedding (−?\d\.\d\d)", html_with(app, "alike"))
    found = [float(text.replace("−", "-")) for text in shown]
    others = np.sort(np.delete(similar, 17))[::-1]
    expected = [1.0, *others[:3], *others[-3:]]
    np.testing.assert_allclose(found, expected, atol=0.0051)


def test_equal_patches_are_counted_and_left_out() -> None:
    choice, seen = choice_and_observation()
    found = measures.alike_of(choice, seen, 0)
    equal = (seen.tensors["patches"] == seen.tensors["patches"][0]).all(axis=1)
    assert found.same == equal.sum() - 1 > 0
    assert not equal[found.order].any()
    assert len(found.order) == 49 - equal.sum()
    np.testing.assert_allclose(found.embeddings[equal], 1, atol=1e-6)


def test_a_row_of_zeros_is_like_nothing() -> None:
    rows = np.array([[0, 0], [3, 4], [-3, -4], [4, -3]], np.float32)
    assert cosine(rows, rows[0]).tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(cosine(rows, rows[1]), [0, 1, -1, 0], atol=1e-12)


def test_the_convolution_was_run(open_page: Open) -> None:
    choice, seen = choice_and_observation(**SMALL)
    difference = measures.convolution_difference(choice, seen)
    assert 0 <= difference < 1e-5
    app = unfold(open_page("patch-embedding", **SMALL))
    assert (f"**{difference:.1e}**" if difference else "differ **nowhere**") in texts_of(app)


@pytest.mark.parametrize("source", ["default", "best"])
def test_what_is_said_of_trained_filters_was_measured(source: str, open_page: Open) -> None:
    config = load.load_source(source).model.config
    found = measures.agreement(Choice(source, config, 0, 7, 0))
    app = open_page("patch-embedding", source=source)
    words = (
        "They were **learned**" if found.value > 3 * found.chance else "**still look like noise**"
    )
    assert words in texts_of(app)
    assert f"{found.value:.2f}" in texts_of(app)


def test_untrained_filters_are_called_noise(open_page: Open) -> None:
    app = open_page("patch-embedding", **SMALL)
    assert "This model is **untrained**" in texts_of(app)


# links and clicks


@pytest.mark.parametrize(
    ("params", "patch", "unit"),
    [
        ({"query": "5", "unit": "3"}, 4, 3),
        ({"query": "9999", "unit": "9999"}, 15, 15),
        ({"query": "1e9", "unit": "-1"}, None, None),
        ({"cell": "weight.99.0"}, None, None),
        ({"cell": "nothing.0.0", "unit": "٣"}, None, None),
    ],
)
def test_a_link_chooses_or_falls_back(
    params: dict[str, str], patch: int | None, unit: int | None, open_page: Open
) -> None:
    app = unfold(open_page("patch-embedding", **SMALL, **params))
    choice, seen = choice_and_observation(**SMALL)
    patch = seen.telling_patch if patch is None else patch
    if unit is None:
        unit = int(np.linalg.norm(measures.weight_of(choice), axis=1).argmax())
    assert choices(app)["embedded"]["query"] == patch
    assert choices(app)["filters"]["query"] == unit
    assert choices(app)["every"]["cell"] == ["embeddings", patch, unit]


def test_a_cell_chooses_its_patch_and_filter(open_page: Open) -> None:
    app = open_page("patch-embedding", **SMALL, cell="weight.11.2", unit=11)
    assert choices(app)["one"]["cell"] == ["weight", 11, 2]
    assert choices(app)["numbers"]["cell"] == ["numbers", 0, 11]
    # of another filter than the one that is taken apart
    app = open_page("patch-embedding", **SMALL, cell="weight.11.2", unit=4)
    assert choices(app)["one"]["cell"] == ["embedding", 4, 0]


def test_clicks_stick_and_are_in_the_link(
    open_page: Open, click_in: Callable[..., AppTest]
) -> None:
    app = open_page("patch-embedding", **SMALL)
    click_in(app, "token_picker", {"choice": {"query": 9, "at": 1.0}})
    assert app.query_params["query"] == "10"
    click_in(app, "filter_grid", {"choice": {"query": 7, "at": 2.0}})
    assert app.query_params["unit"] == "7"
    assert "Where number 8 of patch 3, 2 comes from" not in texts_of(app)
    clicked = {"choice": {"matrix": "numbers", "row": 0, "column": 3, "at": 3.0}}
    click_in(app, "numbers", clicked)
    assert app.query_params["cell"] == "embedding.3.0" and app.query_params["unit"] == "3"
    assert "number 4 of patch 3, 2" in texts_of(app)
    assert "weight" not in matrices_of(app)  # the fold stays as it was


def test_of_a_wide_model_one_filter_is_drawn_and_its_cells_are_links(
    click_in: Callable[..., AppTest],
) -> None:
    config = ViTConfig(patch_size=28, depth=1, embed_dim=16, num_heads=2)
    app = unfold(draw_parts("patch_embedding", config, unit=3))
    weight = measures.weight_of(choice_of(config=config))
    found = matrices_of(app)
    np.testing.assert_array_equal(found["weight"], weight[3:4])
    assert "embedding" not in found and found["embeddings"].shape == (1, 16)
    clicked = {"choice": {"matrix": "weight", "row": 0, "column": 700, "at": 1.0}}
    app = click_in(app, "one", clicked)
    assert app.session_state["state"].cell == "weight.3.700"
    assert choices(app)["one"]["cell"] == ["weight", 0, 700]


@pytest.mark.parametrize("choice", [None, 3, {"query": 16}, {"query": -1}, {"query": "3"}])
def test_a_forged_click_changes_nothing(
    choice: object, open_page: Open, click_in: Callable[..., AppTest]
) -> None:
    app = open_page("patch-embedding", **SMALL, unit=2)
    click_in(app, "filter_grid", {"choice": choice})
    assert not app.exception
    assert app.query_params["unit"] == "2"


# questions


@pytest.mark.parametrize("config", [ViTConfig(), ViTConfig(patch_size=7, embed_dim=8, num_heads=1)])
@pytest.mark.parametrize("unit", [0, 5])
def test_the_answers_are_right(config: ViTConfig, unit: int) -> None:
    app = draw_parts("patch_embedding", config, unit=unit, query=8)
    assert not app.exception
    found = questions_of(app)
    seen = observe.observe(Choice("untrained", config, 0, 7, 0))
    model = load.load_source("untrained", config).model
    side = config.grid_size[0]

    def place(name: str) -> int:
        row, column = map(int, re.findall(r"\d+", name))
        return (row - 1) * side + column - 1

    assert right_answer(found["shape"]).replace(",", "") == str(
        model.patch_embed.proj.weight.numel()
    )
    column = seen.tensors["patch_embed"][:, unit]
    offered = [column[place(name)] for name in found["response"].options]
    assert column[place(right_answer(found["response"]))] == column.max() == max(offered)

    rows = torch.tensor(seen.tensors["patch_embed"]).double()
    similar = torch.nn.functional.cosine_similarity(rows, rows[7:8], dim=1)
    offered = [float(similar[place(name)]) for name in found["similar"].options]
    assert float(similar[place(right_answer(found["similar"]))]) == max(offered)

    assert {question.part for question in found.values()} == set(PARTS)


@pytest.mark.parametrize("unit", [0, 5])
def test_where_all_patches_are_the_same_other_questions_are_asked(unit: int) -> None:
    config = ViTConfig(depth=1)
    picture = link_code.encode(np.zeros((28, 28), np.uint8))
    found = questions_of(draw_parts("patch_embedding", config, picture, unit=unit))
    assert set(found) == {"shape", "blank", "place"}
    model = load.load_source("untrained", config).model
    with torch.no_grad():
        black = torch.full((1, 1, 28, 28), -0.1307 / 0.3081)
        blank = float(model.patch_embed(black)[0, 0, unit])
    assert f"= {blank:.3f}".replace("-", "−") in found["blank"].why
    assert right_answer(found["blank"]).startswith("The bias $b$ plus −0.42")
    assert right_answer(found["place"]) == "The same"


# figures


def test_a_product_has_a_sign_between_its_pictures_and_numbers_in_its_cells() -> None:
    values = np.array([[1.0, -0.25], [0.0, 0.5]])
    tiles = [Tile(values, f"title {n}", "line", f"says <{n}>") for n in range(3)]
    html = product(tiles, ("×", "="))
    assert re.findall(r'<i aria-hidden="true">(.)</i>', html) == ["×", "="]
    assert html.count("<img") == 3 and "says &lt;1&gt;" in html
    assert html.count(">−0.25</span>") == 3
    assert 'class="cells"' not in product([Tile(np.ones((5, 5)), "a", "b", "c")], ())
    with pytest.raises(ValueError, match="2 signs"):
        product(tiles, ("×",))


def test_only_the_first_patch_is_framed() -> None:
    html = similar_patches([("data:,", "a", "b", ("c",)), ("data:,", "d", "e", ())])
    assert html.count('class="chosen"') == 1
    assert html.index("chosen") < html.index('alt="a"') < html.index('alt="d"')


@pytest.mark.parametrize("count", [1, 2, 7, 8, 16, 24, 64, 128])
def test_filters_fill_their_grid(count: int) -> None:
    columns = columns_for(count)
    assert count % columns == 0 and columns >= count // columns


def test_filters_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="must be"):
        pack_filters(channel="x", filters=np.zeros((4, 2)), responses=np.zeros(4))
    with pytest.raises(ValueError, match="must be"):
        pack_filters(channel="x", filters=np.zeros((4, 2, 2)), responses=np.zeros(3))
    with pytest.raises(ValueError, match="finite"):
        pack_filters(channel="x", filters=np.full((4, 2, 2), np.nan), responses=np.zeros(4))


@pytest.mark.parametrize(
    ("mean", "weight", "bias", "options"),
    [(0.5, 1.0, 1.0, 3), (0.0, 1.0, 1.0, 2), (0.0, 1.0, 0.0, 1), (0.5, 0.0, 1.0, 2)],
)
def test_what_a_black_patch_becomes_has_one_right_answer(
    monkeypatch: pytest.MonkeyPatch, mean: float, weight: float, bias: float, options: int
) -> None:
    """A model whose black is 0 gives a black patch the bias, which is then no wrong answer."""
    choice = choice_of(**SMALL)
    monkeypatch.setattr(
        sys.modules[ask_blank.__module__], "black_of", lambda _: np.array([-mean / 0.5])
    )
    for name, factor in (("weight_of", weight), ("bias_of", bias)):
        held = getattr(measures, name)(choice)
        drawn = factor * np.arange(1, held.size + 1).reshape(held.shape)
        monkeypatch.setattr(measures, name, lambda _, drawn=drawn: drawn)
    found = ask_blank(choice, Place(choice.config), TEXTS["questions"]["blank"])
    assert len(found.options) == options
    assert right_answer(found).startswith("The bias $b$ plus")
