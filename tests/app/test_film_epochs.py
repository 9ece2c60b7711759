"""Films over the epochs of a run: each frame is what that epoch's own model computes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from reading import parameter_of, sent_to, state_of, texts_of
from streamlit.testing.v1 import AppTest

from explainer import training
from explainer.components.packing import unpack
from explainer.figures.pixels import shades
from explainer.inputs.models import load
from explainer.observation import film_epochs
from explainer.state.choice import saved
from explainer.training import Run
from explainer.training.recorded import HEALTHY, recorded
from explainer.views import train as train_page
from explainer.views.train.film import first_digit, pack_of_filters, telling_patch
from vit_core import CheckpointError, ViTConfig, build, trace
from vit_core.data import mnist_info, normalize

Open = Callable[..., AppTest]
Make = Callable[..., Run]


@pytest.fixture(autouse=True)
def nothing_trains(known_runs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page asks also for what goes on now."""
    monkeypatch.setattr(type(known_runs), "warm_up", lambda self: None, raising=False)
    monkeypatch.setattr(type(known_runs), "active_of", lambda self, secret: None, raising=False)


@pytest.fixture
def digits_run(make_run: Make) -> Make:
    """Return a maker of runs that have learned from the digits."""

    def make(*args: Any, **options: Any) -> Run:
        run = make_run(*args, **options)
        path = run.history.path / "config.json"
        config = json.loads(path.read_text())
        path.write_text(json.dumps(config | {"data": mnist_info().fingerprint}))
        run.history._config = None
        return run

    return make


def film_of(app: AppTest) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    (sent,) = sent_to(app, "film")
    return unpack(sent.bytes)


def model_of(run: Run, epoch: int) -> Any:
    return load.load_source(saved(run.id, epoch)).model


# which epochs


@pytest.mark.parametrize("count", [1, 2, 59, 60, 61, 118, 119, 120, 500])
def test_a_film_has_at_most_sixty_stops_with_the_first_and_the_last(count: int) -> None:
    epochs = tuple(range(count))
    stops = film_epochs.stops_of(epochs, 0, count - 1)
    assert len(stops) <= film_epochs.MOST_FRAMES
    assert (stops[0], stops[-1]) == (0, count - 1)
    steps = set(np.diff(stops[:-1]).tolist())
    assert len(steps) <= 1, "evenly chosen"
    assert count > film_epochs.MOST_FRAMES or stops == epochs


def test_only_epochs_that_were_saved_and_asked_for_are_stops() -> None:
    assert film_epochs.stops_of((0, 5, 10, 15), 4, 11) == (5, 10)


# the frames


def test_filters_are_each_epochs_own(digits_run: Make, open_page: Open) -> None:
    run = digits_run()
    header, arrays = film_of(open_page("train", run=run.id, film="filters"))
    weights = [model_of(run, epoch).patch_embed.proj.weight.detach().numpy() for epoch in (0, 1, 2)]
    images = np.stack(weights).reshape(arrays["levels"].shape)
    limit = float(np.abs(images).max())
    np.testing.assert_array_equal(arrays["levels"], shades(images, -limit, limit))
    assert f"±{limit:.2g}" in header["texts"]["legend"]
    assert header["kind"] == "filters"
    assert len(header["stops"]) == len(header["notes"]) == 3


@pytest.mark.parametrize("query", [None, 0, 3])
def test_attention_is_the_row_of_each_epochs_block(
    digits_run: Make, open_page: Open, query: int | None
) -> None:
    run = digits_run()
    asked = {} if query is None else {"query": query}
    app = open_page("train", run=run.id, film="attention", block=1, **asked)
    header, arrays = film_of(app)
    pixels = first_digit()
    config = run.history.config.model
    token = telling_patch(pixels, config) + 1 if query is None else query
    digit = normalize(torch.tensor(pixels)[None, None], mnist_info())
    for epoch in range(3):
        traced = trace(model_of(run, epoch), digit)
        row = traced["blocks.1.attn.pattern"][0, :, token].numpy()
        np.testing.assert_array_equal(arrays["weights"][epoch], row)
        assert header["stops"][epoch].startswith(f"Epoch {epoch} of ")
        assert header["stops"][epoch].endswith(", block 2")
    assert header["query"] == token


