"""Confusions: the counts are the model's own answers, and every cell has its pictures."""

import re
from collections.abc import Callable
from pathlib import Path
from time import sleep

import numpy as np
import pytest
import streamlit as st
import torch
from reading import choice_and_observation, parameter_of, sent_to, state_of, texts_of
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer.content import load_texts
from explainer.figures.confusion import confusion
from explainer.inputs.models import load
from explainer.observation.look import confusions as numbers
from explainer.observation.look import units
from explainer.observation.look.confusions import Confusions, most_confused, worst_cell
from explainer.state.place import Cell, Place
from explainer.views.look_inside import confusions as view
from vit_core.data import normalize

ADDRESS = "look-inside"
TEXTS = load_texts("look_map")["confusions"]

Open = Callable[..., AppTest]


def ended(app: AppTest) -> AppTest:
    """Run a page again until the model has read its pictures."""
    reasons = (TEXTS["headless"], TEXTS["unlabelled"])
    while not app.exception and not sent_to(app, "confusions"):
        if any(reason in texts_of(app) for reason in reasons):
            break
        sleep(0.05)
        app.run()
    assert not app.exception, app.exception[0].message
    return app


def made(choice: object) -> Confusions:
    return numbers.prepared(choice)(lambda done, total: None)


@pytest.fixture
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "MOST", 60)
    st.cache_resource.clear()


@pytest.mark.usefixtures("shipped", "few_pictures")
@pytest.mark.parametrize("source", ["fast", "untrained"])
def test_the_answers_are_the_models(source: str) -> None:
    choice, _ = choice_and_observation(source)
    pictures, used = units.pictures_of(choice), load.source_of(choice)
    assert len(pictures) == 60
    with torch.no_grad():
        shares = used.model(normalize(torch.from_numpy(pictures.images.copy()), used.info))
    shares = shares.double().softmax(dim=1).numpy()
    found = made(choice)
    np.testing.assert_array_equal(found.pictures, np.arange(60))
    np.testing.assert_array_equal(found.labels, pictures.labels)
    np.testing.assert_array_equal(found.answers, shares.argmax(axis=1))
    np.testing.assert_allclose(found.of_answer, shares.max(axis=1), atol=1e-5)
    np.testing.assert_allclose(found.of_label, shares[np.arange(60), found.labels], atol=1e-5)
    counts = found.counts(10)
    assert counts.sum() == 60 and np.trace(counts) == found.right
    for truth, answer in np.argwhere(counts):
        of_cell = found.of_cell(truth, answer)
        assert len(of_cell) == counts[truth, answer]
        assert (found.labels[of_cell] == truth).all() and (found.answers[of_cell] == answer).all()
        sure = found.of_answer[of_cell]
        assert (np.diff(sure if truth == answer else -sure) >= 0).all()


@pytest.mark.usefixtures("shipped", "few_pictures")
def test_what_the_units_have_asked_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    choice, _ = choice_and_observation("fast")
    expected = made(choice)
    surveyed = units.prepared_survey(choice)(lambda done, total: None)
    units.kept().get(units.survey_key(choice), lambda: surveyed)
    monkeypatch.setattr(units, "chunks_of", None)
    found = made(choice)
    np.testing.assert_array_equal(found.answers, expected.answers)
    np.testing.assert_allclose(found.of_answer, expected.of_answer, atol=1e-5)


def test_of_many_classes_those_with_the_most_mistakes_are_shown() -> None:
    counts = np.diag(np.arange(6))
    counts[4, 1] = counts[5, 1] = 2
    counts[5, 4] = 3
    assert most_confused(counts, 3).tolist() == [1, 4, 5]
    assert most_confused(counts, 99).tolist() == [*range(6)]
    assert worst_cell(counts) == (5, 4)
    assert worst_cell(np.diag(np.arange(6))) is None


def test_only_cells_with_pictures_can_be_pressed_and_names_are_no_markup() -> None:
    names = ["<b>a</b>", "b"]
    html = confusion(np.array([[3, 0], [1, 5]]), names, TEXTS["table"], is_pressable=True)
    assert re.findall(r'data-cell="(\d\.\d)"', html) == ["0.0", "1.0", "1.1"]
    assert "<b>" not in html
    assert 'aria-label="b, read as &lt;b&gt;a&lt;/b&gt;: 1"' in html
    assert "<button" not in confusion(np.eye(2, dtype=int), names, TEXTS["table"])


@pytest.mark.usefixtures("shipped", "few_pictures")
def test_a_cell_is_chosen_and_its_picture_goes_to_all_pages(
    open_page: Open, click_in: Callable
) -> None:
    choice, _ = choice_and_observation("fast")
    found = made(choice)
    app = ended(open_page(ADDRESS, source="fast"))
    words = texts_of(app.main)
    assert f"**{found.right} of 60** answers are right" in words
    truth, answer = worst_cell(found.counts(10)) or (0, 0)
    count = len(found.of_cell(truth, answer))
    assert TEXTS["cell_wrong"].format(truth=truth, answer=answer, count=count) in words
    row, column = np.argwhere(found.counts(10))[0].tolist()
    click_in(app, "confusion-table", {"choice": {"row": row, "column": column}})
    assert parameter_of(app, "cell") == f"confusions.{row}.{column}"
    index = int(found.pictures[found.of_cell(row, column)[0]])
    click_in(app, f"confusion-pictures-{row}-{column}", {"choice": {"index": 0}})
    expected = units.pictures_of(choice).values(index)
    state = state_of(app)
    assert {name: getattr(state, name) for name in expected} == expected
    assert not app.exception


@pytest.mark.usefixtures("shipped", "few_pictures")
@pytest.mark.parametrize("cell", ["confusions.99.3", "confusions.0.9", "weights.0.0"])
def test_a_link_to_no_cell_of_the_table_gets_the_worst_one(cell: str) -> None:
    choice, seen = choice_and_observation("fast")
    found = made(choice)
    counts = found.counts(10)
    counts[0, 9] = 0
    counts[8, 2] = 50
    name, row, column = cell.split(".")
    place = Place(seen.config, cell=Cell(name, int(row), int(column)))
    assert view.chosen_cell(place, found, counts, np.arange(10)) == (8, 2)
    right = np.diag(np.ones(10, int))
    least = int(found.of_answer.argmin())
    expected = (found.labels[least], found.answers[least])
    assert view.chosen_cell(place, found, right, np.arange(10)) == expected


@pytest.mark.usefixtures("few_pictures")
@pytest.mark.parametrize("name", UNLIKE)
def test_every_model_gets_the_table_or_a_reason(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_runs: object
) -> None:
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    put(tmp_path, UNLIKE[name])
    app = AppTest.from_function(draw, default_timeout=60)
    words = texts_of(ended(app.run()))
    if UNLIKE[name].config.num_classes == 0:
        assert TEXTS["headless"] in words
    else:
        assert "answers are right" in words or TEXTS["unlabelled"] in words


def draw() -> None:
    from reading import choice_and_observation

    from explainer.state.place import Place
    from explainer.views.look_inside.confusions import show_confusions

    choice, seen = choice_and_observation("default")
    show_confusions(choice, seen, Place(seen.config))
