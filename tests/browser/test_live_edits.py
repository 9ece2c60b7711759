"""Edits are the same in the browser as in Python: texts, levels, tensors; and their undoing."""

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from live_page import LivePage, arrays_of, live_page
from playwright.sync_api import Browser
from test_live_pass import EVERYTHING, TINY, as_drawn, assert_equal, pixels_for, serve, source_of

from explainer.components import assets, live
from explainer.inputs.pictures.edited import edited
from explainer.observation.live_answer import edited_pass
from explainer.state.edits import LONGEST, Edits, read_edits, write_edits
from vit_core import ViTConfig
from vit_core.interpret.heads import Head

pytestmark = pytest.mark.browser

CODE = live.javascript() + assets.javascript(
    "shared/data", "story/trace", "stage/bars", "live/edit_text", "live/edit_pixels", "fool/steps",
    "fool/rules",
)  # fmt: skip
CONFIGS = {
    "digit, 4 x 4": TINY,
    "digit, 7 x 7": replace(TINY, patch_size=4),
    "colour, unlike sides": EVERYTHING,
    "one patch": replace(TINY, patch_size=28),
}
MODEL_OF = """
const shapeOf = ({ config }) => {
  const [height, width] = [config.image_size].flat().length === 2
    ? config.image_size : [config.image_size, config.image_size];
  const [high, wide] = [config.patch_size].flat().length === 2
    ? config.patch_size : [config.patch_size, config.patch_size];
  const [rows, columns] = [height / high, width / wide];
  const hasPosition = config.pos_embed !== "none";
  return { height, width, C: config.in_channels, rows, columns, P: rows * columns,
    depth: config.depth, H: config.num_heads, hasPosition };
};
"""


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[LivePage]:
    with live_page(browser, {}, CODE) as page:
        page.open()
        yield page


def random_edits(config: ViTConfig, seed: int, may_drop: bool = True) -> Edits:
    """Return changes of every kind that fit a model."""
    rng = random.Random(seed)
    count, (height, width) = config.num_patches, config.image_hw
    ways = ["mean", "black", "drop"] if may_drop and count > 1 else ["mean", "black"]
    some = rng.sample(range(count), rng.randint(0, min(count - 1, 5)) if count > 1 else 1)
    return Edits(
        heads_off=tuple(
            Head(rng.randrange(config.depth), rng.randrange(config.num_heads))
            for _ in range(rng.randint(0, 2))
        ),
        cover=tuple((patch, rng.choice(ways)) for patch in some),
        swaps=tuple((rng.randrange(count), rng.randrange(count)) for _ in range(rng.randint(0, 4))),
        move=(rng.randint(1 - width, width - 1), rng.randint(1 - height, height - 1))
        if rng.random() < 0.6
        else (0, 0),
        turn=5 * rng.randint(-35, 36) if rng.random() < 0.7 else 0,
        no_position=rng.random() < 0.3 and config.pos_embed != "none",
    )


def config_of(config: ViTConfig) -> dict[str, Any]:
    return json.loads(json.dumps(config.to_dict()))


# texts


def test_the_browser_reads_and_writes_the_texts_of_links_as_python_does(tab: LivePage) -> None:
    many = [random_edits(config, seed) for config in CONFIGS.values() for seed in range(40)]
    texts = [write_edits(edits) for edits in many]
    assert tab.run("return given.map((text) => writeEdits(readEdits(text)));", texts) == texts


READ = ["", "n", "t15", "t180", "x-2_y3", "h0.2", "m12", "k12_d1", "s3.7_s3.7", "s3.3", "h1.0_h0.1",
        "h0.1_h0.1", "t-175", "x-0", "m012", "t0"]  # fmt: skip
REFUSED = ["_", "t7", "t185", "t-180", "x1.5", "x1000", "h100.0", "h0", "m", "m-1", "m1_k1",
           "m1_m1", "n_n", "t5_t5", "x1_x1", "s1", "s1.2.3", "q1", " n", "n ", "N", "m1__n", "m１",
           "x+1", "h0.2\n", "<b>", "null", "m" + "1" * 2000, "_".join(["s1.2"] * 300)]  # fmt: skip


