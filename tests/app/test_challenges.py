"""The searches of the challenges are the core's, and what is said of them is so."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from reading import choice_and_observation
from unlike import UNLIKE, put

from explainer.content import load_texts
from explainer.content.numbers import precise_percent
from explainer.inputs.models import load
from explainer.inputs.models.load import source_of
from explainer.inputs.pictures.edited import mean_levels
from explainer.observation import challenges as core
from explainer.observation.challenges import (
    FEW,
    HEAD,
    KEEP,
    TARGET,
    affordable_passes,
    challenges,
    cover_value,
    few_patches,
    looks,
    one_head,
    targets_of,
)
from explainer.observation.live_answer import edited_pass
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.edits import Edits
from explainer.views.fool.bounds import bound
from explainer.views.fool.packed import way_of
from vit_core.interpret.fewest import Found, fewest_to_change, fewest_to_keep

TEXTS = load_texts("fool")


@pytest.fixture(autouse=True)
def short_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search asks at most 300 times; results of longer ones are not what is tested here."""
    monkeypatch.setattr(core, "MOST_PASSES", 300)
    st.cache_resource.clear()


@pytest.fixture
def unlike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Choice, Observation]]:
    """Return what puts one of the unlike models where the default one is, and observes it."""
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)

    def make(name: str) -> tuple[Choice, Observation]:
        put(tmp_path, UNLIKE[name])
        return choice_and_observation("default")

    return make


def answer_to(choice: Choice, seen: Observation, edits: Edits) -> tuple[int, float]:
    """Return the class that a model answers to a picture with edits, and its share."""
    shares = edited_pass(source_of(choice), seen.pixels, edits, ["logits"])["logits"].softmax(0)
    return int(shares.argmax()), float(shares.max())


def hidden(patches: list[int], choice: Choice, is_kept: bool) -> Edits:
    count = choice.config.num_patches
    covered = [p for p in range(count) if (p not in patches) is is_kept]
    return Edits(cover=tuple((patch, way_of(choice)) for patch in covered))


def ask(choice: Choice, seen: Observation, name: str) -> dict[str, Any]:
    while True:
        answer = bound(choice, seen, {"id": "one", "challenge": name})
        assert answer is not None
        if not answer.get("is_searching"):
            return answer
        sleep(0.01)


@pytest.mark.parametrize("source", ["fast", "default"])
@pytest.mark.parametrize("name", [FEW, TARGET, KEEP])
def test_a_bound_is_that_of_the_core(source: str, name: str) -> None:
    choice, seen = choice_and_observation(source)
    way = way_of(choice)
    few = few_patches(choice, seen, name, way)
    assert few is not None
    level = mean_levels(seen.pixels) if way == "mean" else 0
    pixels = np.broadcast_to(np.asarray(level, np.uint8), seen.pixels.shape)
    images = source_of(choice).batch(seen.pixels)
    value = source_of(choice).batch(pixels.copy())[0, :, 0, 0]
    torch.testing.assert_close(cover_value(choice, seen, way), value)
    model, passes = source_of(choice).model, affordable_passes(choice)
    if name == KEEP:
        expected = fewest_to_keep(model, images, value, most_passes=passes)
    else:
        expected = fewest_to_change(model, images, value, few.target, most_passes=passes)
    assert (few.target is None) is (name != TARGET)
    assert few.target is None or few.target in targets_of(seen)
    assert few.found == expected, "on trained models all three can be had"
    solution = ask(choice, seen, name)["solution"]
    assert (solution is not None) is expected.found
    if solution:
        now, _ = answer_to(choice, seen, hidden(solution["patches"], choice, name == KEEP))
        wanted = {FEW: now != seen.prediction, TARGET: now == few.target}
        assert wanted.get(name, now == seen.prediction)


@pytest.mark.parametrize("source", ["fast", "default"])
@pytest.mark.parametrize("name", [FEW, TARGET, KEEP])
def test_what_is_said_of_attention_holds(source: str, name: str) -> None:
    choice, seen = choice_and_observation(source)
    told, few = ask(choice, seen, name), few_patches(choice, seen, name, way_of(choice))
    assert few is not None
    found = told["solution"] and told["solution"]["patches"]
    if not found:
        pytest.skip("nothing was found, so nothing is said")
    most = np.argsort(-looks(seen), kind="stable")[: len(found)].tolist()
    shared = len({*found} & {*most})
    said = " ".join(told["teaches"])
    if len(found) > 1:
        count = {0: "none is", 1: "one is"}.get(shared, f"{shared} are")
        assert f"Of the {len(found)} patches" in said and f", {count} among them." in said
    if shared < len(found):
        now, share = answer_to(choice, seen, hidden(most, choice, name == KEEP))
        assert f"it says {seen.class_names[now]}, {precise_percent(share)}." in said
        reached = {FEW: now != seen.prediction, TARGET: now == few.target}
        does_it = reached.get(name, now == seen.prediction)
        assert (TEXTS["teaches"]["not_attention"] in said) is not does_it


