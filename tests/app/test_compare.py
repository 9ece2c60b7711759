"""Two halves of a page: each is the page of its own choice, and bad second choices are said."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from reading import html_of, parameter_of, refusals_of, state_of
from streamlit.testing.v1 import AppTest

from explainer.components.packing import unpack
from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.observation import limits
from explainer.observation.flaws import flaws
from explainer.observation.observe import observe
from explainer.shell import routes
from explainer.shell.compare import playing
from explainer.shell.compare.presets import InHand, presets
from explainer.shell.compare.wording import changes_in_words, differences, names_of
from explainer.state.choice import UNTRAINED, Choice
from explainer.state.edits import Edits, read_edits
from explainer.state.link import State, decode, encode
from explainer.state.place import Place
from explainer.state.second import compared_with, same_token, second
from vit_core import ViTConfig
from vit_core.interpret.heads import Head

TEXTS = load_texts("compare")
PATCH = 10  # that is followed, of A
DRAWN = ("bidi_component", "html", "latex", "plotly_chart", "arrow_table", "metric", "table")
SECONDS = {
    "another model": {"source": "fast"},
    "other sizes": {"source": "seed"},
    "untrained": {"source": UNTRAINED, "width": "16", "heads": "2", "depth": "2"},
    "another picture": {"digit": "3", "index": "5"},
    "other pictures": {"source": "cifar10", "sample": "2"},
}
# a half does not begin with colours from its own least to its own largest number, as a page does
OWN_SCALE = ('"stretched": true', '"stretched": false')
RECORDED = ("data",)  # parts with the same numbers for all models, which are drawn once


def key_of(block: Any) -> str:
    """Return the key of a container; empty for one without."""
    proto = getattr(block, "proto", None)
    found = re.search(r"[0-9a-f]{32}-(.*)$", getattr(proto, "id", "") or "")
    return found[1] if found else ""


def blocks_in(block: Any) -> Iterator[Any]:
    """Yield what is in a block; not what stands behind its "⋯", which is one for both halves."""
    for child in getattr(block, "children", {}).values():
        if not key_of(child).startswith("more-"):
            yield child
            yield from blocks_in(child)


def halves_of(app: AppTest, prefix: str) -> dict[str, list[str]]:
    """Return what each part draws in one half; of a page without halves with "part-"."""
    found = {}
    for block in blocks_in(app.main):
        key = key_of(block)
        if key.startswith(prefix) and not key.endswith("-lead"):
            found[key.removeprefix(prefix)] = [*drawn_in(block)]
    return found


def drawn_in(block: Any) -> Iterator[str]:
    """Yield what a block draws, without the keys that a half adds."""
    for element in blocks_in(block):
        if element.type not in DRAWN:
            continue
        proto = element.proto
        if element.type == "bidi_component":
            yield message(proto)
        else:
            yield f"{element.type} {without_keys(str(proto))}"


def message(proto: Any) -> str:
    if proto.bytes:
        header, arrays = unpack(proto.bytes)
        shown = {name: array.tobytes().hex() for name, array in arrays.items()}
        texts = json.dumps(header, sort_keys=True, default=str)
        return f"{proto.component_name} {without_keys(texts)} {shown}"
    return f"{proto.component_name} {without_keys(proto.json)}"


def without_keys(text: str) -> str:
    """Return a text without what only a half has: its ids, prefix, group, and films in step."""
    return re.sub(r'\$\$ID-[^"]*|\bid: .*|"(group|step)": "[^"]*"', "", text).replace('"b-', '"')


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("view", routes.PIPELINE)
@pytest.mark.parametrize("what", SECONDS)
def test_each_half_is_the_page_of_its_own_choice(
    open_page: Callable, monkeypatch: pytest.MonkeyPatch, view: str, what: str
) -> None:
    """But for the scales, which both halves share."""
    monkeypatch.setattr(limits, "measured", lambda *_: np.zeros(0))
    monkeypatch.setattr(limits, "larger", lambda *_: None)
    address, values = routes.address(view), SECONDS[what]
    pairs = "&".join(f"{name}={value}" for name, value in values.items())
    both = open_page(address, query=PATCH, b=pairs)
    assert not both.exception, both.exception[0].message
    config, other = config_of("default"), config_of(**values)
    alone = {
        "half-": open_page(address, query=PATCH),
        "b-half-": open_page(address, query=same_token(PATCH, config, other), **values),
    }
    for prefix, app in alone.items():
        halves, parts = halves_of(both, prefix), halves_of(app, "part-")
        assert halves and set(halves) == set(parts) - {"questions"}
        for name, shown in halves.items():
            if prefix == "b-half-" and name in RECORDED:
                assert not shown
                continue
            expected = [one.replace(*OWN_SCALE) for one in parts[name]]
            missing = [one[:300] for one in shown if one not in expected]
            assert not missing, f"{name} of {prefix}"
            assert len(shown) >= len(expected) - 2  # the verdicts of its question stand above


def config_of(source: str = "default", **values: str) -> ViTConfig:
    if source != UNTRAINED:
        return load.load_source(source).model.config
    return State(
        **{name: int(value) for name, value in values.items()}  # type: ignore[arg-type]
    ).shaped


@pytest.mark.usefixtures("shipped")
def test_an_edited_half_is_the_edited_pass_and_says_so(open_page: Callable) -> None:
    app = open_page("classification-head", b="edits=x9_n_h0.1")
    words = " ".join(html for html in [html_of(app)])
    assert "Head 2 of block 1 is off" in words and "All positions are replaced by zeros" in words
    assert "9 px to the right" in words
    seen = observe(Choice("default", config_of(), 0, 7, 0, edits=read_edits("x9_n_h0.1")))
    (bars,) = [
        one for one in halves_of(app, "b-half-")["softmax"] if "class-bars" in one or "bars" in one
    ][:1]
    assert f"{100 * seen.probabilities.max():.0f}"[:1] in bars


BAD = {
    "a run that was deleted": ("source=run&run=run-that-is-gone", "There is no run"),
    "no run": ("source=run&run=", "does not say which run"),
    "a model that nobody has": ("source=pretrained&pretrained=local/nothing", "cannot be shown"),
    "an unreadable text": ("source=nothing", "allowed is"),
    "another parameter": ("query=3", "allowed is"),
    "markup": ("<b>", "allowed is"),
}


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("what", BAD)
def test_a_bad_second_choice_is_said_and_the_first_is_shown(open_page: Callable, what: str) -> None:
    text, sentence = BAD[what]
    app = open_page("patches", b=text)
    assert not app.exception
    assert sentence in refusals_of(app)
    assert refusals_of(app).count("<p>") == 1
    assert not state_of(app).b and parameter_of(app, "b") is None
    assert not halves_of(app, "b-half-")
    assert "<b>" not in refusals_of(app)


NARROWED = {
    "a digit that is not there": ("digit=3&index=9999", "no_picture", "index=1009"),
    "a sample that is not there": ("source=cifar10&sample=99", "no_picture", "sample=9"),
    "a picture that is none": ("picture=AAAA", "no_picture", ""),
    "a photograph that is gone": ("source=cifar10&photo=" + 16 * "a", "no_picture", "cifar10"),
    "heads that are not there": ("edits=h0.1_h9.9", "no_such_change", "edits=h0.1"),
    "a patch left out": ("edits=d3", "no_gaps", "edits=m3"),
}


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("what", NARROWED)
def test_what_the_second_half_lacks_is_replaced_and_said(open_page: Callable, what: str) -> None:
    text, sentence, nearest = NARROWED[what]
    app = open_page("patches", b=text)
    assert not app.exception
    assert TEXTS[sentence].split(".")[0] in refusals_of(app).replace("&#x27;", "'")
    assert nearest in state_of(app).b
    assert len(app.run().get("html")) and refusals_of(app).count("<p>") == 1  # it is said once


def test_an_epoch_that_is_not_there_is_replaced_by_the_nearest(
    shipped, open_page: Callable, make_run: Callable
) -> None:
    run = make_run()
    app = open_page("patches", b=f"source=run&run={run.id}&epoch=7")
    assert "Epoch 2 is shown instead" in refusals_of(app) and "In the second half" in html_of(app)
    assert "epoch=2" in state_of(app).b and halves_of(app, "b-half-")


@pytest.mark.usefixtures("shipped")
def test_two_halves_that_are_the_same_are_one_and_it_is_said(open_page: Callable) -> None:
    app = open_page("patches", digit="3", b="digit=3")
    assert TEXTS["same"] in html_of(app)
    assert not halves_of(app, "b-half-") and halves_of(app, "part-")
    app.button(key="end-compare").click().run()
    assert not state_of(app).b and TEXTS["same"] not in html_of(app)


@pytest.mark.usefixtures("shipped")
def test_halves_are_swapped_and_ended(open_page: Callable) -> None:
    app = open_page("patches", b="source=fast&digit=3")
    assert "Fast, trained" in html_of(app)
    app.button(key="swap").click().run()
    now = state_of(app)
    assert (now.source, now.digit) == ("fast", 3)
    assert (second(now).source, second(now).digit) == ("default", 7)
    app.button(key="end-compare").click().run()
    assert state_of(app).b == "" and state_of(app).source == "fast"
    edited = open_page("patches", b="edits=n")
    assert [one.key for one in edited.button if one.key == "swap"] == []


@pytest.mark.usefixtures("shipped")
def test_a_choice_in_the_second_half_is_one_of_the_same_patch(
    open_page: Callable, click_in: Callable
) -> None:
    """Token 5 of 16 patches without a class token is token 17 of 49 patches behind one."""
    app = open_page("self-attention", b="source=fast")
    app = click_in(app, "b-asking", {"choice": {"query": 5}})
    fast, default = config_of("fast"), config_of()
    assert state_of(app).query == same_token(5, fast, default) == 17
    assert same_token(17, default, fast) == 5
    assert state_of(app).b == "source=fast"


@pytest.mark.usefixtures("shipped")
def test_a_picture_chosen_in_the_second_half_is_that_of_the_second_half(
    open_page: Callable,
) -> None:
    app = open_page("classification-head", b="source=fast")
    app.session_state["b-fold-wrong"] = True
    app.run()
    looks = [one for one in app.button if one.key.startswith("b-head-mistake-")]
    before = state_of(app)
    looks[0].click().run()
    assert state_of(app).index == before.index and state_of(app).digit == before.digit
    assert second(state_of(app)) != second(before)


@pytest.mark.usefixtures("shipped")
def test_a_model_without_classes_has_no_half_on_the_page_of_the_head(
    open_page: Callable, monkeypatch: pytest.MonkeyPatch, checkpoints
) -> None:
    from vit_core import build, save_checkpoint
    from vit_core.data import mnist_info

    bare = replace(ViTConfig(patch_size=7, embed_dim=16, depth=1, num_heads=1), num_classes=0)
    folder = checkpoints.parent / "bare"
    folder.mkdir(exist_ok=True)
    for path in checkpoints.glob("*.safetensors"):
        (folder / path.name).write_bytes(path.read_bytes())
    save_checkpoint(
        build(bare), folder / "fast.safetensors", data=replace(mnist_info(), class_names=())
    )
    monkeypatch.setattr(load, "SHIPPED_DIR", folder)
    load.models.clear()
    app = open_page("classification-head", b="source=fast")
    assert TEXTS["other_page"] in html_of(app) and not halves_of(app, "b-half-")
    app = open_page("multi-head", b="source=fast")
    assert halves_of(app, "b-half-")
    other = replace(bare, embed_dim=8, pool="mean")
    save_checkpoint(
        build(other), folder / "default.safetensors", data=replace(mnist_info(), class_names=())
    )
    load.models.clear()
    app = open_page("classification-head", b="source=fast")
    assert not app.exception and len(halves_of(app, "b-half-")) == 3
    load.models.clear()


# what is offered


def in_hand(source: str = "default", **values: Any) -> InHand:
    state = State(source=source, **values)
    loaded = None if source == UNTRAINED else load.load_source(source)
    config = loaded.model.config if loaded else state.shaped
    gallery = loaded.gallery if loaded else "digits"
    choice = Choice(source, config, state.seed, state.digit, state.index, gallery=gallery)
    return InHand(state, choice, observe(choice), Place.from_state(state, config))


@pytest.mark.parametrize("source", ["default", "fast", "seed", "cifar10", UNTRAINED])
def test_each_pair_that_is_offered_can_be_linked_to(source: str) -> None:
    """With the trained models that are shipped."""
    offered = presets(in_hand(source))
    pairs = [pair for group in offered.values() for pair in group]
    assert len(pairs) >= (5 if source == "cifar10" else 9)
    for pair in pairs:
        both = compared_with(pair.a, pair.b)
        assert both.b and second(both) == replace(pair.b, b="")
        assert len("&".join(encode(both).values())) < 300
        assert "{" not in pair.label


def test_the_pairs_are_what_they_say() -> None:
    offered = presets(in_hand())
    by_name = {pair.name: pair for group in offered.values() for pair in group}
    wrong = by_name["wrong"]
    answers = []
    for half in (wrong.a, wrong.b):
        config = load.load_source("default").model.config
        seen = observe(Choice("default", config, 0, half.digit, half.index))
        assert seen.label == wrong.a.digit
        answers.append(seen.prediction)
    assert answers[0] == wrong.a.digit != answers[1]
    assert f"read as {answers[1]}" in wrong.label
    pool, position = by_name["pool"], by_name["position"]
    kinds = [load.load_source(half.source).model.config for half in (pool.a, pool.b)]
    assert [one.pool for one in kinds] == ["cls", "mean"]
    kinds = [load.load_source(half.source).model.config for half in (position.a, position.b)]
    assert [one.pos_embed for one in kinds] == ["learned", "sincos"]
    assert by_name["epochs"].a.epoch == 0 and by_name["epochs"].b.epoch == 3
    assert by_name["head_off"].b.edits == "h0.0"
    assert (by_name["untrained"].a.source, by_name["untrained"].b.source) == (UNTRAINED, "default")
    shape = by_name["untrained"].a.shaped
    assert (shape.grid_size, shape.embed_dim, shape.depth) == ((7, 7), 64, 4)


def test_an_untrained_model_differs_in_its_positions_alone() -> None:
    offered = presets(in_hand(UNTRAINED, width=16, heads=2, depth=2))
    (pair,) = [one for one in offered["models"] if one.name == "position"]
    assert replace(pair.b, position="learned") == pair.a
    said = differences(pair.a.shaped, pair.b.shaped)
    assert "learned | sine and cosine" in said and said.count("|") == 1


def test_a_mistake_leaves_out_its_step_and_keeps_the_weights() -> None:
    plain = in_hand().choice
    for name, step in (
        ("no_residual", "residual"),
        ("no_layer_norm", "layer_norm"),
        ("no_scaling", "scale_scores"),
    ):
        choice = replace(plain, edits=Edits(mistake=name))
        assert not getattr(flaws(choice), step) and getattr(flaws(plain), step)
        sound, flawed = load.source_of(plain).model, load.source_of(choice).model
        assert flawed.head.weight is sound.head.weight
        assert TEXTS["edits"][name] in changes_in_words(choice)
        assert "not learned for this" in changes_in_words(choice)
    assert load.source_of(plain).model is sound and not flaws(plain)


def test_changes_are_named_in_their_order() -> None:
    config = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
    edits = Edits((Head(1, 0), Head(0, 1)), ((3, "mean"),), ((0, 1),), (-2, 1), -15, True)
    words = changes_in_words(Choice(UNTRAINED, config, 0, 7, 0, edits=edits))
    assert words == (
        "The picture is turned by 15° clockwise. The picture is moved 2 px to the left and 1 px "
        "down. Covered with the picture's mean colour: patch 1, 4. Patches change places: patch 1, "
        "1 with patch 1, 2. Head 2 of block 1 and head 1 of block 2 are off: they give zeros. All "
        "positions are replaced by zeros."
    )


@pytest.mark.usefixtures("shipped")
def test_home_links_to_the_untrained_model_beside_the_trained_one(open_page: Callable) -> None:
    app = open_page("home", digit="3")
    (link,) = [
        one.proto for one in app.get("page_link") if one.proto.label == TEXTS["with_untrained"]
    ]
    asked = decode(dict(parse_qsl(link.query_string)))
    assert (asked.source, asked.digit) == (UNTRAINED, 3)
    assert second(asked).source == "default"
    app = open_page("home", source="cifar10")
    assert TEXTS["with_untrained"] not in [one.proto.label for one in app.get("page_link")]


def test_halves_are_called_by_what_they_differ_in() -> None:
    one = Choice("default", ViTConfig(), 0, 3, 0)
    other = replace(one, source="fast")
    picture = replace(one, index=39)
    assert names_of(one, other) == ("Default, trained", "Fast, trained")
    assert [name.split(",")[1] for name in names_of(one, picture)] == [
        " number 0 of the test set",
        " number 39 of the test set",
    ]
    both = names_of(one, replace(other, index=39))
    assert both[1].startswith("Fast, trained") and "number 39" in both[1]
    assert names_of(one, replace(one, edits=Edits(no_position=True)))[0] == "Default, trained"


# epochs


def test_epochs_of_two_runs_move_in_step(make_run: Callable) -> None:
    one, other = make_run("run-of-half-a"), make_run("run-of-half-b", epochs=(0, 2))
    state = State(source="run", run=one.id, epoch=0)
    both = compared_with(state, replace(state, run=other.id))
    seen = []
    while playing.goes_on(both):
        both = playing.moved_on(both)
        seen.append((both.epoch, second(both).epoch))
    assert seen == [(1, 2), (2, 2)]
    again = playing.from_the_start(both)
    assert (again.epoch, second(again).epoch) == (0, 0)


def test_the_last_epoch_stays_while_its_own_run_is_played(make_run: Callable) -> None:
    run = make_run("run-of-both")
    state = State(source="run", run=run.id, epoch=0)
    both = compared_with(state, replace(state, epoch=2))
    both = playing.moved_on(both)
    assert (both.epoch, second(both).epoch) == (1, 2)
    last = playing.moved_on(both)
    assert (last.epoch, second(last).epoch) == (2, 2)
    again = playing.from_the_start(last)
    assert (again.epoch, second(again).epoch) == (0, 2)


def test_a_run_in_the_second_half_is_played_alone(make_run: Callable) -> None:
    run = make_run("run-of-half-b")
    both = compared_with(State(), State(source="run", run=run.id, epoch=1))
    both = playing.moved_on(both)
    assert both.source == "default" and second(both).epoch == 2
    assert not playing.goes_on(both)


def test_the_bar_moves_and_plays_the_epochs_of_the_second_half(
    shipped, open_page: Callable, make_run: Callable
) -> None:
    run = make_run()
    app = open_page("patches", b=f"source=run&run={run.id}&epoch=0")
    app.select_slider(key="b-epoch").set_value(1).run()
    assert second(state_of(app)).epoch == 1 and state_of(app).epoch is None
    app.button(key="b-play-epochs").click().run()
    assert not app.exception


# tokens that stand for the same


def test_a_patch_is_the_nearest_in_another_grid() -> None:
    fine = ViTConfig(patch_size=4, embed_dim=16)
    coarse = ViTConfig(patch_size=7, embed_dim=16, pool="mean", num_registers=2)
    assert same_token(0, fine, coarse) is None
    assert same_token(1, fine, coarse) == 2  # the first patch, behind two registers
    assert same_token(49, fine, coarse) == 2 + 15
    assert same_token(0, coarse, fine) is None and same_token(1, coarse, coarse) == 1
    for token in range(2, 18):
        back = same_token(token, coarse, fine)
        assert back is not None and same_token(back, fine, coarse) == token
