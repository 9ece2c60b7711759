"""Two halves of the story: what the browser gets of each, their names, and links that are wrong."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from reading import choice_and_observation, parameter_of, refusals_of
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer.components.packing import unpack
from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.observation import observe
from explainer.shell.story.packed import pack_story
from explainer.state.edits import Edits
from explainer.views.story.compared import header_of, names_of
from vit_core.interpret.heads import Head

DIGIT = {"source": "default", "digit": 3, "index": 2}
SECONDS = {
    "another model": {"source": "fast"},
    "untrained": {"source": "untrained", "patches": 4, "seed": 5},
    "another picture": {"digit": 5, "index": 1},
    "another model and picture": {"source": "seed", "digit": 1},
    "colour": {"source": "cifar10"},
}
EDITED = {
    "h1.2_h3.0": Edits(heads_off=(Head(1, 2), Head(3, 0))),
    "n": Edits(no_position=True),
    "x2_m24_s3.4": Edits(move=(2, 0), cover=((24, "mean"),), swaps=((3, 4),)),
    "r": Edits(mistake="no_residual"),
}


def sent(app: AppTest, find_component: Callable[..., Any]) -> bytes:
    """Return what the browser was sent of one half or of two."""
    assert not app.exception, app.exception[0].message
    return bytes(find_component(app, "story").bytes)


def told(app: AppTest, find_component: Callable[..., Any]) -> dict[str, Any]:
    """Return what the browser was told beside the numbers."""
    return json.loads(find_component(app, "selection").json)


def any_of(value: Any) -> bool:
    """Return whether an edit changes anything."""
    return any(value) if isinstance(value, list) else bool(value)


@pytest.mark.parametrize("values", SECONDS.values(), ids=SECONDS)
def test_each_half_has_the_numbers_of_the_story_of_it_alone(
    shipped: Path,
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
    values: dict[str, Any],
):
    both = sent(open_page("story", **DIGIT, b=urlencode(values)), find_component)
    header, halves = unpack(both)
    assert halves["a"].tobytes() == sent(open_page("story", **DIGIT), find_component)
    alone = sent(open_page("story", **DIGIT | values), find_component)
    assert halves["b"].tobytes() == alone
    compared = header["compared"]
    assert compared["changed"] == "" and not any(map(any_of, compared["edits"].values()))
    is_other = "digit" in values or values.get("source") == "cifar10"
    assert compared["one_picture"] == (not is_other)


@pytest.mark.parametrize("text", EDITED)
def test_a_half_with_changes_has_the_numbers_of_the_changed_pass(
    shipped: Path,
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
    text: str,
):
    edits = EDITED[text]
    page = open_page("story", **DIGIT, b=urlencode({"edits": text}))
    header, halves = unpack(sent(page, find_component))
    first, _ = choice_and_observation("default")
    second = replace(first, digit=3, index=2, edits=edits)
    seen = observe.observe(second)
    assert halves["b"].tobytes() == pack_story(second, seen)
    other, arrays = unpack(halves["b"].tobytes())
    for name in ("patches", "tokens", "blocks.3.resid_post", "blocks.1.attn.pattern", "logits"):
        np.testing.assert_array_equal(arrays[name], seen.tensors.get(name, seen.logits))
    compared = header["compared"]
    assert compared["changed"] and compared["one_picture"]
    sent_edits = compared["edits"]
    assert sent_edits["headsOff"] == [list(head) for head in edits.heads_off]
    assert sent_edits["cover"] == {str(patch): how for patch, how in edits.cover}
    assert (sent_edits["move"], sent_edits["turn"]) == (list(edits.move), edits.turn)
    assert sent_edits["swaps"] == [list(pair) for pair in edits.swaps]
    assert other["position"] == ("none" if edits.no_position else "learned")


def test_the_browser_gets_both_models_to_run(
    shipped: Path, open_page: Callable[..., AppTest], find_component: Callable[..., Any]
):
    page = open_page("story", **DIGIT, b=urlencode({"source": "fast"}))
    choice = told(page, find_component)
    assert choice["live"]["hash"] != choice["other_live"]["hash"]
    page = open_page("story", **DIGIT)
    assert told(page, find_component)["other_live"] is None


@pytest.mark.parametrize(
    "b", ["nonsense", "source=nobody", "digit=3&digit=4", "screen=4", "edits=h99", "a" * 5_000]
)
def test_a_link_that_compares_with_nothing_shows_one_story_and_says_so(
    shipped: Path, open_page: Callable[..., AppTest], find_component: Callable[..., Any], b: str
):
    page = open_page("story", **DIGIT, b=b, screen=4)
    header, _ = unpack(sent(page, find_component))
    assert "compared" not in header and header["is_digits"]
    assert parameter_of(page, "b") is None and parameter_of(page, "screen") == "4"
    assert refusals_of(page).count("<p>") == 1


def test_changes_that_the_second_model_lacks_are_left_out(
    shipped: Path, open_page: Callable[..., AppTest], find_component: Callable[..., Any]
):
    page = open_page("story", **DIGIT, b=urlencode({"edits": "h0.1_h40.3"}))
    header, _ = unpack(sent(page, find_component))
    assert header["compared"]["edits"]["headsOff"] == [[0, 1]]


def test_a_half_is_called_by_what_is_unlike_the_other():
    first, _ = choice_and_observation("default")
    model = replace(first, source="fast")
    picture = replace(first, digit=(first.digit + 1) % 10)
    assert names_of(first, model) == ("Default, trained", "Fast, trained")
    one, two = names_of(first, picture)
    assert "digit" in one and "digit" in two and one != two and "Default" not in one
    one, two = names_of(first, replace(picture, source="fast"))
    assert one.startswith("Default") and two.startswith("Fast") and "digit" in two
    edited = replace(first, edits=Edits(no_position=True))
    assert names_of(first, edited) == ("Default, trained",) * 2
    assert header_of(first, edited)["changed"]


@pytest.mark.parametrize("name", UNLIKE)
def test_unlike_models_can_be_compared(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
    name: str,
):
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    put(tmp_path, UNLIKE["LayerScale"])
    put(tmp_path, UNLIKE[name], name="fast")
    page = open_page("story", b=urlencode({"source": "fast"}))
    header, halves = unpack(sent(page, find_component))
    for half in halves.values():
        own, _ = unpack(half.tobytes())
        lines = [screen["half"] for screen in own["screens"] if "half" in screen]
        values = own["facts"] | {"answer": "7", "block": 1}
        assert all("{" not in line.format(**values) for line in lines)
    assert header["compared"]["a"] != header["compared"]["b"]


def test_every_reason_and_every_button_of_a_comparison_has_a_text():
    frame = load_texts("story")["frame"]
    source = (Path(load.__file__).parents[2] / "components/story/difference.js").read_text()
    for name in ("unlike_patches", "unlike_width", "unlike_names", "no_such_head"):
        assert name in frame and name in source
    assert {f"view_{name}" for name in ("both", "a", "b", "difference")} <= frame.keys()


def test_home_offers_pairs_which_the_story_shows(
    shipped: Path, open_page: Callable[..., AppTest], find_component: Callable[..., Any]
):
    home = open_page("home", **DIGIT)
    assert not home.exception
    popovers = [block.proto.popover.label for block in home.get("popover")]
    assert load_texts("compare")["open"] in popovers
    compared = open_page("home", **DIGIT, b=urlencode({"source": "fast"}))
    links = {link.proto.label: link.proto for link in compared.get("page_link")}
    both = links[load_texts("home")["both_in_story"]]
    assert "b=" in both.query_string and both.page == "story"
    compared.button(key="end-compare").click().run()
    assert parameter_of(compared, "b") is None and parameter_of(compared, "digit") == "3"