def test_the_map_shows_the_output_vectors(digits_run: Make, open_page: Open) -> None:
    run = digits_run()
    header, arrays = film_of(open_page("train", run=run.id, film="map"))
    digits = film_epochs.sixteen()
    batch = normalize(digits.images, mnist_info())
    film = film_epochs.map_film(run, (0, 1, 2))
    for epoch in range(3):
        traced = trace(model_of(run, epoch), batch)
        np.testing.assert_allclose(film.vectors[epoch], traced["pooled"].numpy(), atol=1e-6)
        answers = traced.logits.argmax(dim=-1).tolist()
        assert header["predicted"][epoch] == [str(answer) for answer in answers]
        right = sum(a == t for a, t in zip(answers, digits.labels.tolist(), strict=True))
        assert header["notes"][epoch].startswith(f"{right} of 16 are right.")
    assert header["truths"] == [str(int(label)) for label in digits.labels]
    np.testing.assert_allclose(arrays["places"], film.places / film.limit, rtol=1e-6)
    assert np.abs(arrays["places"]).max() == pytest.approx(1)
    np.testing.assert_array_equal(arrays["digits"], digits.images[:, 0].numpy())


def test_the_maps_directions_are_those_in_which_the_last_epoch_differs_most() -> None:
    generator = np.random.default_rng(1)
    vectors = generator.normal(size=(3, 16, 5)).astype(np.float32)
    vectors[-1, :, 3] *= 40
    vectors[-1, :, 1] *= 9
    film = film_epochs.MapFilm(vectors, np.zeros((3, 16), np.uint8), (0, 1, 2))
    centred = vectors[-1] - vectors[-1].mean(axis=0)
    for axis, dimension in ((0, 3), (1, 1)):
        alike = np.corrcoef(film.places[-1, :, axis], centred[:, dimension])[0, 1]
        assert alike > 0.95
    assert film.shares[-1] > 0.95
    assert (film.shares[:2] < 0.9).all()
    assert np.abs(film.places).max() == film.limit


def test_vectors_that_do_not_differ_stand_in_the_middle() -> None:
    film = film_epochs.MapFilm(np.ones((2, 16, 8), np.float32), np.zeros((2, 16)), (0, 1))
    assert not film.places.any()
    assert film.limit == 1
    assert film.shares.tolist() == [0, 0]


# what a link asks


def test_a_link_chooses_epochs(digits_run: Make, open_page: Open) -> None:
    run = digits_run()
    header, _ = film_of(open_page("train", run=run.id, film="filters.1-2"))
    assert [stop[:7] for stop in header["stops"]] == ["Epoch 1", "Epoch 2"]


def test_epochs_that_are_not_there_become_the_nearest_with_one_sentence(
    digits_run: Make, open_page: Open
) -> None:
    run = digits_run()
    app = open_page("train", run=run.id, film="map.7-40")
    assert [stop[:7] for stop in film_of(app)[0]["stops"]] == ["Epoch 2"]
    assert "The link asks for epochs 7 to 40. Epochs 2 to 2 are shown." in texts_of(app)


@pytest.mark.parametrize("text", ["blocks.0-2", "x", "<b>", "filters.9999-0", "attention.mean.2-1"])
def test_no_film_in_a_link_breaks_the_page(digits_run: Make, open_page: Open, text: str) -> None:
    run = digits_run()
    app = open_page("train", run=run.id, film=text)
    assert not app.exception


def test_the_kind_and_the_mean_are_kept_in_the_link(
    digits_run: Make, open_page: Open, click_in: Any
) -> None:
    run = digits_run()
    app = open_page("train", run=run.id, film="attention.0-1")
    click_in(app, "film", {"choice": {"head": 2, "at": 1.0}})
    assert parameter_of(app, "film") == "attention.mean.0-1"
    click_in(app, "film", {"choice": {"head": 1, "at": 2.0}})
    assert (state_of(app).film, state_of(app).head) == ("attention.0-1", 1)
    click_in(app, "film", {"choice": {"query": 4, "at": 3.0}})
    assert state_of(app).query == 4
    click_in(app, "film", {"choice": {"query": 99, "at": 4.0}})
    assert state_of(app).query == 4
    assert not app.exception


