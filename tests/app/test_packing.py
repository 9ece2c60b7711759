"""What components receive can be read back, within the stated scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.components.packing import (
    as_image,
    pack,
    pack_patterns,
    unpack,
    unpack_patterns,
)
from explainer.components.patch_explorer import pack_patches
from explainer.components.selection import valid_choice
from explainer.components.token_explorer import pack_explorer


def softmax_patterns(shape: tuple[int, ...], sharpness: float, seed: int = 0) -> np.ndarray:
    scores = sharpness * np.random.default_rng(seed).standard_normal((*shape, shape[-1]))
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    blocks=st.integers(1, 3),
    heads=st.integers(1, 3),
    tokens=st.integers(1, 20),
    prefix=st.integers(0, 5),
    sharpness=st.floats(0, 60),
    seed=st.integers(0, 99),
)
def test_weights_come_back_within_a_255th_of_the_rows_scale(
    blocks: int, heads: int, tokens: int, prefix: int, sharpness: float, seed: int
) -> None:
    patterns = softmax_patterns((blocks, heads, prefix + tokens), sharpness, seed)
    packed = pack_patterns(patterns, prefix)
    found = unpack_patterns(packed)
    assert packed.patches.dtype == np.uint8
    np.testing.assert_array_equal(packed.scales, patterns[..., prefix:].max(axis=-1))
    np.testing.assert_array_equal(found[..., :prefix], patterns[..., :prefix])
    assert (np.abs(found - patterns) <= packed.scales[..., None] / 255).all()


def test_a_class_token_that_draws_everything_leaves_the_patches_their_steps() -> None:
    row = np.array([0.97, 0.01, 0.02, 0.0], dtype=np.float32)
    packed = pack_patterns(np.broadcast_to(row, (1, 1, 4, 4)), 1)
    assert packed.patches[0, 0, 0].tolist() == [128, 255, 0]
    assert packed.prefix[0, 0, 0].tolist() == row[:1].tolist()


def test_the_limit_clips_at_most_the_share_that_is_stated() -> None:
    patterns = softmax_patterns((2, 3, 30), 4.0)
    limits = pack_patterns(patterns, 1).limits
    above = (patterns > limits[..., None, None]).mean(axis=(2, 3))
    assert (above > 0).all()
    assert (above <= 0.0101).all()


@pytest.mark.parametrize(
    ("patterns", "prefix", "message"),
    [
        (np.ones((4, 4)), 0, "shape"),
        (np.ones((1, 1, 3, 4)), 0, "shape"),
        (np.zeros((1, 0, 4, 4)), 0, "shape"),
        (np.full((1, 1, 2, 2), np.nan), 0, "weights"),
        (np.full((1, 1, 2, 2), -0.1), 0, "weights"),
        (np.full((1, 1, 2, 2), 1.5), 0, "weights"),
        (np.full((1, 1, 2, 2), 0.5), 2, "from 0 to 1"),
        (np.full((1, 1, 2, 2), 0.5), -1, "from 0 to 1"),
    ],
)
def test_what_is_no_pattern_is_refused(patterns: np.ndarray, prefix: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_patterns(patterns, prefix)


def test_header_and_arrays_come_back() -> None:
    arrays = {
        "odd": np.arange(5, dtype=np.uint8),
        "image": np.arange(24, dtype=np.uint8).reshape(2, 4, 3),
        "floats": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
    }
    header, found = unpack(pack({"words": "größer ≥ 1"}, arrays))
    assert header == {"words": "größer ≥ 1"}
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("array", [np.zeros(3), np.array([np.inf], np.float32), np.zeros(3, int)])
def test_what_the_browser_could_not_read_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError):
        pack({}, {"array": array})


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_what_is_no_image_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="image"):
        as_image(pixels)


def test_any_grid_any_image_any_prefix() -> None:
    content = pack_explorer(
        channel="c",
        image=np.zeros((30, 50, 3), np.uint8),
        grid=(3, 5),
        patterns=softmax_patterns((2, 12, 19), 2.0),
        prefix_names=["[CLS]", "r1", "r2", "r3"],
        texts={},
    )
    header, arrays = unpack(content)
    assert (header["rows"], header["columns"], header["heads"], header["depth"]) == (3, 5, 12, 2)
    assert arrays["patterns"].shape == (2, 12, 19, 15)
    assert arrays["prefix"].shape == (2, 12, 19, 4)


def test_tokens_that_do_not_fit_the_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        pack_explorer(
            channel="c",
            image=np.zeros((4, 4), np.uint8),
            grid=(2, 2),
            patterns=softmax_patterns((1, 1, 4), 1.0),
            prefix_names=["[CLS]"],
            texts={},
        )
    with pytest.raises(ValueError, match="vectors"):
        pack_patches(
            channel="c",
            image=np.zeros((4, 4), np.uint8),
            grid=(2, 2),
            vectors=np.zeros((4, 5), np.float32),
            texts={},
        )


def test_the_largest_model_of_the_knobs_fits_the_page() -> None:
    content = pack_explorer(
        channel="c",
        image=np.zeros((28, 28), np.uint8),
        grid=(7, 7),
        patterns=softmax_patterns((8, 8, 50), 2.0),
        prefix_names=["[CLS]"],
        texts={},
    )
    assert len(content) < 250_000


def test_a_choice_keeps_only_what_is_an_index() -> None:
    sizes = {"query": 5, "head": 2}
    assert valid_choice({"choice": {"query": 4, "head": 1, "at": 3}}, sizes) == {
        "query": 4,
        "head": 1,
    }
    for bad in (None, 3, "4", {"query": 5}, {"query": -1}, {"query": 1.0}, {"query": True}):
        assert valid_choice({"choice": bad}, sizes) == {}
    assert valid_choice({}, sizes) == {}