def test_the_browser_refuses_the_texts_that_python_refuses(tab: LivePage) -> None:
    said = tab.run(
        """return given.map((text) => {
          try { return writeEdits(readEdits(text)); } catch { return null; }
        });""",
        READ + REFUSED,
    )
    assert said[: len(READ)] == [write_edits(read_edits(text)) for text in READ]
    assert said[len(READ) :] == [None] * len(REFUSED)
    for text in REFUSED:
        with pytest.raises(ValueError):
            read_edits(text)
    assert max(map(len, REFUSED)) > LONGEST


@pytest.mark.parametrize("name", CONFIGS)
def test_the_browser_leaves_out_what_a_model_lacks_as_python_does(tab: LivePage, name: str) -> None:
    config = CONFIGS[name]
    larger = replace(TINY, patch_size=2, depth=5, num_heads=8)
    texts = [write_edits(random_edits(larger, seed)) for seed in range(40)]
    texts += ["_".join(f"d{patch}" for patch in range(config.num_patches)), "s0.0", "n", "x27_y19"]
    found = tab.run(
        MODEL_OF + "const shape = shapeOf(given);"
        "return given.texts.map((text) => writeEdits(fittingEdits(readEdits(text), shape)));",
        {"config": config_of(config), "texts": texts},
    )
    assert found == [write_edits(read_edits(text).fitting(config)) for text in texts]


# levels and tensors


@pytest.mark.parametrize("name", CONFIGS)
def test_the_browser_gives_the_same_levels(tab: LivePage, name: str) -> None:
    config = CONFIGS[name]
    picture = as_drawn(pixels_for(config, seed=3))
    many = [random_edits(config, seed) for seed in range(60)]
    many += [Edits(turn=degrees) for degrees in range(-175, 185, 5)]
    found = tab.run(
        MODEL_OF
        + """const shape = shapeOf(given);
        const pixels = bytesOf(given.pixels);
        return given.texts.map((text) => base64(editedPixels(pixels, shape, readEdits(text))));""",
        {
            "config": config_of(config),
            "pixels": base64.b64encode(picture.tobytes()).decode(),
            "texts": [write_edits(edits) for edits in many],
        },
    )
    for edits, text in zip(many, found, strict=True):
        levels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(picture.shape)
        np.testing.assert_array_equal(levels, edited(picture, edits, config.patch_hw))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["everything at once", "class token and registers", "default"])
def test_the_browser_gives_the_same_tensors(tab: LivePage, name: str, seed: int) -> None:
    source = source_of(name)
    config = source.model.config
    edits = random_edits(config, 100 + seed)
    picture = as_drawn(pixels_for(config))
    told = tab.run(
        MODEL_OF
        + """const shape = shapeOf(given.model);
        const edits = readEdits(given.text);
        const live = openLive(given.model);
        try {
          const pixels = editedPixels(bytesOf(given.pixels), shape, edits);
          return told(await live.ask(pixels, passEdits(edits, shape.P)));
        } finally { live.close(); }""",
        json.loads(
            json.dumps(
                {
                    "model": serve(tab, source),
                    "text": write_edits(edits),
                    "pixels": base64.b64encode(picture.tobytes()).decode(),
                }
            )
        ),
    )
    expected = edited_pass(source, picture, edits)
    assert_equal(arrays_of(told), {key: tensor[None] for key, tensor in expected.items()})


# what a visitor did


def test_steps_are_undone_and_done_again(tab: LivePage) -> None:
    said = tab.run("""
      const steps = new FoolSteps(readEdits("m3_h0.1"));
      const told = () => [writeEdits(steps.edits), steps.moves, steps.canUndo, steps.canRedo];
      const all = [told()];
      const act = (what) => (what(), all.push(told()));
      act(() => steps.take(withCover(steps.edits, 5, "black", 16), "cover"));
      act(() => steps.take(withSwap(steps.edits, 0, 2, 16), "swap"));
      act(() => steps.undo());
      act(() => steps.undo());
      act(() => steps.undo());
      act(() => steps.redo());
      act(() => steps.take({ ...steps.edits, turn: 5 }, "turn"));
      act(() => steps.take({ ...steps.edits, turn: 10 }, "turn", true));
      act(() => steps.take({ ...steps.edits, turn: 10 }, "turn", true));
      act(() => steps.redo());
      act(() => steps.undo());
      return all;""")
    assert said == [
        ["m3_h0.1", 2, False, False],
        ["m3_k5_h0.1", 3, True, False],
        ["m3_k5_s0.2_h0.1", 4, True, False],
        ["m3_k5_h0.1", 3, True, True],
        ["m3_h0.1", 2, False, True],
        ["m3_h0.1", 2, False, True],
        ["m3_k5_h0.1", 3, True, True],
        ["t5_m3_k5_h0.1", 4, True, False],
        ["t10_m3_k5_h0.1", 4, True, False],
        ["t10_m3_k5_h0.1", 4, True, False],
        ["t10_m3_k5_h0.1", 4, True, False],
        ["m3_k5_h0.1", 3, True, True],
    ]