# runs of every kind


def test_an_epoch_that_cannot_be_read_is_left_out(digits_run: Make, open_page: Open) -> None:
    run = digits_run()
    run.history.checkpoint(1).write_bytes(b"nothing")
    app = open_page("train", run=run.id, film="filters")
    assert [stop[:7] for stop in film_of(app)[0]["stops"]] == ["Epoch 0", "Epoch 2"]
    assert "Some epochs can no longer be read and are left out: 1." in texts_of(app)


def test_a_run_without_a_readable_epoch_says_so(digits_run: Make, open_page: Open) -> None:
    run = digits_run()
    for epoch in range(3):
        run.history.checkpoint(epoch).write_bytes(b"nothing")
    app = open_page("train", run=run.id, film="map")
    assert sent_to(app, "film") == []
    assert "No saved epoch of this run can be read." in texts_of(app)
    with pytest.raises(CheckpointError):
        film_epochs.filters_film(run, (0, 1, 2))


def test_an_epoch_of_another_shape_is_left_out(
    digits_run: Make, open_page: Open, tmp_path: Path
) -> None:
    run = digits_run()
    other = digits_run("another-run", ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1))
    content = other.history.checkpoint(0).read_bytes()
    run.history.checkpoint(1).write_bytes(content)
    film = film_epochs.filters_film(run, (0, 1, 2))
    assert film.stops == (0, 2)


def test_a_film_of_one_epoch_is_a_single_picture(digits_run: Make, open_page: Open) -> None:
    run = digits_run(epochs=(0,))
    app = open_page("train", run=run.id, film="filters")
    assert len(film_of(app)[0]["stops"]) == 1
    assert "Only one epoch is saved" in texts_of(app)


def test_what_a_film_reads_is_kept_apart_from_what_the_pages_share(
    digits_run: Make,
) -> None:
    run = digits_run()
    shared = load.models().used
    first = film_epochs.filters_film(run, (0, 1))
    assert load.models().used == shared
    assert film_epochs.kept_frames().used > 0
    again = film_epochs.filters_film(run, (0, 1))
    np.testing.assert_array_equal(first.filters, again.filters)


def test_a_run_of_other_pictures_has_the_film_of_its_filters(
    make_run: Make, open_page: Open
) -> None:
    run = make_run("of-pictures")
    header, _ = film_of(open_page("train", run=run.id, film="map"))
    assert header["kind"] == "filters"
    assert "of the validation pictures are right." in header["notes"][1]


def test_filters_of_colours_keep_their_colours() -> None:
    model = build(ViTConfig(image_size=32, patch_size=8, in_channels=3, depth=1))
    frame = film_epochs.filters_of(load.Source(model, mnist_info(), None))
    film = film_epochs.FiltersFilm(np.stack([frame, frame]), (0, 1))
    header, arrays = unpack(pack_of_filters("film", film, ["a", "b"], ["", ""]))
    weight = model.patch_embed.proj.weight.detach().numpy()
    expected = weight.reshape(-1, 3, 8, 8).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(arrays["levels"][1], shades(expected, -film.limit, film.limit))
    assert header["channels"] == 3
    assert "Grey is zero." in header["texts"]["legend"]


def test_without_a_run_the_page_offers_the_film_of_the_one_that_came_with_the_app(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_page, "show_choice", lambda manager: None)
    recorded_run = Run("recorded-healthy", recorded(HEALTHY), "recorded", title=HEALTHY)
    training.the_manager().known[recorded_run.id] = recorded_run
    app = open_page("train", film="map")
    header, _ = film_of(app)
    assert header["stops"] == [f"Epoch {epoch} of 3" for epoch in range(4)]
    assert "16 of 16 are right." in header["notes"][-1]
