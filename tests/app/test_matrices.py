"""What the matrices and the token picker send, what they refuse, and what they hand back."""

import csv
import io

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explainer.caching import SMALL_OBJECT, size_of
from explainer.components.matrices import cell_of, matrices, pack_matrices
from explainer.components.packing import unpack
from explainer.components.token_picker import pack_picker
from explainer.figures import drawn
from explainer.figures.matrix import Matrix
from explainer.shell.downloads import matrix_csv, table_csv
from explainer.state.place import Cell

VALUES = np.array([[0.5, -1.5, 2.0], [1 / 3, 0.0, -0.25]], dtype=np.float32)
IMAGE = np.zeros((8, 8), np.uint8)


def matrix(**changes) -> Matrix:
    given = {"name": "scores", "values": VALUES, "title": "Scores"}
    names = {"row_names": ["a", "b"], "column_names": ["x", "y", "z"]}
    return Matrix(**(given | names | changes))


def test_values_arrive_unchanged_and_shared_names_once():
    other = matrix(name="more", values=VALUES.astype(np.float64), scale="diverging", limit=0.5)
    packed = pack_matrices("channel", [matrix(), other], prefix=1)
    header, arrays = unpack(packed.content)
    assert packed.shapes == {"scores": (2, 3), "more": (2, 3)}
    for name in ("scores", "more"):
        assert arrays[name].dtype == np.float32
        np.testing.assert_array_equal(arrays[name], VALUES)
    assert header["names"] == [["a", "b"], ["x", "y", "z"]]
    assert [(item["rows"], item["columns"]) for item in header["items"]] == [(0, 1), (0, 1)]
    assert [item["limit"] for item in header["items"]] == [None, 0.5]
    assert header["prefix"] == 1


def test_the_same_matrices_are_the_same_bytes():
    assert pack_matrices("c", [matrix()]).content == pack_matrices("c", [matrix()]).content


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.full((2, 3), np.nan)}, "finite"),
        ({"values": np.full((2, 3), np.inf)}, "finite"),
        ({"values": VALUES[0]}, "shape"),
        ({"values": np.zeros((0, 3)), "row_names": []}, "shape"),
        ({"row_names": ["a"]}, "a name for each row and column"),
        ({"name": "Q 1"}, "small letters"),
        ({"scale": "rainbow"}, "diverging, sequential"),
        ({"scale": "sequential"}, "negative"),
        ({"limit": 0.0}, "above 0"),
        ({"limit": float("nan")}, "above 0"),
        ({"colour": "pink"}, "query"),
        ({"cell": 0}, "1 to 200"),
    ],
)
def test_a_wrong_matrix_is_refused_with_what_is_allowed(changes, message):
    with pytest.raises(ValueError, match=message):
        matrix(**changes)


def test_matrices_need_names_of_their_own():
    for items in ([], [matrix(), matrix()]):
        with pytest.raises(ValueError, match="at least one"):
            pack_matrices("c", items)


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ({"matrix": "scores", "row": 1, "column": 2, "at": 3.5}, Cell("scores", 1, 2)),
        ({"matrix": "scores", "row": 2, "column": 0}, None),
        ({"matrix": "scores", "row": 0, "column": -1}, None),
        ({"matrix": "scores", "row": True, "column": 0}, None),
        ({"matrix": "scores", "row": 0.0, "column": 0}, None),
        ({"matrix": "scores", "row": "0", "column": 0}, None),
        ({"matrix": "other", "row": 0, "column": 0}, None),
        ({"matrix": ["scores"], "row": 0, "column": 0}, None),
        ({}, None),
        (None, None),
        ("scores.0.0", None),
    ],
)
def test_only_a_cell_of_the_matrices_comes_back(choice, found):
    assert cell_of(choice, {"scores": (2, 3)}) == found


def page(cache: bool) -> None:
    import numpy as np
    import streamlit as st

    from explainer.components.matrices import matrices
    from explainer.figures.matrix import Matrix
    from explainer.state.place import Cell

    def items() -> list[Matrix]:
        st.session_state["made"] = st.session_state.get("made", 0) + 1
        return [Matrix("m", np.eye(2), "M", ["a", "b"], ["c", "d"])]

    matrices(
        key="demo",
        items=items,
        cell=Cell("m", 0, 1),
        on_choose=lambda cell: st.session_state.update(chosen=cell),
        links={"dimension": 1},
        cache=("test",) if cache else None,
    )


