"""Changes of a pass: their text in a link, what they do to a picture, and what is computed then."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explainer.inputs.models.load import source_of
from explainer.inputs.pictures.chosen import picture
from explainer.inputs.pictures.edited import edited, mean_levels, turned
from explainer.observation.live_answer import edited_pass
from explainer.observation.observe import observe
from explainer.state.choice import UNTRAINED, Choice
from explainer.state.edits import COVERS, Edits, read_edits, swaps_of, write_edits
from vit_core import ViTConfig, trace
from vit_core.interpret.heads import Head, switch_heads_off
from vit_core.interpret.position import shuffle_patches

CONFIG = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
CHOICE = Choice(UNTRAINED, CONFIG, seed=3, digit=4, index=1)
PIXELS = np.random.default_rng(0).integers(256, size=(28, 28), dtype=np.uint8)
COLOURS = np.random.default_rng(1).integers(256, size=(12, 20, 3), dtype=np.uint8)
PATCHES = st.integers(0, 15)
EDITS = st.builds(
    Edits,
    heads_off=st.lists(st.builds(Head, st.integers(0, 20), st.integers(0, 20))).map(tuple),
    cover=st.dictionaries(st.integers(0, 300), st.sampled_from([*COVERS.values()])).map(
        lambda cover: tuple(cover.items())
    ),
    swaps=st.lists(st.tuples(PATCHES, PATCHES), max_size=8).map(tuple),
    move=st.tuples(st.integers(-99, 99), st.integers(-99, 99)),
    turn=st.integers(-35, 36).map(lambda steps: 5 * steps),
    no_position=st.booleans(),
)


@given(EDITS)
def test_a_link_restores_the_changes(edits: Edits) -> None:
    text = write_edits(edits)
    if len(text) <= 1_000:
        assert read_edits(text) == edits
    assert bool(text) == bool(edits)


def test_the_text_is_short_and_in_the_order_of_the_changes() -> None:
    edits = Edits(
        heads_off=(Head(1, 0), Head(0, 2)),
        cover=((12, "mean"), (3, "black"), (4, "drop")),
        swaps=((3, 7), (1, 2)),
        move=(-2, 3),
        turn=15,
        no_position=True,
    )
    assert write_edits(edits) == "t15_x-2_y3_k3_d4_m12_s3.7_s1.2_n_h0.2_h1.0"


@given(st.text(alphabet="hmkdsxytn0123456789._-", max_size=30) | st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        edits = read_edits(text)
    except ValueError:
        return
    assert read_edits(write_edits(edits)) == edits


@pytest.mark.parametrize(
    "text",
    [
        *("h0", "h0.2.1", "m", "m-1", "m12_k12", "t7", "t185", "t-180", "t5_t5", "x1_x2", "z"),
        *("n_n", "_", "n_", "s1", "s1.2.3", "x٣", " n", "m12345", "n" + "_m1" * 400),
    ],
)
def test_what_is_no_change_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_edits(text)


def test_a_model_keeps_only_the_changes_that_it_can_have() -> None:
    edits = read_edits("t15_x-28_y3_k3_m16_s3.7_s1.16_n_h0.1_h0.2_h2.0")
    assert write_edits(edits.fitting(CONFIG)) == "t15_y3_k3_s3.7_n_h0.1"
    assert not edits.fitting(replace(CONFIG, pos_embed="none")).no_position
    everything = read_edits("_".join(f"d{patch}" for patch in range(16)))
    assert len(everything.fitting(CONFIG).covered("drop")) == 15
    assert everything.without_gaps().covered("mean") == list(range(16))


@given(st.permutations(range(9)))
def test_swaps_bring_patches_into_any_order(order: list[int]) -> None:
    swaps = swaps_of(order)
    found = Edits(swaps=swaps).order(9)
    assert list(found or range(9)) == order


@pytest.mark.parametrize("order", [[0, 0], [1, 2], [0, 1, 3], [-1, 0]])
def test_what_is_no_order_is_refused(order: list[int]) -> None:
    with pytest.raises(ValueError, match="names each of 0 to"):
        swaps_of(order)


@pytest.mark.parametrize("pixels", [PIXELS, COLOURS[:, :12]], ids=["digit", "colours"])
def test_quarter_turns_are_exact(pixels: np.ndarray) -> None:
    for quarters, degrees in ((1, 90), (2, 180), (3, -90)):
        np.testing.assert_array_equal(turned(pixels, degrees), np.rot90(pixels, quarters))


def test_a_turned_pixel_is_the_mean_of_four() -> None:
    dot = np.zeros((5, 5), np.uint8)
    dot[1, 2] = 200  # one above the centre
    # turned counter-clockwise by 45 degrees, it lies between the corner, left, top and the centre
    found = turned(dot, 45)
    # the pixel on the diagonal comes from (√2 - 1 too far up): bilinear in one axis alone
    assert found[1, 1] == int(np.floor(200 * (1 - (2 * 0.707107 - 1)) + 0.5))
    assert found[1, 2] == int(np.floor(200 * (1 - 0.707107) * 0.707107 + 0.5))
    assert found[2, 1] == found[1, 2]
    assert found[3:].sum() == 0 and found[:, 3:].sum() == 0


def test_a_moved_picture_has_black_where_nothing_was() -> None:
    found = edited(PIXELS, Edits(move=(3, -2)), (7, 7))
    np.testing.assert_array_equal(found[:-2, 3:], PIXELS[2:, :-3])
    assert not found[-2:].any() and not found[:, :3].any()
    assert not edited(PIXELS, Edits(move=(99, 0)), (7, 7)).any()


def test_a_covered_patch_has_the_mean_as_a_whole_level() -> None:
    edits = read_edits("m1_k6")
    found = edited(COLOURS, edits, (4, 5))
    mean = np.floor(COLOURS.reshape(-1, 3).mean(axis=0) + 0.5)
    assert (found[:4, 5:10] == mean).all() and (mean_levels(COLOURS) == mean).all()
    assert (found[4:8, 10:15] == 0).all()
    found[:4, 5:10], found[4:8, 10:15] = COLOURS[:4, 5:10], COLOURS[4:8, 10:15]
    np.testing.assert_array_equal(found, COLOURS)


def test_half_a_level_goes_up() -> None:
    halves = np.zeros((2, 2), np.uint8)
    halves[0] = 1
    assert mean_levels(halves) == 1
    halves[0, 1] = 0
    assert mean_levels(halves) == 0


def test_changes_happen_in_their_order() -> None:
    """A cover names a patch of the moved picture, and is swapped with it."""
    found = edited(PIXELS, read_edits("x7_k1_s1.2"), (7, 7))
    np.testing.assert_array_equal(found[:7, 7:14], PIXELS[:7, 7:14])  # from 2, which was at 1
    assert not found[:7, 14:21].any()


@pytest.mark.parametrize("text", ["m16", "k99", "s0.16"])
def test_a_patch_that_is_not_there_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="16"):
        edited(PIXELS, Edits(**vars(read_edits(text.replace("99", "16")))), (7, 7))


@given(EDITS)
def test_swaps_are_those_of_the_shuffled_patches(edits: Edits) -> None:
    order = edits.order(16)
    if order is not None:
        found = edited(PIXELS, Edits(swaps=edits.swaps), (7, 7))
        images = torch.from_numpy(PIXELS)[None, None]
        wanted = shuffle_patches(images, (7, 7), torch.tensor(order))[0, 0].numpy()
        np.testing.assert_array_equal(found, wanted)


def test_an_edited_choice_is_observed_with_its_changes() -> None:
    edits = read_edits("t-10_x2_m5_s1.2_n_h0.1_h1.0")
    choice = replace(CHOICE, edits=edits)
    source, seen = source_of(choice), observe(choice)
    pixels = edited(picture(CHOICE), edits, (7, 7))
    np.testing.assert_array_equal(seen.pixels, pixels)
    changes = dict(switch_heads_off(CONFIG, edits.heads_off)) | {"pos_embed": torch.zeros_like}
    wanted = trace(source.model, source.batch(pixels), changes)
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(seen.tensors[name], tensor[0].numpy(), err_msg=name)
    assert not seen.tensors["blocks.0.attn.z"][1].any() and not seen.tensors["pos_embed"].any()
    assert seen.label == CHOICE.digit
    assert observe(CHOICE).pixels is not seen.pixels
    live = edited_pass(source, picture(CHOICE), edits)
    assert torch.equal(live["logits"], wanted["logits"][0])


def test_a_token_that_is_left_out_has_no_trace() -> None:
    with pytest.raises(ValueError, match="cover"):
        observe(replace(CHOICE, edits=read_edits("d3")))
