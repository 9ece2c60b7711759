"""Films: every frame is what the model computed at that stop, whatever a link or a browser asks."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reading import observation_of, parameter_of, sent_to, state_of, texts_of
from streamlit.testing.v1 import AppTest

from explainer.components.film import pack_attention
from explainer.components.packing import unpack
from explainer.observation.film import (
    STRONGEST,
    AttentionFilm,
    blocks_film,
)
from explainer.state.film import Film, narrowed, read_film, write_film
from explainer.state.link import State

Open = Callable[..., AppTest]
SMALL = {"source": "untrained", "patches": 4, "width": 16, "heads": 2, "depth": 3}


def film_of(app: AppTest) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what the page's film was sent: header and arrays."""
    (sent,) = sent_to(app, "film")
    return unpack(sent.bytes)


def head_of(app: AppTest) -> int:
    """Return which head the film is told to show."""
    chosen = [json.loads(one.json) for one in sent_to(app, "selection")]
    return next(one["head"] for one in chosen if one["channel"] == "film")


# what a link says


@pytest.mark.parametrize(
    ("text", "film"),
    [
        ("", None),
        ("blocks", Film("blocks")),
        ("blocks.mean", Film("blocks", mean=True)),
        ("blocks.2-5", Film("blocks", span=(2, 5))),
        ("attention.mean.0-12", Film("attention", mean=True, span=(0, 12))),
        ("filters.7-7", Film("filters", span=(7, 7))),
        ("map", Film("map")),
    ],
)
def test_a_film_is_read_as_it_is_written(text: str, film: Film | None) -> None:
    assert read_film(text) == film
    assert film is None or write_film(film) == text


def test_a_span_the_wrong_way_round_is_turned_round() -> None:
    assert read_film("map.9-2") == Film("map", span=(2, 9))


@pytest.mark.parametrize(
    "text",
    [
        *("films", "blocks.", "blocks.mean.mean", "map.mean", "filters.mean.0-1", "blocks.1"),
        *("blocks.-1-2", "blocks.0-12345", "blocks.0-1.mean", "blocks.٣-٤", "blocks\n", "<b>"),
        *("map.0-1 ", "a" * 999),
    ],
)  # fmt: skip
def test_what_is_no_film_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no film"):
        read_film(text)


@pytest.mark.parametrize(
    ("span", "stops", "shown"),
    [
        (None, (0, 1, 2), (0, 2)),
        ((1, 2), (0, 1, 2), (1, 2)),
        ((2, 40), (0, 1, 2), (2, 2)),
        ((7, 40), (0, 1, 2), (2, 2)),
        ((0, 1), (4, 8), (4, 4)),
        ((5, 6), (4, 8), (4, 4)),
        ((3, 9), (0, 4, 8, 12), (4, 8)),
    ],
)
def test_a_span_is_narrowed_to_what_there_is(span: Any, stops: Any, shown: Any) -> None:
    assert narrowed(span, stops) == shown


# what is shown


@pytest.mark.parametrize("query", [0, 3, 16])
def test_a_frame_is_the_row_of_its_block(open_page: Open, query: int) -> None:
    app = open_page("multi-head", **SMALL, query=query)
    header, arrays = film_of(app)
    seen = observation_of(**SMALL)
    for block in range(3):
        row = seen.tensors[f"blocks.{block}.attn.pattern"][:, query]
        np.testing.assert_array_equal(arrays["weights"][block], row)
    assert header["stops"] == ["Block 1 of 3", "Block 2 of 3", "Block 3 of 3"]
    assert header["query"] == query
    assert header["strongest"] == STRONGEST
    np.testing.assert_array_equal(arrays["image"][..., 0], seen.pixels)


def test_until_somebody_chooses_the_film_follows_what_the_page_follows(open_page: Open) -> None:
    app = open_page("multi-head", **SMALL)
    seen = observation_of(**SMALL)
    assert film_of(app)[0]["query"] == seen.telling_patch + 1
    assert head_of(app) == 0


def test_the_mean_of_the_heads_is_their_mean_and_the_scale_holds_for_all_stops() -> None:
    generator = np.random.default_rng(0)
    weights = generator.dirichlet(np.ones(5), size=(3, 2)).astype(np.float32)
    film = AttentionFilm(weights, 1, (0, 1, 2))
    np.testing.assert_array_equal(film.shown[:, :2], weights)
    np.testing.assert_allclose(film.shown[:, 2], weights.mean(axis=1), rtol=1e-6)
    others = [0, 2, 3, 4]
    assert film.scales.tolist() == [film.shown[:, head, others].max() for head in range(3)]
    ends = film.strongest(1, 0)
    assert sorted(ends) == others
    assert (np.diff(weights[1, 0, ends]) <= 0).all()


def test_equal_weights_stay_in_reading_order_and_no_more_than_the_strongest_are_drawn() -> None:
    film = AttentionFilm(np.full((1, 1, 40), 1 / 40, np.float32), 0, (0,))
    assert film.strongest(0, 0) == list(range(1, 1 + STRONGEST))


