"""The maps that the story shows and tests: what is packed for unlike models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import choice_and_observation
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer.components.packing import unpack
from explainer.inputs.models import load
from explainer.observation.look.attributions import attribution
from explainer.shell.story import claims
from explainer.shell.story.claims import ASKING, INK, claims_of, first_claim
from vit_core.interpret import METHODS


@pytest.mark.parametrize("name", UNLIKE)
def test_every_model_has_maps_of_its_patches(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
    name: str,
):
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    put(tmp_path, UNLIKE[name])
    header, arrays = unpack(find_component(open_page("story"), "story").bytes)
    patches = UNLIKE[name].config.num_patches
    assert {"rollout", INK} <= set(header["claims"])
    for method in header["claims"]:
        values = arrays[f"claim_{method}"]
        assert values.shape == (patches,) and np.isfinite(values).all()
        assert f"method_{method}" in header["frame"]
    assert header["facts"]["map"] == header["frame"][f"method_{header['claims'][0]}"]
    texts = {screen["name"]: screen["text"] for screen in header["screens"]}
    assert ("only one patch" in texts["where"]) == ("only one patch" in texts["truth"])
    assert ("only one patch" in texts["where"]) == (patches == 1)


def test_the_maps_are_those_of_the_page_and_of_the_answer(shipped: Path):
    choice, seen = choice_and_observation("fast")
    found = claims_of(choice, seen)
    assert list(found) == [name for name in (*ASKING, INK) if name in METHODS]
    for name, values in found.items():
        np.testing.assert_array_equal(values, attribution(choice, seen.prediction, name).patches)
    assert first_claim(found) in ASKING and first_claim({}) == INK


def test_of_a_large_model_no_map_that_needs_gradients_is_waited_for(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
):
    choice, seen = choice_and_observation("fast")
    monkeypatch.setattr(claims, "is_large", lambda _: True)
    assert list(claims_of(choice, seen)) == ["rollout", INK]
