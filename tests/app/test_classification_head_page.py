"""The head's page: what it shows is the model's, in every shape, and its answers are right."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from extremes import EXTREMES
from reading import (
    choice_and_observation,
    html_with,
    matrices_of,
    observation_of,
    texts_of,
    unfold,
)
from streamlit.testing.v1 import AppTest

from explainer.inputs.pictures import link_code
from explainer.observation import lens as lenses
from explainer.observation.observe import Observation
from explainer.state.place import Place
from explainer.views import classification_head as page
from explainer.views.classification_head.questions import rounded

pytestmark = pytest.mark.usefixtures("shipped")

ADDRESS = "classification-head"


def check_whole(app: AppTest, seen: Observation) -> None:
    """Check that every part is drawn, with matrices in the shapes of this model."""
    assert not app.exception and not app.error
    assert len(app.header) == len(page.PARTS)  # every question stands in a part
    shapes = {name: values.shape for name, values in matrices_of(unfold(app)).items()}
    assert shapes == page.cells.cell_shapes(seen)


@pytest.mark.parametrize("source", ["default", "fast", "best", "seed", "untrained"])
def test_every_model_has_the_page(open_page: Callable, source: str):
    check_whole(open_page(ADDRESS, source=source), observation_of(source))


@pytest.mark.parametrize("knobs", EXTREMES)
def test_shapes_at_their_extremes(open_page: Callable, knobs: dict):
    choice, seen = choice_and_observation(**knobs)
    check_whole(open_page(ADDRESS, source="untrained", **knobs), seen)
    makers = {
        "pooled": page.pooled.pooled_matrices,
        "logits": page.logits.logit_matrices,
        "parts": page.parts.written_matrices,
        "lens": page.lens.lens_matrices,
    }
    shapes = page.cells.cell_shapes(seen)
    for part, make in makers.items():
        for matrix in make(choice, seen):
            assert matrix.name in page.cells.MATRICES[part]
            assert matrix.values.shape == shapes[matrix.name]


def test_a_cell_of_a_matrix_that_only_other_models_have_is_left_out(open_page: Callable):
    app = open_page(ADDRESS, cell="pooled.0.0")  # the average of the patches, beside a class token
    assert not app.exception
    assert any("cell=pooled.0.0" in element.proto.body for element in app.get("html"))


@pytest.mark.parametrize("source", ["default", "best"])
def test_the_matrices_are_the_trace(source: str):
    choice, seen = choice_and_observation(source)
    found = {matrix.name: matrix.values for matrix in page.pooled.pooled_matrices(choice, seen)}
    found |= {matrix.name: matrix.values for matrix in page.logits.logit_matrices(choice, seen)}
    rows = page.values.read_rows(seen.config)
    last = seen.tensors[f"blocks.{seen.config.depth - 1}.resid_post"]
    assert np.array_equal(found["stream"], last[rows])
    assert np.array_equal(found["normed"], seen.tensors["final_norm"][rows])
    assert np.array_equal(found["logits"][:, 0], seen.logits)
    read = found["pooled" if "pooled" in found else "normed"]
    assert np.array_equal(read[0], seen.tensors["pooled"])
    assert ("pooled" in found) == (seen.config.pool == "mean")


@pytest.mark.parametrize("source", ["default", "best"])
def test_the_contributions_add_up_to_the_logits(source: str):
    choice, seen = choice_and_observation(source)
    split = lenses.attribution(choice, seen)
    table = page.values.contributions(split)
    scale = np.maximum(np.abs(table).sum(axis=0), 1)
    assert (np.abs(table.sum(axis=0) - seen.logits) / scale).max() < 1e-6
    assert split.difference == pytest.approx(
        np.abs(table.sum(axis=0) - seen.logits).max(), abs=1e-6
    )


@pytest.mark.parametrize("source", ["default", "best"])
def test_the_last_stage_of_the_lens_is_the_answer(source: str):
    choice, seen = choice_and_observation(source)
    found = lenses.lens(choice, seen)
    assert np.allclose(found.probabilities[-1], seen.probabilities, atol=1e-6)
    assert found.predictions[found.settled :] == [seen.prediction] * (
        seen.config.depth + 1 - found.settled
    )
    assert found.settled == 0 or found.predictions[found.settled - 1] != seen.prediction


@pytest.mark.parametrize("source", ["default", "seed"])
def test_the_questions_have_the_right_answers(source: str):
    choice, seen = choice_and_observation(source)
    questions = page.questions(choice, seen, Place(seen.config))
    asked = {question.name: question for question in questions}
    assert len(asked) >= 3
    found = lenses.lens(choice, seen)
    first = 1 if seen.config.pool == "cls" else 0
    stages = page.wording.stage_names(seen.config)[first:]
    assert list(asked["settles"].options) == stages
    assert asked["settles"].answer == max(found.settled, first) - first
    first, second = np.sort(seen.logits.astype(np.float64))[[-1, -2]]
    right = asked["ratio"].options[asked["ratio"].answer]
    assert right == f"{rounded(np.exp(first - second))} times"
    split = lenses.attribution(choice, seen)
    column = split.logits[:, seen.prediction]
    assert (
        asked["writer"].options[asked["writer"].answer]
        == page.wording.writer_names(split)[int(column.argmax())]
    )
    assert asked["shift"].answer == 2


def test_the_rival_of_a_wrong_answer_is_the_truth():
    seen = observation_of("seed")
    wrong = (seen.prediction + 1) % 10
    assert page.wording.rival_of(replace(seen, label=wrong)) == wrong
    second = int(np.argsort(-seen.logits)[1])
    assert page.wording.rival_of(replace(seen, label=seen.prediction)) == second
    assert page.wording.rival_of(replace(seen, label=None)) == second


def test_an_own_picture_has_no_truth(open_page: Callable):
    ring = np.zeros((28, 28), dtype=np.uint8)
    ring[8:20, 8:20], ring[11:17, 11:17] = 255, 0
    app = open_page(ADDRESS, picture=link_code.encode(ring))
    assert not app.exception
    assert any("Only you know" in element.value for element in app.markdown)


def test_a_mistake_can_be_looked_at(open_page: Callable):
    app = open_page(ADDRESS, source="untrained", digit=7, index=0)
    assert "head-mistake-0" not in {button.key for button in app.button}  # nobody has searched yet
    unfold(app).button(key="head-mistake-0").click().run()
    assert not app.exception
    assert any("You are looking at a mistake" in element.value for element in app.markdown)


def test_cells_that_no_matrix_has_are_left_alone(open_page: Callable):
    for cell in ("lens.99.0", "nothing.0.0", "logits.3.1", "written.0.10"):
        check_whole(open_page(ADDRESS, cell=cell), observation_of("default"))


@pytest.mark.parametrize("source", ["default", "best"])
def test_the_bars_are_the_probabilities(open_page: Callable, source: str):
    seen = observation_of(source)
    html = html_with(open_page(ADDRESS, source=source), "class-bars")
    rows = re.findall(r"<tr(.*?)</tr>", html)
    widths = [float(re.search(r"max\(1px,([\d.]+)%", row)[1]) for row in rows]
    np.testing.assert_allclose(widths, 100 * seen.probabilities, atol=0.006)
    assert [at for at, row in enumerate(rows) if "class=best" in row] == [seen.prediction]
    assert [at for at, row in enumerate(rows) if "✓" in row] == [seen.label]


def test_a_class_token_that_has_heard_nothing_is_not_said_to_know(open_page: Callable):
    """Before block 1 it is the same for every picture, so nobody is asked about it."""
    lens_texts = page.wording.TEXTS["parts"]["lens"]
    for source, is_class in (("default", True), ("best", False)):
        choice, seen = choice_and_observation(source)
        assert (seen.config.pool == "cls") is is_class
        assert page.wording.settled(choice, seen) >= is_class
        said = texts_of(open_page(ADDRESS, source=source))
        assert (lens_texts["story_class"] in said) is is_class
        assert "from the start" not in said or not is_class


@pytest.mark.parametrize("source", ["default", "best"])
def test_a_cell_of_the_row_that_is_read_opens_where_it_comes_from(open_page: Callable, source: str):
    app = open_page(ADDRESS, source=source, cell="row.0.3")
    assert not app.exception
    seen = observation_of(source)
    name = "normed" if seen.config.pool == "cls" else "pooled"
    assert name in matrices_of(app)
    titles = [text.value for text in app.markdown if text.value.startswith("**Where ")]
    assert len(titles) == 1 and "dimension 4" in titles[0]
    assert name not in matrices_of(open_page(ADDRESS, source=source))
