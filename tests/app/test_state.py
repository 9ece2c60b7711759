"""The link codec: what is allowed survives, what is not falls back, nothing raises."""

from dataclasses import replace
from itertools import product
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.state.choice import RUN, SOURCES
from explainer.state.link import (
    CODE,
    DEPTHS,
    FILLS,
    HEADS,
    LONGEST_PICTURE,
    MAX_SEED,
    METHODS,
    MODES,
    MOST,
    NUDGES,
    OF_SECOND,
    OPTIMIZERS,
    PATCHES,
    RATES,
    READERS,
    SCREENS,
    SHOWN,
    STATIONS,
    TEMPERATURES,
    WIDTHS,
    State,
    decode,
    encode,
    read_link,
)
from explainer.state.second import changed_second, compared_with, end, second, swapped
from vit_core.config import POSITIONS

STATES = st.builds(
    State,
    source=st.sampled_from([*SOURCES, RUN]),
    run=st.sampled_from(["", "recorded-fast", "A_b-9" * 8]),
    epoch=st.none() | st.integers(0, MOST),
    patches=st.sampled_from(PATCHES),
    width=st.sampled_from(WIDTHS),
    heads=st.sampled_from(HEADS),
    depth=st.sampled_from(DEPTHS),
    position=st.sampled_from(POSITIONS),
    seed=st.integers(0, MAX_SEED),
    digit=st.integers(0, 9),
    index=st.integers(0, MOST),
    query=st.integers(0, MOST),
    block=st.integers(0, MOST),
    head=st.integers(0, MOST),
    picture=st.sampled_from(["", "AbC-_9"]),
    cell=st.sampled_from(["", "scores.3.49"]),
    mode=st.sampled_from(MODES),
    step=st.integers(0, MOST),
    code=st.sampled_from(CODE),
    controls=st.sampled_from(SHOWN),
    cut=st.sampled_from([None, *PATCHES]),
    kind=st.sampled_from([None, *POSITIONS]),
    shuffle=st.integers(0, MOST),
    temperature=st.sampled_from(TEMPERATURES),
    off=st.sampled_from(["", "0.1", "0.1_3.12"]),
    unit=st.none() | st.integers(0, MOST),
    b=st.sampled_from(["", "source=fast&epoch=0", "picture=&edits=n_h0.1", "seed=3"]),
    present=st.sampled_from(["", "1"]),
    edits=st.sampled_from(["", "t15_x-2_m3_s0.4_n_h0.1"]),
    figure=st.sampled_from(["", "scores.weights"]),
    target=st.none() | st.integers(0, MOST),
    station=st.sampled_from(STATIONS),
    weight=st.sampled_from(["", "blocks.0.attn.qkv.weight:3.5", "cls_token:0.12"]),
    nudge=st.sampled_from(NUDGES),
    rate=st.sampled_from(RATES),
    optimizer=st.sampled_from(OPTIMIZERS),
    explain=st.none() | st.integers(0, MOST),
    method=st.sampled_from(METHODS),
    fill=st.sampled_from(FILLS),
    liked=st.sampled_from(["", "2.17", "0.h3.15"]),
    stage=st.none() | st.integers(0, MOST),
    match=st.sampled_from(["", "mirror", "s3", "c0", "d7.102"]),
    film=st.sampled_from(["", "filters", "blocks.mean", "attention.mean.0-12", "map.3-3"]),
    room=st.sampled_from(["", "ABCDEF", "ZYXWVU"]),
    screen=st.integers(1, SCREENS),
)


@given(STATES)
def test_a_link_restores_the_state(some: State):
    assert decode(encode(some)) == some


def test_defaults_leave_the_link_empty():
    assert encode(State()) == {}
    assert decode({}) == State()


@given(st.dictionaries(st.sampled_from(sorted(READERS)), st.text(max_size=30)))
def test_any_text_gives_a_state_that_can_be_linked_to(params: dict[str, str]):
    found = decode(params)
    assert decode(encode(found)) == found
    assert found.shaped.num_tokens > 0


@given(st.dictionaries(st.sampled_from([*OF_SECOND, "b", "query"]), st.text(max_size=9)))
def test_any_second_choice_gives_a_state_or_a_refusal(pairs: dict[str, str]):
    found, refused = read_link({"b": urlencode(pairs)})
    if refused:
        assert found == State() and [one.name for one in refused] == ["b"]
    else:
        other = second(found)
        assert (other is None) == (found.b == "")
        assert other is None or other.b == ""


@given(st.text(max_size=60))
def test_any_text_of_a_second_choice_is_read_or_refused(text: str):
    found, refused = read_link({"b": text})
    assert decode(encode(found)) == found
    assert len(refused) <= 1


@pytest.mark.parametrize(
    "text",
    [
        *("source=fast&source=best", "b=source", "query=3", "source", "width=63", "&", "picture=ä"),
        *("edits=h0", "picture=" + "a" * 1_001, "%ff=%ff", "seed=1" + "&seed=1" * 30),
    ],
)
def test_a_second_choice_of_another_form_is_left_out(text: str):
    assert decode({"b": text}) == State()


