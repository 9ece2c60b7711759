"""The page on self-attention: every step from the trace, in every model shape."""

import json
import re
from collections.abc import Callable

import numpy as np
import pytest
from reading import (
    choice_of,
    draw_parts,
    html_bodies,
    matrices_of,
    observation_of,
    questions_of,
    right_answer,
    state_of,
    unfold,
)
from streamlit.testing.v1 import AppTest

from explainer.inputs.models import load
from explainer.inputs.pictures import link_code
from explainer.observation import observe
from explainer.state.choice import SOURCES, Choice
from explainer.state.link import TEMPERATURES, State
from explainer.views.self_attention import PARTS
from explainer.views.self_attention.cells import SQUARES, cell_shapes
from explainer.views.self_attention.matrices import centre_of
from vit_core import ViTConfig

Open = Callable[..., AppTest]
SMALL = {"source": "untrained", "patches": 4, "width": 16, "heads": 2, "depth": 2}
PLACE = {"block": 1, "head": 1, "query": 6}


def chosen_cells(app: AppTest) -> list[list]:
    messages = [
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == "vit_explainer.selection"
    ]
    return [message["cell"] for message in messages if message.get("cell")]


def looks_of(app: AppTest) -> list[tuple[str, list[str]]]:
    """Return title and lines of every picture over the image under the slider."""
    html = [body for body in html_bodies(app) if 'class="looks"' in body][-1]
    return [
        (re.search("<b>(.*?)</b>", figure)[1], re.findall("<span>(.*?)</span>", figure))
        for figure in re.findall("<figcaption>(.*?)</figcaption>", html)
    ]


