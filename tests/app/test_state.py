"""The link codec: what is allowed survives, what is not falls back, nothing raises."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer import state
from explainer.state import State, decode, encode
from vit_core.config import POSITIONS

STATES = st.builds(
    State,
    source=st.sampled_from(state.SOURCES),
    patches=st.sampled_from(state.PATCHES),
    width=st.sampled_from(state.WIDTHS),
    heads=st.sampled_from(state.HEADS),
    depth=st.sampled_from(state.DEPTHS),
    position=st.sampled_from(POSITIONS),
    seed=st.integers(0, state.MAX_SEED),
    digit=st.integers(0, 9),
    index=st.integers(0, state.MOST),
    query=st.integers(0, state.MOST),
    block=st.integers(0, state.MOST),
    head=st.integers(0, state.MOST),
)


@given(STATES)
def test_a_link_restores_the_state(some: State):
    assert decode(encode(some)) == some


def test_defaults_leave_the_link_empty():
    assert encode(State()) == {}
    assert decode({}) == State()


@given(st.dictionaries(st.sampled_from(sorted(state.READERS)), st.text(max_size=30)))
def test_any_text_gives_a_state_that_can_be_linked_to(params: dict[str, str]):
    found = decode(params)
    assert decode(encode(found)) == found
    assert found.shaped.num_tokens > 0


@pytest.mark.parametrize("name", sorted(state.READERS))
@pytest.mark.parametrize(
    "text",
    ["", " ", "-1", "1e3", "nan", "7.5", "٣", "²", "1_0", "0x10", "9" * 40, "<script>", "None"],
)
def test_what_is_not_allowed_falls_back_to_its_default(name: str, text: str):
    assert decode({name: text}) == State()


def test_other_parameters_of_the_same_link_survive_a_bad_one():
    assert decode({"width": "63", "depth": "2"}) == State(depth=2)


def test_every_combination_of_knobs_is_a_valid_model():
    shapes = product(
        state.PATCHES, state.WIDTHS, state.HEADS, (state.DEPTHS[0], state.DEPTHS[-1]), POSITIONS
    )
    for patches, width, heads, depth, position in shapes:
        config = State(
            patches=patches, width=width, heads=heads, depth=depth, position=position
        ).shaped
        assert config.grid_size == (patches, patches)
        assert (config.embed_dim, config.num_heads, config.depth) == (width, heads, depth)
        assert config.pos_embed == position