@given(STATES, STATES)
def test_what_is_compared_is_found_again(one: State, other: State):
    one, other = replace(one, b=""), replace(other, b="")
    both = decode(encode(compared_with(one, other)))
    found = second(both)
    wanted = {name: getattr(other, name) for name in OF_SECOND}
    assert end(both) == one
    assert found is None or replace(one, **wanted) == found
    if found is None:
        assert wanted == {name: getattr(replace(one, edits=""), name) for name in OF_SECOND}


@given(STATES, STATES)
def test_halves_are_swapped_and_swapped_back(one: State, other: State):
    one = replace(one, b="", edits="")
    other = replace(other, edits="")
    both = compared_with(one, other)
    if both.b:
        back = swapped(both)
        assert second(back) == one and swapped(back) == both
    assert swapped(compared_with(one, replace(other, edits="n"))) is None


def test_the_second_half_follows_what_the_first_one_has_in_common():
    both = compared_with(State(), State(source="fast"))
    assert second(replace(both, digit=3)) == State(source="fast", digit=3)
    assert second(changed_second(both, digit=2)) == State(source="fast", digit=2)
    same = changed_second(both, source="default")
    assert second(same) == State()  # and stays so when the first half gets another model
    assert second(replace(same, source="fast")) == State()


HOSTILE = [
    "",
    " ",
    "-1",
    "1e3",
    "nan",
    "7.5",
    "٣",
    "²",
    "1_0",
    "0x10",
    "9" * 40,
    "<script>",
    "None",
]
# texts of the own form of these; whether there is such a run, picture or head is told by others
WELL_FORMED = {
    "run": {"9" * 40},
    "picture": {"-1", "1e3", "nan", "1_0", "0x10", "9" * 40, "None"},
    "off": {"7.5"},
    "liked": {"7.5"},
    "nudge": {"-1"},
    "rate": {"-1"},
}


@pytest.mark.parametrize("name", sorted(READERS))
@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_not_allowed_falls_back_to_its_default(name: str, text: str):
    if text in WELL_FORMED.get(name, ()):
        assert decode({name: text}) == State(**{name: READERS[name].read(text)})
        assert read_link({name: text})[1] == []
    else:
        assert decode({name: text}) == State()
        refused = read_link({name: text})[1]
        assert [(one.name, one.text) for one in refused] == [(name, text)]


@pytest.mark.parametrize(
    "text", ["ABCDE", "ABCDEFG", "ABCDE0", "ABCDEI", "ABCDEÄ", "ABC EF", "ßABCDE"]
)
def test_a_room_of_another_form_falls_back(text: str):
    assert decode({"room": text}) == State()


def test_a_room_may_be_written_small():
    assert decode({"room": "abcxyz"}).room == "ABCXYZ"


@pytest.mark.parametrize("text", ["x" * (LONGEST_PICTURE + 1), "a/b", "ä", "a b"])
def test_a_picture_of_another_form_falls_back(text: str):
    assert decode({"picture": text}) == State()


@pytest.mark.parametrize("text", ["scores.1", "scores.1.2.3", "Scores.1.2", "a.12345.0", "a.-1.0"])
def test_a_cell_of_another_form_falls_back(text: str):
    assert decode({"cell": text}) == State()


@pytest.mark.parametrize(
    "text",
    ["../../x:9.9", "head.weight", "head.weight:1", "head..weight:0.0", ":0.0", "a" * 101 + ":0.0",
     "head.weight:0.1234567890", "head.weight:-1.0", "kopf.gewicht:٣.0"],
)  # fmt: skip
def test_a_weight_of_another_form_falls_back(text: str):
    assert decode({"weight": text}) == State()


@pytest.mark.parametrize("text", ["1e9", "-51", "21", "--1", "+1", "-1.5", "−1"])
def test_a_rate_that_is_none_falls_back(text: str):
    found, refused = read_link({"rate": text})
    assert found == State()
    assert refused[0].allowed == "allowed are whole numbers from -50 to 20"


def test_a_refusal_says_what_is_allowed_and_what_is_used():
    (refusal,) = read_link({"width": "63"})[1]
    assert refusal.allowed == "allowed are 8, 16, 32, 64 and 128"
    assert refusal.used == "64"
    (refusal,) = read_link({"cell": "<b>"})[1]
    assert refusal.used == ""
    (refusal,) = read_link({"step": "x"})[1]
    assert refusal.used == "0"


def test_other_parameters_of_the_same_link_survive_a_bad_one():
    assert decode({"width": "63", "depth": "2"}) == State(depth=2)


def test_every_combination_of_knobs_is_a_valid_model():
    shapes = product(PATCHES, WIDTHS, HEADS, (DEPTHS[0], DEPTHS[-1]), POSITIONS)
    for patches, width, heads, depth, position in shapes:
        config = State(
            patches=patches, width=width, heads=heads, depth=depth, position=position
        ).shaped
        assert config.grid_size == (patches, patches)
        assert (config.embed_dim, config.num_heads, config.depth) == (width, heads, depth)
        assert config.pos_embed == position
