"""B − A of what two halves have drawn: the numbers, the words, and what cannot be subtracted."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from reading import sent_to
from streamlit.testing.v1 import AppTest

from explainer.components.packing import unpack
from explainer.figures.difference import (
    Apart,
    OverImage,
    apart,
    largest_change,
    same,
    subtracted,
    subtracted_chart,
)
from explainer.figures.matrix import Matrix
from explainer.shell.compare.difference import has_colours, origin_of
from explainer.state.choice import Choice, saved
from vit_core import ViTConfig

A = np.array([[0.5, -1.5], [2.0, 0.25]], dtype=np.float32)


def matrix(values: np.ndarray, **changes) -> Matrix:
    given = {"name": "scores", "values": values, "title": "Scores", "row_axis": "token"}
    names = {
        "row_names": [f"row {i}" for i in range(len(values))],
        "column_names": [f"column {i}" for i in range(values.shape[1])],
    }
    return Matrix(**(given | names | changes))


def test_a_difference_is_b_minus_a_in_signed_colours():
    a = matrix(A.clip(0), scale="sequential", limit=9.0, note="a note", sign="·")
    found = subtracted(a, matrix(A), "B − A")
    np.testing.assert_array_equal(found.values, [[0, -1.5], [0, 0]])
    assert (found.name, found.title, found.scale) == ("scores", "B − A", "diverging")
    assert (found.limit, found.note, found.sign, found.centre) == (None, "", "", None)
    assert found.row_axis == "token"


def test_the_largest_change_is_the_farthest_from_zero():
    found = largest_change(matrix(np.array([[0.5, -1.5], [1.25, 0]])))
    assert found is not None
    assert (found.value, found.row, found.column) == (-1.5, "row 0", "column 1")
    assert largest_change(matrix(np.zeros((2, 2)))) is None


def test_other_sizes_and_other_names_cannot_be_subtracted():
    a = matrix(A)
    assert apart(a, matrix(A)) is None
    assert apart(a, matrix(np.zeros((3, 2)))) == Apart("sizes", True, "token", 2, 3)
    assert apart(a, matrix(np.zeros((2, 5)))) == Apart("sizes", False, "", 2, 5)
    other = matrix(A, row_names=["row 0", "horse"])
    assert apart(a, other) == Apart("names", True, "token", "row 1", "horse")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([0, 1, 2], [0, 1, 2], True),
        ([0, 1, 2], [0, 1], False),
        ([0, 1, 2], [0, 1, 2.5], False),
        (["2 × 2", "4 × 4"], ["2 × 2", "4 × 4"], True),
        (["2 × 2", "4 × 4"], ["2 × 2", "7 × 7"], False),
        ([0, 1], ["0", "1"], False),
    ],
)
def test_axes_agree_if_their_places_do(one, other, expected):
    assert same(one, other) == expected


def test_charts_over_the_same_places_are_subtracted():
    def chart(y: list[float]) -> go.Figure:
        figure = go.Figure([go.Scatter(x=[1, 2, 3], y=y, mode="lines+markers")])
        return figure.update_layout(yaxis={"title": {"text": "Bits"}, "range": [0, 9]})

    found = subtracted_chart(chart([1, 2, 3]), chart([1.5, 2, 1]), "B − A: {axis}")
    assert found is not None
    assert list(found.data[0].y) == [0.5, 0, -2]
    assert found.data[0].mode == "lines+markers"
    assert found.layout.yaxis.title.text == "B − A: Bits"
    assert found.layout.yaxis.range is None


def test_bars_are_subtracted_along_their_length():
    def bars(x: list[float]) -> go.Figure:
        return go.Figure([go.Bar(x=x, y=["2 × 2", "4 × 4"], orientation="h")])

    found = subtracted_chart(bars([25, 289]), bars([16, 256]), "B − A: {axis}")
    assert found is not None
    assert list(found.data[0].x) == [-9, -33] and list(found.data[0].y) == ["2 × 2", "4 × 4"]
    assert found.layout.xaxis.title.text == "B − A"


@pytest.mark.parametrize("b", [[go.Scatter(x=[1, 2], y=[1, 2])], [], [go.Bar(x=[1], y=[1])]])
def test_charts_over_other_places_are_not(b):
    a = go.Figure([go.Scatter(x=[1], y=[1])])
    assert subtracted_chart(a, go.Figure(b), "{axis}") is None


def page(
    is_open: bool, strange: bool = False, models: bool = False, same_grid: bool = False
) -> None:
    from dataclasses import replace
    from functools import partial

    import numpy as np
    import plotly.graph_objects as go
    import streamlit as st

    from explainer.figures.difference import OverImage
    from explainer.figures.drawn import Drawn
    from explainer.figures.matrix import Matrix
    from explainer.shell.compare.difference import show_difference
    from explainer.state.choice import Choice
    from explainer.state.place import Place
    from vit_core import ViTConfig

    st.session_state.setdefault("made", 0)
    st.session_state["fold-difference-head"] = is_open

    def pictures(size: float, tokens: int) -> list[Drawn]:
        def items() -> list[Matrix]:
            st.session_state["made"] += 1
            names = [f"token {i}" for i in range(tokens)]
            title = "[x](http://e)" if strange else "Scores"
            return [
                Matrix("scores", np.eye(2) * size, title, ["a", "b"], ["c", "d"], "", "dimension"),
                Matrix("rows", np.ones((tokens, 1)), "Rows", names, [""], "token"),
                Matrix("more", np.ones((tokens, 1)), "More rows", names, [""], "query"),
                Matrix("alike", np.ones((1, 1)), f"Alike {tokens}", ["a"], ["b"]),
            ]

        def chart() -> go.Figure:
            return go.Figure([go.Scatter(x=[0, 1], y=[0, size])])

        return [
            Drawn("head", "", items, numbers=items),
            Drawn("curve", "Curve", chart, numbers=chart),
            Drawn(f"alone{size}", "Alone", items, numbers=items),
            Drawn("html", "HTML", lambda: "<b>no numbers</b>"),
            Drawn("unlike", "", chart, numbers=chart if size == 1 else items),
            Drawn("over", "Over it", lambda: [], numbers=partial(over_image, size, tokens)),
        ]

    def over_image(size: float, tokens: int) -> OverImage:
        image, count = np.zeros((8, 8), np.uint8), 4 if same_grid else tokens - 1
        return OverImage(image, (1, count), ("[CLS]",), np.arange(count + 1) * size, 1, "query")

    config = ViTConfig(image_size=8, patch_size=4, embed_dim=4, depth=1, num_heads=1)
    place = Place(config, half="a", other=Choice("fast", config, 0, 7, 0))
    beside = Place(config, prefix="b-", half="b", other=Choice("default", config, 0, 7, 0))
    place = replace(place, beside=beside)
    show_difference(pictures(1, 17), pictures(3, 50), place if models else Place(config))


def test_nothing_is_computed_until_somebody_opens_it():
    app = AppTest.from_function(page, args=(False,), default_timeout=60).run()
    assert not app.exception
    assert app.session_state["made"] == 0


def test_an_open_difference_says_what_changes_most_and_what_cannot_be_subtracted():
    app = AppTest.from_function(page, args=(True,), default_timeout=60).run()
    assert not app.exception
    text = "\n".join(one.value for one in app.markdown)
    assert "**Scores:** the largest change is +2.000 (a × c)." in text
    assert "**Rows, More rows** cannot be subtracted: A has 17 tokens, B has 50." in text
    assert "**Alike 17:** no number differs. In B it is “Alike 50”." in text
    assert "**B − A: Curve**" in text
    assert "A and B do not show the same thing here" in text
    assert app.session_state["made"] == 3  # each picture once in each half that has it
    names = [unpack(sent.bytes)[1].keys() for sent in sent_to(app, "matrices")]
    assert [*map(list, names)] == [["scores"]]  # what is the same needs no picture


def test_strangers_words_are_no_markup_in_it():
    app = AppTest.from_function(page, args=(True, True), default_timeout=60).run()
    assert not app.exception
    assert r"**\[x\]\(" in "\n".join(one.value for one in app.markdown)


def test_numbers_over_an_image_are_subtracted_over_that_of_a():
    app = AppTest.from_function(page, args=(True, False, False, True), default_timeout=60).run()
    assert not app.exception
    (sent,) = sent_to(app, "token_picker")
    header, arrays = unpack(sent.bytes)
    np.testing.assert_array_equal(arrays["values"], 2.0 * np.arange(5))
    assert (header["scale"], header["channel"]) == ("diverging", "difference-over")
    app = AppTest.from_function(page, args=(True,), default_timeout=60).run()
    assert not sent_to(app, "token_picker")
    text = "\n".join(one.value for one in app.markdown)
    assert "**Over it** cannot be subtracted: A has 17 tokens, B has 50." in text


def test_only_what_differs_has_colours():
    values, others = OverImage(A, (1, 1), (), np.ones(4), 0, "query"), np.arange(4.0)
    assert not has_colours(values, values)
    assert has_colours(values, replace(values, values=others))
    assert not has_colours(values, replace(values, values=np.ones(5)))
    assert not has_colours(values, [matrix(A)]) and not has_colours([matrix(A)], values)
    assert not has_colours([matrix(A)], [matrix(A)])
    assert has_colours([matrix(A)], [matrix(2 * A)])
    assert not has_colours([matrix(A)], [matrix(np.ones((3, 2)))])
    assert not has_colours(go.Figure(), go.Figure())


@pytest.mark.parametrize("models", [False, True])
def test_two_models_need_not_mean_the_same_by_a_dimension(models):
    app = AppTest.from_function(page, args=(True, False, models), default_timeout=60).run()
    assert not app.exception
    text = "\n".join(one.value for one in app.markdown)
    assert ("A and B are two models." in text) == models


def test_the_epochs_of_a_run_are_one_model_on_its_way():
    config = ViTConfig()
    epochs = [Choice(saved("a-run", epoch), config, 0, 7, 0) for epoch in (0, 3)]
    assert origin_of(epochs[0]) == origin_of(epochs[1])
    assert origin_of(replace(epochs[0], index=3)) == origin_of(epochs[0])
    seeds = [Choice("untrained", config, seed, 7, 0) for seed in (0, 1)]
    assert origin_of(seeds[0]) != origin_of(seeds[1])