def test_a_link_chooses_blocks_and_the_page_says_so(open_page: Open) -> None:
    app = open_page("multi-head", **SMALL, film="blocks.1-2")
    header, arrays = film_of(app)
    assert header["stops"] == ["Block 2 of 3", "Block 3 of 3"]
    seen = observation_of(**SMALL)
    expected = seen.tensors["blocks.1.attn.pattern"][:, header["query"]]
    np.testing.assert_array_equal(arrays["weights"][0], expected)
    assert "The film shows blocks 2 to 3 of 3." in texts_of(app)
    app.button("film-all").click().run()
    assert state_of(app).film == ""
    assert len(film_of(app)[0]["stops"]) == 3


def test_blocks_that_there_are_none_of_become_the_nearest_with_one_sentence(
    open_page: Open,
) -> None:
    app = open_page("multi-head", **SMALL, film="blocks.7-9")
    assert film_of(app)[0]["stops"] == ["Block 3 of 3"]
    expected = "The link asks for blocks 8 to 10. This model has 3. The film shows block 3 of 3."
    assert expected in texts_of(app)


@pytest.mark.parametrize("text", ["filters.0-3", "x", "blocks.9999-0", "map", "<script>"])
def test_no_film_in_a_link_breaks_the_page(open_page: Open, text: str) -> None:
    app = open_page("multi-head", **SMALL, film=text)
    assert not app.exception
    assert film_of(app)[1]["weights"].shape[1:] == (2, 17)


def test_the_mean_is_kept_in_the_link_and_a_head_on_the_page(
    open_page: Open, click_in: Any
) -> None:
    app = open_page("multi-head", **SMALL)
    click_in(app, "film", {"choice": {"head": 2, "at": 1.0}})
    assert parameter_of(app, "film") == "blocks.mean"
    assert head_of(app) == 2
    click_in(app, "film", {"choice": {"head": 1, "at": 2.0}})
    assert (state_of(app).film, state_of(app).head) == ("", 1)
    assert head_of(app) == 1


def test_a_click_follows_another_token(open_page: Open, click_in: Any) -> None:
    app = open_page("multi-head", **SMALL)
    click_in(app, "film", {"choice": {"query": 5, "at": 1.0}})
    assert state_of(app).query == 5
    assert film_of(app)[0]["query"] == 5


@pytest.mark.parametrize(
    "choice",
    [
        {"query": 17}, {"query": -1}, {"query": True}, {"query": 1.0}, {"query": "3"}, {"head": 3},
        {"head": None}, {"query": [1]}, [], "x", None, 5, {"other": 1},
    ],
)  # fmt: skip
def test_nothing_else_that_a_browser_sends_is_taken(
    open_page: Open, click_in: Any, choice: Any
) -> None:
    app = open_page("multi-head", **SMALL)
    before = state_of(app)
    click_in(app, "film", {"choice": choice})
    assert not app.exception
    assert state_of(app) == before


@pytest.mark.parametrize(
    "shape",
    [
        {"depth": 1},
        {"heads": 1},
        {"patches": 2},
        {"depth": 8, "heads": 8},
    ],
)
def test_every_shape_has_its_film(open_page: Open, shape: dict[str, int]) -> None:
    app = open_page("multi-head", **(SMALL | shape))
    header, arrays = film_of(app)
    config = State(**(SMALL | shape)).shaped
    assert arrays["weights"].shape == (config.depth, config.num_heads, config.num_tokens)
    assert len(header["stops"]) == config.depth
    np.testing.assert_allclose(arrays["weights"].sum(axis=-1), 1, rtol=1e-5)


def test_a_film_of_a_single_token_has_no_arcs() -> None:
    film = AttentionFilm(np.ones((2, 1, 1), np.float32), 0, (0, 1))
    assert film.strongest(0, 0) == []
    assert film.scales.tolist() == [0, 0]


def packed(**changes: Any) -> bytes:
    weights = np.full((2, 1, 5), 0.2, np.float32)
    given: dict[str, Any] = {
        "channel": "film",
        "image": np.zeros((4, 4), np.uint8),
        "grid": (2, 2),
        "prefix_names": ["[CLS]"],
        "weights": weights,
        "scales": np.full(2, 0.2),
        "query": 0,
        "strongest": 3,
        "stops": ["one", "two"],
        "texts": {},
    }
    return pack_attention(**(given | changes))


def test_the_same_film_is_the_same_bytes() -> None:
    assert packed() == packed()


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.full((2, 1, 4), 0.2, np.float32)},
        {"weights": np.full((2, 1, 5), np.nan, np.float32)},
        {"weights": np.full((2, 1, 5), -0.1, np.float32)},
        {"query": 5},
        {"stops": ["one"]},
        {"scales": np.zeros(3)},
    ],
)
def test_numbers_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"weights|stops"):
        packed(**changes)


def test_only_the_rows_that_are_looked_at_are_kept() -> None:
    seen = observation_of(**SMALL)
    film = blocks_film(seen, 2, 1, 2)
    assert film.weights.base is None or film.weights.base.size == film.weights.size
    assert film.stops == (1, 2)