def drawn(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the matrices alone, without what their colours are compared with."""
    return {name: array for name, array in found.items() if not name.endswith(".centre")}


# every model


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_shows_every_step_of_the_model_that_ran(source: str, open_page: Open) -> None:
    app = open_page("self-attention", source=source, block=1, head=1)
    assert not app.exception and not app.error
    loaded = load.load_source(source, State().shaped)
    config = loaded.model.config
    found = matrices_of(unfold(app))
    assert {name: array.shape for name, array in drawn(found).items()} == cell_shapes(config)
    choice = Choice(source, config, 0, 7, 0, gallery=loaded.gallery)
    tensors = observe.observe(choice).tensors
    for name in ("q", "k", "v", "scores", "pattern", "z"):
        np.testing.assert_array_equal(found[name], tensors[f"blocks.1.attn.{name}"][1])
    np.testing.assert_array_equal(found["norm"], tensors["blocks.1.norm1"])


def test_the_steps_lead_from_one_to_the_next(open_page: Open) -> None:
    app = open_page("self-attention", **SMALL, **PLACE)
    found, query = matrices_of(unfold(app)), PLACE["query"]
    products, scores = found["product"][:, 0], found["score"][:, 0]
    np.testing.assert_allclose(products, found["k"] @ found["q"][query], atol=1e-5)
    np.testing.assert_allclose(scores, products / np.sqrt(8), atol=1e-6)
    np.testing.assert_array_equal(scores, found["scores"][query])
    exponentials = np.exp(scores.astype(np.float64))
    shares = found["share"][:, 0]
    np.testing.assert_allclose(shares, exponentials / exponentials.sum(), atol=1e-6)
    np.testing.assert_array_equal(shares, found["pattern"][query])
    np.testing.assert_allclose(found["weighted"], found["share"] * found["v"], atol=1e-6)
    np.testing.assert_allclose(found["weighted"].sum(axis=0), found["z"][query], atol=1e-5)


@pytest.mark.parametrize("patches", [2, 14])
@pytest.mark.parametrize(("width", "heads", "depth"), [(8, 1, 1), (8, 8, 8), (128, 8, 8)])
def test_shapes_at_their_extremes(
    patches: int, width: int, heads: int, depth: int, open_page: Open
) -> None:
    shape = {"patches": patches, "width": width, "heads": heads, "depth": depth}
    app = open_page("self-attention", source="untrained", temperature="0.125", **shape)
    assert not app.exception and not app.error
    shapes = {name: array.shape for name, array in drawn(matrices_of(unfold(app))).items()}
    assert shapes == cell_shapes(State(**shape).shaped)
    if width == heads:
        assert any("the square root is 1" in text.value for text in app.markdown)


@pytest.mark.parametrize("position", ["sincos", "sincos2d", "none"])
def test_every_kind_of_position(position: str, open_page: Open) -> None:
    app = open_page("self-attention", **SMALL, position=position, block=1)
    assert not app.exception and not app.error
    found = matrices_of(unfold(app))
    tensors = observation_of(**SMALL, position=position).tensors
    np.testing.assert_array_equal(found["norm"], tensors["blocks.1.norm1"])
    np.testing.assert_array_equal(found["pattern"], tensors["blocks.1.attn.pattern"][0])


def test_an_own_picture_has_no_label_and_every_part(open_page: Open) -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[8:20, 12:15] = 255
    app = open_page("self-attention", **SMALL, picture=link_code.encode(pixels))
    assert not app.exception and not app.error
    assert len(app.header) == len(PARTS) + 1


@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_what_there_is_instead_of_a_class_token_is_said(pool: str) -> None:
    app = draw_parts("self_attention", ViTConfig(patch_size=7, pool=pool, depth=1))
    assert not app.exception
    assert any("no class token" in text.value for text in app.markdown) == (pool == "mean")
    query = app.session_state["facts"]["query"]
    assert re.fullmatch(r"patch \d, \d", query)


def test_registers_are_tokens_of_their_own() -> None:
    app = draw_parts("self_attention", ViTConfig(patch_size=7, num_registers=2, depth=1))
    assert not app.exception
    (_, lines), *_ = looks_of(app)
    assert [line.split(":")[0] for line in lines[-3:]] == ["[CLS]", "register 1", "register 2"]


# choosing


@pytest.mark.parametrize(
    "params",
    [
        {"query": "9999", "block": "9999", "head": "9999"},
        {"cell": "scores.99.99", "temperature": "0"},
        {"cell": "nothing.0.0", "temperature": "1e9"},
        {"cell": "<b>.0.0", "query": "-1"},
        {"cell": "scores.1.1.1", "mode": "guided", "step": "99"},
        {"cell": "compare.2.0"},
        {"cell": "share.0.1"},
    ],
)
def test_a_hostile_link_breaks_nothing(params: dict[str, str], open_page: Open) -> None:
    app = open_page("self-attention", **SMALL, **params)
    assert not app.exception and not app.error
    assert state_of(app).temperature in TEMPERATURES
    assert len(app.header) == len(PARTS) + 1
    shapes = {name: array.shape for name, array in drawn(matrices_of(unfold(app))).items()}
    assert shapes == cell_shapes(choice_of(**SMALL).config)


def drawers(app: AppTest) -> list[str]:
    """Return the titles of all that is worked out on the page."""
    return [text.value for text in app.markdown if text.value.startswith("**Where ")]


def test_nothing_is_worked_out_before_a_cell_is_chosen(open_page: Open) -> None:
    app = open_page("self-attention", **SMALL, **PLACE)
    assert not chosen_cells(app) and not drawers(app)


def test_a_clicked_cell_opens_the_one_drawer(
    open_page: Open, click_in: Callable[..., AppTest]
) -> None:
    app = open_page("self-attention", **SMALL, **PLACE)
    for name, row, column, where in (
        ("k", 3, 2, "k of patch 1, 3, number 3"),
        ("score", 2, 0, "score of patch 2, 2 for patch 1, 2"),
        ("weighted", 0, 7, "share · v of [CLS], number 8"),
    ):
        clicked = {"matrix": name, "row": row, "column": column, "at": 1.0}
        click_in(app, "strip", {"choice": clicked})
        assert app.query_params["cell"] == f"{name}.{row}.{column}"
        assert chosen_cells(app) == [[name, row, column]]
        assert len(drawers(app)) == 1 and drawers(app)[0].endswith(f": {where}**")
    app.button(key="arithmetic-close").click().run()
    assert not drawers(app) and not chosen_cells(app)


@pytest.mark.parametrize("name", SQUARES)
def test_a_link_to_a_cell_in_a_fold_opens_the_fold(name: str, open_page: Open) -> None:
    app = open_page("self-attention", **SMALL, **PLACE, cell=f"{name}.3.4")
    assert set(SQUARES) <= set(matrices_of(app))
    assert len(drawers(app)) == 1 and "patch 1, 3" in drawers(app)[0]


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("compare.0.5", ["product", 5, 0]),
        ("compare.1.5", ["score", 5, 0]),
        ("weights.0.5", ["share", 5, 0]),
        ("shares.5.0", ["share", 5, 0]),
        ("values.5.3", ["v", 5, 3]),
    ],
)
def test_a_cell_of_an_older_link_is_chosen_where_it_is_drawn_now(
    old: str, now: list, open_page: Open
) -> None:
    app = open_page("self-attention", **SMALL, **PLACE, cell=old)
    assert not app.exception
    assert chosen_cells(app) == [now] and len(drawers(app)) == 1
    assert app.query_params["cell"] in (old, [old])


def test_scores_of_one_sign_are_coloured_by_their_distance_from_the_mean() -> None:
    row = np.array([3.0, 4.0, 8.0])
    np.testing.assert_allclose(centre_of(row, 0), [[5.0]])
    np.testing.assert_allclose(centre_of(-row, 0), [[-5.0]])
    assert centre_of(row - 4.5, 0) is None
    assert centre_of(np.full(3, 2.0), 0) is None
    square = np.array([[1.0, 3.0], [2.0, 4.0], [-1.0, 1.0]])
    np.testing.assert_allclose(centre_of(square, 1), [[2.0], [3.0], [0.0]])
    assert centre_of(square[1:], 1) is None  # half of the rows is not most of them


@pytest.mark.parametrize(
    "choice",
    [None, 7, {"matrix": "k"}, {"matrix": "k", "row": 99, "column": 0}, {"matrix": "x"}, []],
)
def test_a_forged_click_changes_nothing(
    choice: object, open_page: Open, click_in: Callable[..., AppTest]
) -> None:
    app = open_page("self-attention", **SMALL, **PLACE)
    before = chosen_cells(app)
    click_in(app, "strip", {"choice": choice})
    assert not app.exception
    assert chosen_cells(app) == before


# temperature


def test_only_the_models_own_row_is_called_so(open_page: Open) -> None:
    app = open_page("self-attention", **SMALL, **PLACE)
    assert [title for title, _ in looks_of(app)] == [
        "In the model: T = 1",
        "Without the division by √d_h",
    ]
    app.select_slider(key="temperature").set_value("4").run()
    assert app.query_params["temperature"] == "4"
    found = looks_of(app)
    assert [title for title, _ in found] == [
        "In the model: T = 1",
        "T = 4",
        "Without the division by √d_h",
    ]
    origins = [lines[0] for _, lines in found]
    assert origins == ["this row ran in the model"] + ["recomputed from the scores"] * 2


@pytest.mark.parametrize("temperature", ["0.125", "0.5", "8"])
def test_the_recomputed_rows_are_softmax_of_the_scores(temperature: str, open_page: Open) -> None:
    app = open_page("self-attention", **SMALL, **PLACE, temperature=temperature)
    scores = observation_of(**SMALL).tensors["blocks.1.attn.scores"][1, 6].astype(np.float64)
    for (_, lines), factor in zip(looks_of(app), (1, 1 / float(temperature), 8**0.5), strict=True):
        weights = np.exp(scores * factor) / np.exp(scores * factor).sum()
        assert lines[1] == f"largest share {100 * weights.max():.1f} %"
        bits = -(weights * np.log2(weights)).sum()
        assert lines[2] == f"as wide as {2**bits:.1f} equal shares (entropy {bits:.2f} bits)"


# questions


@pytest.mark.parametrize(("block", "head", "query"), [(0, 0, 0), (1, 2, 5), (3, 3, 16)])
def test_the_answers_are_right(block: int, head: int, query: int) -> None:
    config = ViTConfig(patch_size=7)
    app = draw_parts("self_attention", config, block=block, head=head, query=query)
    tensors = observe.observe(Choice("untrained", config, 0, 7, 0)).tensors
    pattern = tensors[f"blocks.{block}.attn.pattern"][head]
    names = ["[CLS]"] + [f"patch {r}, {c}" for r in range(1, 5) for c in range(1, 5)]
    found = questions_of(app)
    assert right_answer(found["strongest"]) == names[int(pattern[query].argmax())]
    assert right_answer(found["sum"]) == "1, which is 100 %"
    assert right_answer(found["double"]) == "It falls"
    assert right_answer(found["count"]) == "289"
    key = int(np.delete(np.arange(17), query)[np.delete(pattern[query], query).argmax()])
    assert names[key] in found["mutual"].text
    expected = "More" if pattern[key, query] > pattern[query, key] else "Less"
    assert right_answer(found["mutual"]) == expected
    assert all(len(set(question.options)) == len(question.options) for question in found.values())


def test_a_row_of_equal_weights_is_asked_about_fairly() -> None:
    """Where no token gets the most, nobody asks for it; and no temperature changes the row."""
    from explainer.observation.attention_row import AttentionRow
    from explainer.views.self_attention.questions import ask_double, ask_strongest

    even = AttentionRow(np.full(5, 0.2, np.float32), np.zeros(5, np.float32), 1, 4)
    words = {"query": "a", "head": 1, "block": 1}
    assert len(ask_strongest(even, list("abcde"), words).options) == 1
    assert right_answer(ask_double(even, words)) == "It stays as it is"
