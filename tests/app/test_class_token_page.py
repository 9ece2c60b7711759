"""The class token's page: rows of the trace, the same row for every image, right answers."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from extremes import EXTREMES
from PIL import Image
from reading import (
    choice_and_observation,
    choice_of,
    matrices_of,
    observation_of,
    sent_to,
    texts_of,
    unfold,
)
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


def check_whole(app: AppTest, config: ViTConfig) -> None:
    """Check that every part is drawn, with matrices in the shapes of this model."""
    assert not app.exception and not app.error
    assert len(app.header) == len(page.PARTS)
    folded = set(matrices_of(app))
    shapes = {name: values.shape for name, values in matrices_of(unfold(app)).items()}
    assert shapes == page.cells.cell_shapes(config)
    if not folded & {"patches", "tokens", "final"}:  # no cell of theirs is in the link
        assert folded == {"journey", "start" if config.pool == "cls" else "pooled"}


@pytest.mark.parametrize("source", ["default", "fast", "best", "seed", "untrained"])
def test_every_model_has_the_page(open_page: Callable, source: str):
    app = open_page(ADDRESS, source=source)
    check_whole(app, choice_of(source).config)
    words = texts_of(app)
    assert ("This model has none" in words) == (source in ("fast", "best", "seed"))


@pytest.mark.parametrize("knobs", EXTREMES)
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
        if page.wording.has_class(seen.config):
            makers.append(page.what.started)
        else:
            makers += [page.what.averaged, page.what.finished]
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
    (final,), (pooled,) = page.what.finished(choice, seen), page.what.averaged(choice, seen)
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
    if page.wording.has_class(seen.config):
        assert asked["image"].answer == 2
        turns = page.values.cosines(page.values.journey(seen))
        assert asked["turns"].answer == int(turns.argmin())
        assert {one.part for one in questions} == {"join", "what", "journey", "listens"}
        pattern = seen.tensors[f"blocks.{seen.config.depth - 1}.attn.pattern"]
        assert right["itself"] == percent(float(pattern[:, 0, 0].mean()))
    else:
        assert float(right["share"]) == pytest.approx(1 / seen.config.num_patches, rel=0.01)
        assert {one.part for one in questions} == {"join", "what", "journey"}
        end = np.linalg.norm(page.values.journey(seen)[-1])
        assert float(right["longest"]) == pytest.approx(end, abs=0.01)


def test_the_new_row_slides_in_where_there_is_one(open_page: Callable):
    seen = observation_of("default")
    (sent,) = sent_to(open_page(ADDRESS, source="default"), "row_joins")
    told = json.loads(sent.json)
    rows, row = page.join.pictures(seen)
    assert (told["rows"], told["row"]) == (rows, row)
    assert "50 rows in all" in told["texts"]["alt"] and "49 rows of patches" in told["texts"]["alt"]
    assert image_size(rows) == (64, 49) and image_size(row) == (64, 1)
    assert not sent_to(open_page(ADDRESS, source="best"), "row_joins")


def image_size(address: str) -> tuple[int, int]:
    return Image.open(BytesIO(base64.b64decode(address.partition(",")[2]))).size


@pytest.mark.parametrize(
    ("source", "cell", "name"),
    [("default", "patches.3.2", "patches"), ("default", "tokens.0.1", "tokens"),
     ("best", "final.3.2", "final")],
)  # fmt: skip
def test_a_link_to_a_cell_of_a_fold_opens_it(
    open_page: Callable, source: str, cell: str, name: str
) -> None:
    assert name not in matrices_of(open_page(ADDRESS, source=source))
    assert name in matrices_of(open_page(ADDRESS, source=source, cell=cell))


def test_the_table_names_every_measured_model(open_page: Callable):
    rows = page.why.compared("digits")
    assert [row[1] for row in rows].count("the class token") == 1
    assert all(row[2] == "98.76 %" for row in rows) and len(rows) == 4
