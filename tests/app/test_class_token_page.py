"""The class token's page: rows of the trace, the same row for every image, right answers."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from reading import choice_and_observation, choice_of, matrices_of, observation_of, texts_of
from streamlit.testing.v1 import AppTest

from explainer.content.numbers import percent
from explainer.inputs.models import load
from explainer.inputs.pictures import link_code
from explainer.observation import observe
from explainer.state.place import Place
from explainer.views import class_token as page
from vit_core import ViTConfig

pytestmark = pytest.mark.usefixtures("shipped")

ADDRESS = "class-token"
SHAPES = [
    {"patches": patches, "width": width, "heads": heads, "depth": depth, "position": position}
    for patches, width, heads, depth, position in (
        (2, 8, 1, 1, "none"),
        (14, 8, 8, 8, "sincos"),
        (2, 128, 8, 1, "sincos2d"),
        (14, 128, 1, 8, "learned"),
    )
]


def check_whole(app: AppTest, config: ViTConfig) -> None:
    """Check that every part is drawn, with matrices in the shapes of this model."""
    assert not app.exception and not app.error
    assert len(app.header) == len(page.PARTS) + 1
    shapes = {name: values.shape for name, values in matrices_of(app).items()}
    assert shapes == page.cells.cell_shapes(config)


@pytest.mark.parametrize("source", ["default", "fast", "best", "seed", "untrained"])
def test_every_model_has_the_page(open_page: Callable, source: str):
    app = open_page(ADDRESS, source=source)
    check_whole(app, choice_of(source).config)
    words = texts_of(app)
    assert ("This model has none" in words) == (source in ("fast", "best", "seed"))


@pytest.mark.parametrize("knobs", SHAPES)
def test_shapes_at_their_extremes(open_page: Callable, knobs: dict):
    app = open_page(ADDRESS, source="untrained", **knobs)
    check_whole(app, choice_of(**knobs).config)


def test_an_own_picture(open_page: Callable):
    ring = np.zeros((28, 28), dtype=np.uint8)
    ring[8:20, 8:20], ring[11:17, 11:17] = 255, 0
    app = open_page(ADDRESS, picture=link_code.encode(ring))
    check_whole(app, choice_of("default").config)
    choice = replace(choice_of("default"), picture=link_code.encode(ring))
    exact = observe.observe(choice).tensors["tokens"]
    np.testing.assert_array_equal(matrices_of(app)["tokens"], exact)


@pytest.mark.parametrize("place", [{"query": 999}, {"cell": "tokens.99.0"}, {"cell": "pooled.0.1"}])
def test_places_that_a_model_does_not_have(open_page: Callable, place: dict):
    app = open_page(ADDRESS, source="default", **place)
    check_whole(app, choice_of("default").config)


@pytest.mark.parametrize("source", ["default", "best", "untrained"])
def test_joining_changes_no_patch(source: str):
    choice, seen = choice_and_observation(source)
    before, after = page.join.joined(choice, seen)
    assert np.array_equal(before.values, seen.tensors["patch_embed"])
    assert np.array_equal(after.values, seen.tensors["tokens"])
    assert np.array_equal(after.values[len(after.values) - len(before.values) :], before.values)
    assert len(after.values) - len(before.values) == (seen.config.pool == "cls")


def test_every_matrix_has_the_shape_that_links_are_read_by():
    for source in ("default", "best"):
        choice, seen = choice_and_observation(source)
        makers = [page.join.joined, page.journey.travelled]
        makers.append(
            page.what.started if page.wording.has_class(seen.config) else page.what.averaged
        )
        found = {m.name: m.values.shape for make in makers for m in make(choice, seen)}
        assert found == page.cells.cell_shapes(seen.config)


def test_the_row_that_joins_is_the_parameter_for_every_image():
    choice, seen = choice_and_observation("default")
    rows = page.values.start_rows(choice, seen)
    model = load.load_source("default").model
    assert rows.shape == (3, seen.config.embed_dim)
    assert np.array_equal(rows, np.tile(model.cls_token[0, 0].detach().numpy(), (3, 1)))
    assert page.values.start_difference(choice, seen) == 0
    assert len({(one.digit, one.index) for one in (choice, *page.wording.others(choice))}) == 3


def test_the_average_is_the_mean_of_the_patches():
    choice, seen = choice_and_observation("best")
    final, pooled = page.what.averaged(choice, seen)
    assert np.allclose(final.values.mean(axis=0), pooled.values[0], atol=1e-6)
    assert np.array_equal(pooled.values[0], seen.tensors["pooled"])


def test_the_journey_is_the_stream():
    seen = observation_of("default")
    rows = page.values.journey(seen)
    assert np.array_equal(rows[0], seen.tensors["embed"][0])
    assert np.array_equal(rows[-1], seen.tensors["blocks.3.resid_post"][0])
    seen = observation_of("best")
    last = seen.tensors[f"blocks.{seen.config.depth - 1}.resid_post"]
    assert np.array_equal(page.values.journey(seen)[-1], last.mean(axis=0))


def test_cosines_by_hand():
    rows = np.array([[1, 0], [1, 1], [-1, -1], [0, 0]], dtype=np.float32)
    assert page.values.cosines(rows) == pytest.approx([0.5**0.5, -1, 1])


@pytest.mark.parametrize("source", ["default", "best", "untrained"])
def test_the_questions_have_the_right_answers(source: str):
    choice, seen = choice_and_observation(source)
    questions = page.questions(choice, seen, Place(seen.config))
    asked = {question.name: question for question in questions}
    right = {name: question.options[question.answer] for name, question in asked.items()}
    assert right["shape"] == str(seen.tensors["embed"].shape)
    assert asked["turns"].answer == int(page.values.cosines(page.values.journey(seen)).argmin())
    if page.wording.has_class(seen.config):
        assert asked["image"].answer == 2
        pattern = seen.tensors[f"blocks.{seen.config.depth - 1}.attn.pattern"]
        assert right["itself"] == percent(float(pattern[:, 0, 0].mean()))
    else:
        assert float(right["share"]) == pytest.approx(1 / seen.config.num_patches, rel=0.01)
        end = np.linalg.norm(page.values.journey(seen)[-1])
        assert float(right["longest"]) == pytest.approx(end, abs=0.01)


def test_the_table_names_every_measured_model(open_page: Callable):
    rows = page.why.compared("digits")
    assert [row[1] for row in rows].count("the class token") == 1
    assert all(row[2] == "98.76 %" for row in rows) and len(rows) == 4