@pytest.mark.parametrize("cache", [True, False])
def test_a_click_reaches_the_page_and_packed_matrices_are_kept(cache, click_in):
    st.cache_resource.clear()
    app = AppTest.from_function(page, kwargs={"cache": cache}, default_timeout=60).run()
    clicked = {"matrix": "m", "row": 1, "column": 0, "at": 1.0}
    click_in(app, 0, {"choice": clicked})
    assert not app.exception
    assert app.session_state["chosen"] == Cell("m", 1, 0)
    assert app.session_state["made"] == (1 if cache else 2)
    click_in(app, 0, {"choice": {"matrix": "m", "row": 9, "column": 0, "at": 2.0}})
    assert not app.exception
    assert app.session_state["chosen"] == Cell("m", 1, 0)
    st.cache_resource.clear()


def test_the_picker_sends_its_image_and_a_value_of_each_token():
    values = np.linspace(0, 1, 5)
    content = pack_picker(
        channel="c", image=IMAGE, grid=(2, 2), prefix_names=["[CLS]"], values=values
    )
    header, arrays = unpack(content)
    np.testing.assert_array_equal(arrays["values"], values.astype(np.float32))
    np.testing.assert_array_equal(arrays["image"][..., 0], IMAGE)
    assert header["prefix_names"] == ["[CLS]"]
    plain = unpack(pack_picker(channel="c", image=IMAGE, grid=(2, 2), prefix_names=[]))[1]
    assert set(plain) == {"image"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.zeros(3)}, "do not fit"),
        ({"values": np.full(4, np.nan)}, "finite"),
        ({"values": -np.ones(4)}, "diverging"),
        ({"scale": "rainbow"}, "sequential, diverging"),
        ({"colour": "pink"}, "query"),
        ({"limit": -1.0}, "above 0"),
        ({"image": IMAGE.astype(float)}, "uint8"),
    ],
)
def test_a_wrong_picker_is_refused_with_what_is_allowed(changes, message):
    given = {"channel": "c", "image": IMAGE, "grid": (2, 2), "prefix_names": []}
    with pytest.raises(ValueError, match=message):
        pack_picker(**(given | changes))


def test_a_matrix_as_csv_is_exact_to_float32():
    text = matrix_csv(VALUES, ["a,b", 'say "b"'], ["x", "y", "z"], corner="row")
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["row", "x", "y", "z"]
    assert [row[0] for row in rows] == ["a,b", 'say "b"']
    found = np.array([row[1:] for row in rows], dtype=np.float32)
    np.testing.assert_array_equal(found, VALUES)
    with pytest.raises(ValueError, match="do not fit"):
        matrix_csv(VALUES, ["a"], ["x", "y", "z"])


def test_a_table_keeps_whole_numbers_and_texts():
    assert table_csv(("n", "word"), [(3, "a"), (np.float32(0.1), "b")]) == (
        "n,word\n3,a\n0.100000001,b\n"
    )


def test_the_size_of_a_value_counts_its_arrays():
    array = np.zeros(100, np.float32)
    assert size_of(array) == 400
    assert size_of(b"abc") == 3
    assert size_of((array, [array])) == 800 + 2 * SMALL_OBJECT
    assert size_of({"a": array}) == 402 + SMALL_OBJECT
    packed = pack_matrices("c", [matrix()])
    assert size_of(packed) > len(packed.content)


@pytest.mark.parametrize(("shape", "says"), [((2, 1), "rows"), ((1, 3), "columns")])
def test_a_centre_travels_beside_the_numbers(shape, says):
    centre = np.arange(np.prod(shape), dtype=float).reshape(shape)
    header, arrays = unpack(pack_matrices("c", [matrix(centre=centre)], is_strip=True).content)
    assert header["is_strip"] is True
    assert header["items"][0]["centred"] == says
    np.testing.assert_array_equal(arrays["scores.centre"], centre.astype(np.float32))
    np.testing.assert_array_equal(arrays["scores"], matrix().values)


def test_a_centre_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="centre for each row"):
        matrix(centre=np.zeros((3, 3)))


@pytest.mark.parametrize("key", ["demo", "b-demo"])
def test_whoever_collects_pictures_gets_the_matrices_and_none_before(key):
    made = []

    def items() -> list[Matrix]:
        made.append(1)
        return [Matrix("m", np.eye(2), "M", ["a", "b"], ["c", "d"])]

    st.cache_resource.clear()
    for _ in range(2):  # packed by the first
        with drawn.collect() as pictures:
            matrices(key=key, items=items, on_choose=lambda cell: None, cache=("test", key))
    (picture,) = pictures
    assert len(made) == 1
    assert (picture.name, picture.title) == ("demo", "M")
    np.testing.assert_array_equal(picture.make()[0].values, np.eye(2))
    st.cache_resource.clear()
