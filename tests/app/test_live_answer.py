"""The server's answer to a pen, for models that are too large for a browser."""

import base64
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from explainer.inputs.models.load import Source, source_of
from explainer.observation.live_answer import answer, edited_pass, read_edits
from explainer.state.choice import UNTRAINED, Choice
from explainer.state.edits import Edits
from vit_core import ViTConfig, trace
from vit_core.interpret.heads import switch_heads_off
from vit_core.interpret.position import shuffle_patches

CONFIG = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2, num_registers=1)
CHOICE = Choice(UNTRAINED, CONFIG, seed=3, digit=0, index=0)
PIXELS = np.random.default_rng(0).integers(256, size=(28, 28), dtype=np.uint8)
ORDER = [5, 14, 3, 0, 9, 12, 1, 15, 2, 7, 10, 4, 11, 6, 13, 8]


def question(pixels: np.ndarray = PIXELS, edits: object = None) -> dict[str, object]:
    return {"id": "a-1", "pixels": base64.b64encode(pixels.tobytes()).decode(), "edits": edits}


def tensors_of(answered: dict[str, str] | None) -> dict[str, torch.Tensor]:
    assert answered is not None and answered["id"] == "a-1"
    return safetensors.torch.load(base64.b64decode(answered["tensors"]))


def model() -> Source:
    return source_of(CHOICE)


def test_the_answer_is_the_trace() -> None:
    found = tensors_of(answer(CHOICE, question()))
    expected = trace(model().model, model().batch(PIXELS))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        is_exact = name in ("pooled", "logits")
        assert torch.equal(found[name], tensor[0] if is_exact else tensor[0].half()), name


def test_what_half_precision_cannot_hold_becomes_its_largest_number() -> None:
    wild = Source(model().model, replace(model().info, std=(1e-6,)), None)
    assert edited_pass(wild, PIXELS, Edits())["patches"].max() > 65_504
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("explainer.observation.live_answer.source_of", lambda _: wild)
        found = tensors_of(answer(CHOICE, question(), ["patches"]))["patches"]
    assert found.max() == 65_504


def test_only_the_tensors_that_are_drawn_travel() -> None:
    names = ["logits", "blocks.1.attn.pattern"]
    assert sorted(tensors_of(answer(CHOICE, question(), names))) == sorted(names)


def test_the_mean_of_heads_is_a_pattern_of_one_head() -> None:
    name = "blocks.1.attn.pattern"
    each = trace(model().model, model().batch(PIXELS))[name][0]
    found = tensors_of(answer(CHOICE, question(), [name], mean_heads=True))[name]
    assert torch.equal(found, each.mean(dim=0, keepdim=True).half())


def test_a_colour_picture_is_read_pixel_by_pixel() -> None:
    config = replace(CONFIG, in_channels=3, image_size=(14, 14))
    choice = replace(CHOICE, config=config)
    pixels = np.random.default_rng(1).integers(256, size=(14, 14, 3), dtype=np.uint8)
    source = source_of(choice)
    # the untrained model's own data are digits
    info = replace(source.info, mean=(0.1, 0.2, 0.3), std=(0.3, 0.2, 0.1))
    found = edited_pass(replace(source, info=info), pixels, Edits())["patches"]
    wanted = (pixels[:7, :7, 2] / 255 - 0.3) / 0.1
    np.testing.assert_allclose(found[0, -49:], wanted.reshape(-1), atol=1e-6)


def test_edits_do_what_they_say() -> None:
    source, images = model(), model().batch(PIXELS)

    def passed(edits: object) -> dict[str, torch.Tensor]:
        return tensors_of(answer(CHOICE, question(edits=edits)))

    off = trace(source.model, images, switch_heads_off(CONFIG, [(0, 1)]))
    assert torch.equal(passed({"headsOff": [[0, 1]]})["logits"], off["logits"][0])
    shuffled = trace(source.model, shuffle_patches(images, (7, 7), torch.tensor(ORDER)))
    assert torch.equal(passed({"order": ORDER})["logits"], shuffled["logits"][0])
    assert not passed({"noPosition": True})["pos_embed"].any()

    plain = passed({})["patches"]
    black = passed({"cover": {"6": "black"}})["patches"]
    assert torch.equal(black[6], model().batch(PIXELS * 0).min().half().expand(49))
    assert torch.equal(black[:6], plain[:6])
    mean = passed({"cover": {"6": "mean"}})["patches"]
    level = np.uint8(np.floor(PIXELS.mean() + 0.5))
    flat = model().batch(np.full_like(PIXELS, level)).half()[0, 0, 0, 0]
    assert torch.equal(mean[6], flat.expand(49)) and torch.equal(mean[7], plain[7])

    dropped = passed({"cover": {"6": "drop"}})
    assert dropped["patches"].shape == (16, 49) and dropped["embed"].shape == (17, 16)
    torch.testing.assert_close(dropped["embed"][8:], passed({})["embed"][9:])
    both = passed({"cover": {"14": "drop"}, "order": ORDER})
    in_order = passed({"order": ORDER})["embed"]
    torch.testing.assert_close(both["embed"][3:], in_order[4:])  # patch 14 stood at place 1


WRONG = {
    "headsOff": [
        {"headsOff": 3},
        {"headsOff": [3]},
        {"headsOff": [[0]]},
        {"headsOff": [[0, 5]]},
        {"headsOff": [["0", True]]},
    ],
    "order": [{"order": "abc"}, {"order": [0, 1]}, {"order": [0] * 16}, {"order": [0.5] * 16}],
    "cover": [
        {"cover": {"16": "mean"}},
        {"cover": {"-1": "mean"}},
        {"cover": {"x": "mean"}},
        {"cover": {"1": "paint"}},
        {"cover": ["mean"]},
        {"cover": {"1": ["mean"]}},
        {"cover": {str(patch): "drop" for patch in range(16)}},
    ],
    "names": [{"heads": []}, "edits", [1]],
}


@pytest.mark.parametrize("edits", [one for many in WRONG.values() for one in many], ids=str)
def test_edits_that_do_not_fit_are_an_error_and_no_traceback(edits: object) -> None:
    answered = answer(CHOICE, question(edits=edits))
    assert answered is not None and answered.keys() == {"id", "error"}


@pytest.mark.parametrize("pixels", [None, "", "AAAA", "é" * 1048, "!" * 1048, 5])
def test_pixels_that_do_not_fit_are_an_error(pixels: object) -> None:
    answered = answer(CHOICE, question() | {"pixels": pixels})
    assert answered is not None and answered.keys() == {"id", "error"}


@pytest.mark.parametrize("sent", [None, 3, "a", [], {}, {"id": 3}, {"id": ""}, {"id": "a" * 41}])
def test_what_is_no_question_has_no_answer(sent: object) -> None:
    assert answer(CHOICE, sent) is None


def test_a_model_that_is_gone_is_an_error() -> None:
    answered = answer(replace(CHOICE, source="run:no@1"), question())
    assert answered is not None and "error" in answered


def test_no_edits_are_read_as_none() -> None:
    assert read_edits(None, CONFIG) == read_edits({}, CONFIG) == Edits()