def test_swapping_back_and_forth_leaves_the_fewest_swaps(tab: LivePage) -> None:
    said = tab.run("""
      let edits = NO_EDITS;
      const swap = (one, other) => writeEdits((edits = withSwap(edits, one, other, 9)));
      return [swap(0, 1), swap(0, 1), swap(2, 2), swap(0, 4), swap(4, 8), swap(0, 8)];""")
    assert said[:4] == ["s0.1", "", "", "s0.4"]
    # each text gives the order that all swaps so far give
    assert read_edits(said[4]).order(9) == Edits(swaps=((0, 4), (4, 8))).order(9)
    assert read_edits(said[5]).order(9) == Edits(swaps=((0, 4), (4, 8), (0, 8))).order(9)


def test_one_token_stays_and_the_picture_never_leaves_its_frame(tab: LivePage) -> None:
    said = tab.run("""
      let all = NO_EDITS;
      for (const patch of [0, 1, 2, 3]) all = withCover(all, patch, "drop", 4);
      const far = withMove(NO_EDITS, 999, -999, { width: 28, height: 12 });
      const heads = withHead(withHead(withHead(NO_EDITS, 1, 0), 0, 3), 1, 0);
      return [all, far, heads].map(writeEdits);""")
    assert said == ["d0_d1_d2", "x27_y-11", "h0.3"]


# challenges


def test_a_challenge_is_reached_when_the_numbers_say_so(tab: LivePage) -> None:
    before, seven = [0.1, 0.7, 0.2], [0.2, 0.5, 0.3]
    third, other = [0.1, 0.3, 0.6], [0.6, 0.3, 0.1]

    def standing(name: str, edits: str, now: list[float], best: object = None) -> dict[str, Any]:
        given = {"name": name, "edits": edits, "before": before, "now": now, "best": best}
        return tab.run(
            """const about = { ...given, edits: readEdits(given.edits), target: 2, P: 16 };
            return standing(given.name, about);""",
            given,
        )

    assert standing("few", "k1_k2", seven) == {"count": 2, "isReached": False, "answer": 1}
    assert standing("few", "k1_k2", other) == {"count": 2, "isReached": True, "answer": 0}
    assert standing("target", "k1_k2", other) == {"count": 2, "isReached": False, "answer": 0}
    assert standing("target", "k1_k2_k3", third) == {"count": 3, "isReached": True, "answer": 2}
    assert standing("keep", "k1_k2_k3", seven) == {"count": 13, "isReached": True, "answer": 1}
    assert standing("keep", "k1_k2_k3", third) == {"count": 13, "isReached": False, "answer": 2}
    assert standing("head", "h1.2", seven, [1, 2])["isReached"]
    assert not standing("head", "h1.2_h0.0", seven, [1, 2])["isReached"]
    assert not standing("head", "h1.1", seven, [1, 2])["isReached"]
    assert not standing("head", "h1.2", seven)["isReached"]


def test_a_solution_is_shown_with_the_patches_that_were_found(tab: LivePage) -> None:
    said = tab.run("""
      const about = { P: 4, way: "mean" };
      return [
        solutionEdits("few", { patches: [1, 3] }, about),
        solutionEdits("keep", { patches: [1, 3] }, about),
        solutionEdits("keep", { patches: [] }, about),
        solutionEdits("head", { head: [2, 1] }, about),
      ].map(writeEdits);""")
    assert said == ["m1_m3", "m0_m2", "m0_m1_m2_m3", "h2.1"]
