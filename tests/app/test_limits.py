"""One scale for both halves of a comparison, of what the server draws; alone each has its own."""

from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
from reading import choice_of

from explainer.figures.block_flow import river
from explainer.figures.by_block import by_block
from explainer.figures.costs import pairs_chart
from explainer.figures.layer_norm import before_and_after, ends_of, gelu_curve, gelu_ends
from explainer.figures.maps import map_of, maps
from explainer.figures.products import Tile, product
from explainer.figures.side_by_side import side_by_side
from explainer.observation.limits import common_limits, key_of, larger
from explainer.observation.observe import observe
from explainer.state.edits import Edits
from explainer.state.place import Place
from explainer.views.class_token.join import token_limit
from explainer.views.class_token.listens import agreed_ends, listened_limits
from explainer.views.encoder_block.flow import widest_row
from explainer.views.encoder_block.mlp import curve_ends, unit_limit
from explainer.views.encoder_block.norm import histogram_ends
from explainer.views.multi_head.effects import effect_limit
from explainer.views.multi_head.joined import piece_limits
from explainer.views.multi_head.overview import overview_limits
from explainer.views.multi_head.spread import spread_ends
from explainer.views.patch_embedding.principal import component_limits
from explainer.views.patch_embedding.worked_sum import tile_limits
from explainer.views.patches.costs import most_pairs
from explainer.views.position.curves import dimension_limits
from explainer.views.self_attention.temperature import temperature_limits
from vit_core.interpret.heads import Head

MEASURES = (
    token_limit, agreed_ends, listened_limits, widest_row, curve_ends, unit_limit, histogram_ends,
    effect_limit, piece_limits, overview_limits, spread_ends, component_limits, tile_limits,
    most_pairs, dimension_limits, temperature_limits,
)  # fmt: skip


def halves(a, b):
    """Return (choice, seen, place) of both halves of a comparison."""
    place_a = Place(a.config, query=3, half="a", other=b)
    place_b = Place(b.config, query=2, prefix="b-", half="b", other=a)
    return (
        (a, observe(a), replace(place_a, beside=place_b)),
        (b, observe(b), replace(place_b, beside=place_a)),
    )


PAIRS = {
    "an edit": lambda: (a := choice_of(seed=1), replace(a, edits=Edits(heads_off=(Head(0, 0),)))),
    "other weights": lambda: (choice_of(seed=1), choice_of(seed=2)),
    "other shapes": lambda: (
        choice_of(heads=2, depth=2, width=16),
        choice_of(heads=4, depth=3, width=32, patches=7, position="sincos"),
    ),
}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
@pytest.mark.parametrize("pair", PAIRS)
def test_both_halves_have_one_limit_which_is_the_larger(pair: str, measure) -> None:
    st.cache_resource.clear()
    first, second = halves(*PAIRS[pair]())
    alone = [np.asarray(measure(*half), float) for half in (first, second)]
    found = [common_limits("test", *half, measure) for half in (first, second)]
    assert all(one is not None for one in found)
    both = tuple(slice(min(sizes)) for sizes in zip(*(one.shape for one in alone), strict=True))
    np.testing.assert_array_equal(found[0][both], found[1][both])
    np.testing.assert_array_equal(found[0][both], np.fmax(alone[0][both], alone[1][both]))
    assert [one.shape for one in found] == [one.shape for one in alone]
    st.cache_resource.clear()


def test_alone_each_picture_finds_its_own() -> None:
    choice = choice_of()

    def measure(choice, seen, place):
        raise AssertionError("nothing is compared")

    assert common_limits("test", choice, observe(choice), Place(choice.config), measure) is None
    assert key_of(None) == ()


def test_limits_of_other_shapes_are_compared_where_both_have_one() -> None:
    own, other = np.array([[1.0, 5.0], [np.nan, 2.0]]), np.array([[3.0], [4.0], [9.0]])
    np.testing.assert_array_equal(larger(own, other), [[3, 5], [4, 2]])
    np.testing.assert_array_equal(larger(own, np.array([7.0])), own)
    np.testing.assert_array_equal(larger(np.zeros(0), np.array([7.0])), [])


def test_figures_take_a_limit_from_outside() -> None:
    values = np.array([[0.5, -0.25]])
    assert map_of(values, 1.0) in maps([(values, "", "", "")], 0, [1.0])
    assert map_of(values, 0.5) in maps([(values, "", "", "")], 0)
    assert map_of(values, 2.0) in product([Tile(values, "", "", "")], (), [2.0])
    strip = side_by_side(values, np.array([1.0]), ["a"], ["1"], 0, "", (1.0, 4.0))
    assert "width:max(1px,25.0%)" in strip
    lengths = dict.fromkeys(("before", "attention", "middle", "mlp", "after"), 1.0)
    assert "width:52.0px" in river(lengths, True, None)
    assert "width:26.0px" in river(lengths, True, 2.0)


def test_charts_take_their_ends_from_outside() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.standard_normal((2, 64))
    how = {"axis": "value", "count_axis": "n", "mode": "light"}
    ends = np.array([ends_of(3 * before), ends_of(after)])
    chart = before_and_after(before, after, **how, ends=ends)
    low, high = chart.layout.xaxis.range
    assert low < 3 * before.min() and high > 3 * before.max()
    assert before_and_after(before, after, **how).layout.xaxis.range is None
    how = {"axis": "x", "height_axis": "y", "hover": "", "mode": "light"}
    chart = gelu_curve(before, after, 0, **how, ends=(9.0, 12.0))
    assert (chart.data[0].x[0], chart.data[0].x[-1]) == (-9, 12)
    chart = gelu_curve(before, after, 0, **how)
    assert (-chart.data[0].x[0], chart.data[0].x[-1]) == gelu_ends(before)
    how = {"axis": "", "block_axis": "", "hover": "", "reference": (1.0, "even"), "mode": "light"}
    dots = by_block(np.array([[0.5, 2.0]]), (0, 0), **how, highest=10.0)
    assert dots.layout.yaxis.range[1] == pytest.approx(10.8)
    bars = pairs_chart(["a"], [4], 0, "", "light", 100)
    assert bars.layout.xaxis.range[1] == 125
