"""Every page with two halves and all its folds open, the difference too: it states what holds."""

from collections.abc import Callable

import pytest
from reading import sent_to, unfold
from stated import stated, wrong_in

from explainer.components.packing import unpack
from explainer.shell import routes
from explainer.state.link import write_pairs

PAIRS = {
    "edits": {"edits": "h0.0_m3_s1.2_n"},
    "a step left out": {"edits": "r_h0.1"},
    "another picture": {"index": "3"},
    "other shapes": {"source": "fast"},
    "other pictures": {"source": "cifar10"},
    "another seed": {"source": "untrained", "seed": "2", "patches": "4", "heads": "2"},
}


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("view", routes.PIPELINE)
@pytest.mark.parametrize("pair", PAIRS)
def test_both_halves_and_their_difference_state_what_holds(
    open_page: Callable, pair: str, view: str
) -> None:
    app = open_page(routes.address(view), source="default", b=write_pairs(PAIRS[pair]))
    assert not app.exception, app.exception[0].message
    unfold(app)
    wrong, _ = wrong_in(stated(app))
    assert not wrong
    said = " ".join(stated(app))
    assert "more than rounding" not in said
    assert "nan" not in said.split()
    assert "B − A" in " ".join(one.label for one in app.expander)


@pytest.mark.usefixtures("shipped")
def test_a_difference_is_that_of_what_both_halves_send(open_page: Callable) -> None:
    app = unfold(open_page("self-attention", source="default", b=write_pairs(PAIRS["edits"])))
    sent: dict[str, dict] = {}
    for proto in sent_to(app, "matrices"):
        header, arrays = unpack(proto.bytes)
        sent[header["channel"]] = arrays
    assert {"strip", "b-strip", "difference-strip"} <= set(sent)
    for name, values in sent["difference-strip"].items():
        change = sent["b-strip"][name].astype(float) - sent["strip"][name]
        assert abs(values - change).max() <= 1e-5 * max(1.0, abs(change).max())
    assert "z" in sent["difference-strip"]  # the head is off in B
