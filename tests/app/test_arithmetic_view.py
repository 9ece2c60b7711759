"""The arithmetic of a chosen cell as it stands on a page: terms, sum, and the picture's number."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from reading import choice_and_observation, texts_of

from explainer.content.numbers import latex_written, written
from explainer.figures.terms import Column, terms_table
from explainer.observation.arithmetic import derive
from explainer.observation.derivation import Factor, dot, softmax, total
from explainer.observation.weights import weights
from explainer.shell import cell_arithmetic as view
from explainer.shell import terms_of_cell
from explainer.shell.worked_line import worked_line

pytestmark = pytest.mark.usefixtures("shipped")

CELLS = {  # address → cells of its matrices, one of each
    "class-token": ("patches.3.2", "tokens.0.1", "tokens.4.2", "journey.0.1", "journey.2.3"),
    "encoder-block": (
        *("stream.0.1", "stream.1.1", "stream.2.1", "stream.3.1", "stream.4.1"),
        *("normed.0.2", "normed.1.2", "learned.0.1", "hidden.0.5", "hidden.1.5"),
    ),
    "classification-head": (
        *("stream.0.3", "normed.0.3", "row.0.2", "weights.1.2", "logits.4.0"),
        *("written.0.3", "written.3.3", "margin.1.0", "lens.1.2"),
    ),
}
LEARNED = {"tokens.0.1", "learned.0.1", "weights.1.2"}


@pytest.mark.parametrize(
    ("address", "cell"), [(address, cell) for address, cells in CELLS.items() for cell in cells]
)
@pytest.mark.parametrize("source", ["default", "best"])
def test_a_cell_of_a_link_is_explained(open_page: Callable, address: str, cell: str, source: str):
    app = open_page(address, source=source, cell=cell, query=3)
    assert not app.exception
    said = texts_of(app)
    if cell in LEARNED and (source == "default" or cell != "tokens.0.1"):
        assert "This number is not computed" in said
        return
    assert "Where " in said and "which is rounding" in said
    assert "more than rounding" not in said
    app.button(key="arithmetic-close").click().run()
    assert "cell" not in app.query_params


@pytest.mark.parametrize("source", ["best", "seed"])
@pytest.mark.parametrize("cell", ["final.3.1", "pooled.0.2"])
def test_the_average_of_a_model_without_class_token_is_explained(
    open_page: Callable, cell: str, source: str
):
    said = " ".join(e.value for e in open_page("class-token", source=source, cell=cell).markdown)
    assert "which is rounding" in said


@pytest.mark.parametrize(
    ("number", "text", "latex"),
    [
        (0, "0", "0"),
        (1.14532, "1.145", "1.145"),
        (-0.0014623, "−0.001462", "-0.001462"),
        (12.0149, "12.01", "12.01"),
        (163429.2, "163429", "163429"),
        (0.99999, "1.000", "1.000"),
        (1234567.0, "1.235·10⁶", r"1.235 \cdot 10^{6}"),
        (-2.5e-9, "−2.500·10⁻⁹", r"-2.500 \cdot 10^{-9}"),
    ],
)
def test_numbers_are_written_as_in_the_pictures(number: float, text: str, latex: str):
    assert written(number) == text
    assert latex_written(number) == latex


def test_the_last_line_ends_in_the_pictures_number():
    choice, seen = choice_and_observation("default")
    for key, place in (
        ("blocks.1.attn.scores", (0, 3, 4)),
        ("blocks.0.attn.pattern", (0, 3, 4)),
        ("blocks.0.norm1", (2, 5)),
        ("blocks.0.mlp.post", (2, 5)),
        ("blocks.0.resid_mid", (2, 5)),
        ("logits", (3,)),
    ):
        found = derive(seen.tensors, weights(choice), seen.config, key, place)
        end = latex_written(found.shown)
        assert worked_line(found).endswith((f"= {end}", rf"\approx {end}")), key


def test_the_largest_terms_are_shown_and_the_others_summed_up():
    rng = np.random.default_rng(0)
    left, right = Factor("row", rng.normal(size=64)), Factor("head", rng.normal(size=64))
    found = dot(left, right, 0.0, "dimension")
    places = terms_of_cell.shown_terms(found)
    assert len(places) == terms_of_cell.SHOWN and places == sorted(places)
    others = np.delete(np.abs(found.terms), places)
    assert np.abs(found.terms[places]).min() >= others.max()
    few = dot(Factor("row", left.values[:16]), Factor("head", right.values[:16]), 0.0, "dimension")
    assert terms_of_cell.shown_terms(few) == list(range(16))


def test_the_chosen_share_is_always_among_the_terms():
    scores = Factor("scores", np.linspace(5, -5, 50))
    found = softmax(scores, 49, 0.0, "token")
    assert 49 in terms_of_cell.shown_terms(found)


def test_the_csv_holds_every_term_exactly():
    left, right = np.array([1.5, -2.25]), np.array([3.0, 0.1])
    found = dot(Factor("query", left), Factor("key", right), 0.0, "number")
    lines = terms_of_cell.terms_csv(found, ["number 1", "number 2"]).splitlines()
    assert lines[0] == "Term,query,key,term"
    assert lines[2] == "number 2,-2.25,0.1,-0.225"
    added = terms_of_cell.terms_csv(total([("stream", 1.0), ("attn_out", 2.0)], 3.0), ["a", "b"])
    assert added.splitlines() == ["Term,value", "a,1", "b,2"]


def test_a_table_of_terms_says_what_it_shows():
    html = terms_table(
        ["a <b>", "c"],
        [Column("left", ["1", "2"], "red"), Column("product", ["3", "4"])],
        np.array([3.0, -4.0]),
        ("Sum", "−1"),
        corner="Term",
        caption='of "x"',
        marked=1,
    )
    assert "a &lt;b&gt;" in html and "of &quot;x&quot;" in html
    assert html.count("<tr") == html.count("</tr>") == 4
    assert html.count("class=here") == 1
    assert "width:37.5%" in html and "width:50.0%" in html
    with pytest.raises(ValueError, match="one for each term"):
        terms_table(["a"], [Column("x", ["1", "2"])], np.ones(1), ("", ""), corner="", caption="")
    with pytest.raises(ValueError, match="finite"):
        terms_table(
            ["a"], [Column("x", ["1"])], np.array([np.nan]), ("", ""), corner="", caption=""
        )


def test_a_number_that_does_not_fit_is_not_called_rounding(open_page: Callable, monkeypatch):
    """A tensor that the weights do not give is said to be off, not explained away."""
    real = view.derive

    def off(*arguments):
        found = real(*arguments)
        return replace(found, shown=found.shown + 0.5)

    monkeypatch.setattr(view, "derive", off)
    said = " ".join(e.value for e in open_page("classification-head", cell="logits.1.0").markdown)
    assert "more than rounding explains" in said