def test_the_looks_are_the_means_of_the_last_block() -> None:
    for source in ("fast", "seed"):
        choice, seen = choice_and_observation(source)
        config = choice.config
        pattern = seen.tensors[f"blocks.{config.depth - 1}.attn.pattern"].mean(axis=0)
        prefix = config.num_prefix_tokens
        rows = pattern[:1] if config.pool == "cls" else pattern[prefix:]
        np.testing.assert_allclose(looks(seen), rows.mean(axis=0)[prefix:], rtol=1e-6)


def test_the_one_head_takes_away_most() -> None:
    choice, seen = choice_and_observation("fast")
    best = one_head(choice, seen)
    assert best is not None and best.tried == choice.config.depth * choice.config.num_heads
    left = {}
    for block in range(choice.config.depth):
        for head in range(choice.config.num_heads):
            edits = Edits(heads_off=((block, head),))
            logits = edited_pass(source_of(choice), seen.pixels, edits, ["logits"])["logits"]
            left[block, head] = float(logits.softmax(0)[seen.prediction])
    assert left[tuple(best.head)] == pytest.approx(min(left.values()), abs=1e-5)
    assert best.after == pytest.approx(left[tuple(best.head)], abs=1e-5)
    assert best.focused_after == pytest.approx(left[tuple(best.focused)], abs=1e-5)
    told = ask(choice, seen, HEAD)
    assert told["solution"] == {"head": list(best.head)}
    assert f"{precise_percent(best.before)} to {precise_percent(best.after)}" in told["compared"]


def quickly(look_for: Callable[..., Found], passes: int) -> Found:
    """Search without trying all sets, which takes long for dozens of models."""
    return look_for(exact_up_to=0, most_passes=60)


@pytest.mark.parametrize("name", UNLIKE)
def test_every_model_has_the_challenges_that_it_can_have(
    unlike: Callable[[str], tuple[Choice, Observation]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    choice, seen = unlike(name)
    monkeypatch.setattr(core, "found_by", quickly)
    config = choice.config
    offered = challenges(seen)
    about_patches = config.num_patches > 1 and config.num_classes > 1
    assert (FEW in offered) is about_patches
    assert (HEAD in offered) is (config.depth * config.num_heads > 1)
    for one in offered:
        told = ask(choice, seen, one)
        said = " ".join([told["limit"], told.get("compared", ""), *told.get("teaches", [])])
        assert "{" not in said and "}" not in said
        assert not re.search(r"\bnan\b", said)
        assert told["solution"] is None or told["teaches"] or not told["solution"]["patches"]


def test_a_model_that_is_too_large_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    choice, seen = choice_and_observation("fast")
    monkeypatch.setattr(core, "MOST_WORK", 1e6)
    monkeypatch.setattr(core, "effects_are_cheap", lambda choice: False)
    for name in challenges(seen):
        told = ask(choice, seen, name)
        assert told["solution"] is None and told["limit"] == TEXTS["challenge"]["too_large"]


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "few",
        {},
        {"id": "one"},
        {"id": 1, "challenge": FEW},
        {"id": "x" * 99, "challenge": FEW},
        {"id": "one", "challenge": "other"},
        {"id": "one", "challenge": ["few"]},
    ],
)
def test_a_browser_may_ask_anything(sent: object) -> None:
    choice, seen = choice_and_observation("fast")
    assert bound(choice, seen, sent) is None


def test_each_variant_of_what_is_known_is_said() -> None:
    from explainer.views.fool.bounds import known

    choice, seen = choice_and_observation("default")
    few = few_patches(choice, seen, FEW, "black")
    assert few is not None
    texts = TEXTS["bound"]

    def said(count: int, is_exact: bool, excluded: int) -> str:
        found = replace(
            few.found, patches=tuple(range(count)), is_exact=is_exact, excluded=excluded
        )
        return known(replace(few, found=found), seen, texts)

    assert said(1, True, 0) == ""
    assert said(2, True, 1) == "No single patch does it: all 49 were tried."
    assert said(4, True, 3) == texts["exact"]
    assert said(4, False, 0) == texts["greedy"]
    assert said(4, False, 1).startswith("No single patch does it: all 49 were tried.")
    assert "up to 2 patches" in said(4, False, 2)
