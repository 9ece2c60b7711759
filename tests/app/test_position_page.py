"""The page on position: every kind on every model, sums, waves, the shuffle, right answers."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from reading import (
    choice_and_observation,
    draw_parts,
    formulas_of,
    matrices_of,
    observation_of,
    questions_of,
    right_answer,
    texts_of,
    unfold,
)
from streamlit.testing.v1 import AppTest

from explainer.components.packing import unpack
from explainer.inputs.models import load
from explainer.inputs.pictures import link_code
from explainer.observation import observe, positions
from explainer.state.choice import SOURCES, Choice
from explainer.state.link import State
from explainer.state.place import Cell, Place
from explainer.training.recorded import recorded
from explainer.views.position import PARTS, patterns
from explainer.views.position.curves import dimensions_of
from explainer.views.position.places import place_names
from explainer.views.position.table import worked
from explainer.views.position.wording import TEXTS
from vit_core import ViTConfig, build, trace
from vit_core.config import POSITIONS
from vit_core.data import normalize
from vit_core.interpret.position import wave
from vit_core.model import sincos_1d, sincos_2d

Open = Callable[..., AppTest]
SMALL = {"source": "untrained", "patches": 4, "width": 16, "heads": 2, "depth": 2}
SHAPES = [ViTConfig(patch_size=7, depth=1, pool=pool) for pool in ("cls", "mean")]


def alike(app: AppTest) -> np.ndarray:
    """Return the values on the picker of the part about similarity."""
    return next(
        unpack(element.proto.bytes)[1]["values"]
        for element in app.get("bidi_component")
        if element.proto.component_name == "vit_explainer.token_picker"
    )


def table_of(config: ViTConfig, **params: object) -> AppTest:
    """Draw the page with the whole table in sight."""
    return unfold(draw_parts("position", config, **params))


# every model, every kind


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("kind", POSITIONS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_on_every_source(source: str, kind: str, open_page: Open) -> None:
    app = open_page("position", source=source, kind=kind, shuffle=2)
    assert not app.exception and not app.error
    assert len(app.header) == len(PARTS)
    loaded = load.load_source(source, State().shaped)
    config = loaded.model.config
    tensors = observe.observe(Choice(source, config, 0, 7, 0, gallery=loaded.gallery)).tensors
    found = matrices_of(unfold(app))
    for name in ("tokens", "pos_embed", "embed"):
        np.testing.assert_array_equal(found[name], tensors[name])
    np.testing.assert_allclose(found["embed"], found["tokens"] + found["pos_embed"], atol=1e-6)
    if kind == config.pos_embed:
        np.testing.assert_array_equal(found["table"], tensors["pos_embed"])
        assert "is **not** the one" not in texts_of(app)
    elif kind == "none" or (kind == "learned" and config.num_patches != 49):
        assert "table" not in found
    elif "table" in found:
        assert "is **not** the one" in texts_of(app)


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("patches", [2, 14])
@pytest.mark.parametrize(("width", "heads", "depth"), [(8, 1, 1), (8, 8, 8), (128, 8, 8)])
def test_shapes_at_their_extremes(
    patches: int, width: int, heads: int, depth: int, position: str, open_page: Open
) -> None:
    shape = {"patches": patches, "width": width, "heads": heads, "depth": depth}
    app = open_page("position", source="untrained", position=position, shuffle=1, **shape)
    assert not app.exception and not app.error
    config = State(position=position, **shape).shaped
    assert matrices_of(app)["added"].shape == (1 if position == "none" else 3, width)
    found = matrices_of(unfold(app))
    assert found["embed"].shape == (config.num_tokens, width)
    assert ("pos_embed" in found) == (position != "none")


@pytest.mark.parametrize("pool", ["cls", "mean"])
@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("query", [0, 1, 2, 3, 9])
def test_registers_have_no_position(pool: str, position: str, query: int) -> None:
    config = ViTConfig(patch_size=7, depth=1, pool=pool, pos_embed=position, num_registers=2)
    app = draw_parts("position", config, query=query, shuffle=1, cell=f"embed.{query}.3")
    assert "Registers" in texts_of(app)
    found, tensors = matrices_of(app), observation_of(config=config).tensors
    np.testing.assert_array_equal(found["embed"], tensors["embed"])
    if position == "none":
        assert "pos_embed" not in found and "table" not in matrices_of(unfold(app))
        assert not any("underbrace" in text for text in formulas_of(app))
        return
    assert found["pos_embed"].shape == (16 + (pool == "cls"), 64)
    is_register = (pool == "cls") <= query < config.num_prefix_tokens
    sums = [text for text in formulas_of(app) if "underbrace" in text]
    assert len(sums) == (not is_register)
    if sums:
        total = re.findall(r"-?\d+\.\d{6}", sums[0])[-1]
        assert float(total) == pytest.approx(tensors["embed"][query, 3], abs=1e-6)


@pytest.mark.parametrize("config", [
    ViTConfig(patch_size=28, depth=1),
    ViTConfig(patch_size=28, depth=1, pool="mean", pos_embed="none"),
    ViTConfig(patch_size=(28, 4), depth=1, pos_embed="sincos2d"),
    ViTConfig(patch_size=7, embed_dim=6, num_heads=2, depth=1, pos_embed="sincos"),
    ViTConfig(patch_size=7, embed_dim=1, num_heads=1, depth=1, pos_embed="sincos"),
    ViTConfig(patch_size=7, embed_dim=4, num_heads=1, depth=1, pos_embed="sincos2d"),
])  # fmt: skip
@pytest.mark.parametrize("kind", POSITIONS)
def test_shapes_that_no_knob_reaches(config: ViTConfig, kind: str) -> None:
    app = draw_parts("position", config, kind=kind, shuffle=5)
    found, (choice, seen) = (
        matrices_of(unfold(app)),
        choice_and_observation(config=config),
    )
    np.testing.assert_array_equal(found["embed"], seen.tensors["embed"])
    table = positions.table(choice, seen, kind)
    assert ("table" in found) == (table is not None)
    if kind == config.pos_embed != "none":
        np.testing.assert_array_equal(found["table"], seen.tensors["pos_embed"])
    elif kind.startswith("sincos") and table is not None:
        places, width = config.num_patches, config.embed_dim
        if kind == "sincos":
            expected = sincos_1d(torch.arange(len(table)), width)
        else:
            expected = sincos_2d(*config.grid_size, width)
        np.testing.assert_array_equal(found["table"][-places:], expected[-places:].numpy())
    if config.embed_dim % 4 and kind == "sincos2d":
        assert "multiple of 4" in texts_of(app)
    if config.num_patches == 1:
        assert "no other order" in texts_of(app)


def test_an_own_picture_has_no_label_and_every_part(open_page: Open) -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[8:20, 12:15] = 255
    app = open_page("position", **SMALL, picture=link_code.encode(pixels), shuffle=1)
    assert not app.exception and not app.error
    assert len(app.header) == len(PARTS)


def test_a_blank_picture_stays_the_same_shuffled(open_page: Open) -> None:
    blank = link_code.encode(np.zeros((28, 28), np.uint8))
    app = open_page("position", **SMALL, picture=blank, shuffle=1)
    assert not app.exception
    assert "Even with its position the logits stay equal" in texts_of(app)


@pytest.mark.parametrize(
    "params",
    [
        {"kind": "circular"},
        {"unit": 9999, "kind": "sincos"},
        {"unit": 9999},
        {"unit": -1},
        {"shuffle": 9999},
        {"shuffle": "1e3"},
        {"cell": "table.9999.9999"},
        {"cell": "pos_embed.16.15"},
        {"cell": "embed.17.0"},
        {"cell": "q.0.0"},
        {"query": 9999, "kind": "sincos2d"},
        {"query": 0, "kind": "sincos2d", "cell": "table.0.5"},
        {"position": "none", "kind": "learned", "cell": "tokens.0.0"},
    ],
)
def test_no_link_breaks_the_page(params: dict[str, object], open_page: Open) -> None:
    app = open_page("position", **SMALL, **params)
    assert not app.exception and not app.error
    assert len(app.header) == len(PARTS)


# the table


def test_another_kind_is_what_the_formula_gives() -> None:
    for config in SHAPES:
        rows = 16 + (config.pool == "cls")
        found = matrices_of(table_of(config, kind="sincos"))["table"]
        np.testing.assert_array_equal(found, sincos_1d(torch.arange(rows), 64).numpy())
        found = matrices_of(table_of(config, kind="sincos2d"))["table"]
        np.testing.assert_array_equal(found[-16:], sincos_2d(4, 4, 64).numpy())
        assert rows == 16 or not found[0].any()


@pytest.mark.usefixtures("shipped")
def test_a_learned_table_is_the_default_models_where_it_fits(open_page: Open) -> None:
    app = open_page("position", source="untrained", position="sincos", kind="learned")
    expected = load.load_source("default").model.pos_embed.detach()[0].numpy()
    np.testing.assert_array_equal(matrices_of(unfold(app))["table"], expected)
    assert "has learned it" in texts_of(app)
    app = open_page("position", source="untrained", width=32, position="sincos", kind="learned")
    assert "table" not in matrices_of(app)
    assert "cannot be computed" in texts_of(app)


@pytest.mark.parametrize("kind", ["sincos", "sincos2d"])
@pytest.mark.parametrize("config", SHAPES)
def test_every_worked_cell_ends_in_the_number_of_the_table(config: ViTConfig, kind: str) -> None:
    seen = observation_of(config=replace(config, pos_embed=kind))
    choice = Choice("untrained", seen.config, 0, 7, 0)
    table = positions.table(choice, seen, kind)
    first = int(kind == "sincos2d" and config.pool == "cls")
    for row in range(first, len(table)):
        for column in range(0, 64, 5):
            cell = Cell("table", row, column)
            value = float(table[row, column])
            function, place, power, base, _, again, *_, shown = worked(
                seen.config, kind, cell, value
            )
            computed = getattr(np, function[1:])(place * 10000.0 ** (-power / base))
            assert computed == pytest.approx(value, abs=1e-6)
            assert float(shown) == pytest.approx(value, abs=1e-6) and again == function


def test_a_link_to_a_cell_of_a_fold_opens_it(open_page: Open) -> None:
    assert set(matrices_of(open_page("position", **SMALL))) == {"added"}
    app = open_page("position", **SMALL, cell="table.3.5")
    assert "table" in matrices_of(app) and "patch 1, 3, dimension 6" in texts_of(app)
    app = open_page("position", **SMALL, cell="pos_embed.2.9")
    found = matrices_of(app)
    np.testing.assert_array_equal(found["added"][1], found["pos_embed"][2])
    assert found["pos_embed"].shape == (17, 16)


@pytest.mark.parametrize("registers", [0, 2])
def test_the_followed_token_is_its_rows_and_leads_to_their_cells(
    registers: int, click_in: Callable[..., AppTest]
) -> None:
    config = ViTConfig(patch_size=7, depth=1, embed_dim=96, num_heads=4, num_registers=registers)
    query = config.num_prefix_tokens + 5
    app = draw_parts("position", config, query=query)
    tensors = observation_of(config=config).tensors
    expected = [tensors["tokens"][6], tensors["pos_embed"][6], tensors["embed"][query]]
    np.testing.assert_array_equal(matrices_of(app)["added"], np.stack(expected))
    for row, cell in enumerate(("tokens.6.9", "pos_embed.6.9", f"embed.{query}.9")):
        clicked = {"choice": {"matrix": "added", "row": row, "column": 9, "at": float(row)}}
        app = click_in(app, "add-one", clicked)
        assert app.session_state["state"].cell == cell
        assert f"{expected[2][9]:.6f}" in " ".join(formulas_of(app))


def test_the_chosen_cell_of_a_wave_is_worked_out(open_page: Open) -> None:
    app = open_page("position", **SMALL, kind="sincos", cell="table.3.5")
    formula = next(text for text in formulas_of(app) if "10000^{-4/16}" in text)
    assert r"\cos(3 \cdot 0.1)" in formula
    shown = float(re.findall(r"\d\.\d{6}", formula)[-1])
    assert shown == pytest.approx(np.cos(0.3), abs=1e-6)


def test_the_sum_of_the_chosen_cell(open_page: Open) -> None:
    config = State(**{k: v for k, v in SMALL.items() if k != "source"}).shaped
    tensors = observation_of(config=config).tensors
    for matrix in ("tokens", "pos_embed", "embed"):
        app = open_page("position", **SMALL, cell=f"{matrix}.6.2")
        text = next(text for text in formulas_of(app) if "underbrace" in text)
        numbers = [float(number) for number in re.findall(r"-?\d+\.\d{6}", text)]
        shown = [tensors[name][6, 2] for name in ("tokens", "pos_embed", "embed")]
        assert numbers == pytest.approx(shown, abs=1e-6)
        assert numbers[0] + numbers[1] == pytest.approx(numbers[2], abs=2e-6)


def test_equal_patches_are_found_and_told_apart_by_position_alone(open_page: Open) -> None:
    config = State(**{k: v for k, v in SMALL.items() if k != "source"}).shaped
    for position in ("learned", "none"):
        shape = replace(config, pos_embed=position)
        seen = observation_of(config=shape)
        first, second = positions.twins(Choice("untrained", shape, 0, 7, 0), seen)
        patches, embed = seen.tensors["patches"], seen.tensors["embed"]
        np.testing.assert_array_equal(patches[first], patches[second])
        gap = np.abs(embed[1 + first] - embed[1 + second]).max()
        app = open_page("position", **SMALL, position=position)
        if position == "none":
            assert gap < 1e-6 and "no position" in texts_of(app)
        else:
            assert f"**{gap:.3g}**" in texts_of(app)


def test_a_picture_without_equal_patches_says_so(open_page: Open) -> None:
    noise = np.random.default_rng(0).integers(0, 2, (28, 28)).astype(np.uint8) * 255
    app = open_page("position", **SMALL, picture=link_code.encode(noise))
    assert not app.exception
    assert "this image has no two such patches" in texts_of(app)


# dimensions


def test_the_drawn_waves_go_from_fast_to_slow() -> None:
    for kind, width in (("sincos", 64), ("sincos2d", 64), ("sincos", 8), ("sincos2d", 8)):
        shown = dimensions_of(kind, np.zeros((5, width)))
        frequencies = [wave(kind, width, one).frequency for one in shown]
        assert frequencies[0] == 1 and len(shown) >= 2
        assert frequencies == sorted(frequencies, reverse=True)


def test_a_learned_table_has_no_chart_and_its_liveliest_dimensions(open_page: Open) -> None:
    app = open_page("position", **SMALL)
    assert not app.get("plotly_chart") and "no frequency" in texts_of(app)
    app = open_page("position", **SMALL, kind="sincos")
    assert len(app.get("plotly_chart")) == 1
    table = np.zeros((5, 9))
    table[:, 7] = [0, 5, 0, 5, 0]
    assert 7 in dimensions_of("learned", table)


def test_the_dimension_of_the_link_is_drawn_and_moving_it_keeps_it(open_page: Open) -> None:
    app = open_page("position", **SMALL, kind="sincos", unit=6)
    assert app.select_slider(key="position-unit-sincos").value == 6
    assert any("<b>dimension 7</b>" in block.proto.body for block in app.get("html"))
    app.select_slider(key="position-unit-sincos").set_value(9).run()
    assert app.session_state["state"].unit == 9
    assert not app.exception


def test_the_kind_is_kept_and_the_models_own_is_no_choice(open_page: Open) -> None:
    app = open_page("position", **SMALL)
    pick = app.get("button_group")
    assert pick
    app = open_page("position", **SMALL, kind="sincos2d")
    assert app.session_state["state"].kind == "sincos2d"


# similarity


@pytest.mark.parametrize("kind", ["learned", "sincos", "sincos2d"])
@pytest.mark.parametrize("config", SHAPES)
def test_similarity_of_the_chosen_place(config: ViTConfig, kind: str) -> None:
    query = 5 + config.num_prefix_tokens
    app = table_of(replace(config, pos_embed=kind), query=query)
    table = matrices_of(app)["table"].astype(np.float64)
    sizes = np.linalg.norm(table, axis=1)
    sizes[sizes == 0] = 1
    expected = table @ table[query] / sizes / sizes[query]
    np.testing.assert_allclose(alike(app), expected, atol=1e-5)
    others = [at for at in range(config.num_prefix_tokens, len(table)) if at != query]
    nearest = place_names(config)[max(others, key=lambda at: expected[at])]
    best = max(expected[at] for at in others)
    assert sum(np.isclose(expected[others], best)) > 1 or f"Most similar: {nearest}" in texts_of(
        app
    )


def test_a_click_on_a_place_is_kept(open_page: Open, click_in: Callable[..., AppTest]) -> None:
    app = click_in(open_page("position", **SMALL), "token_picker", {"choice": {"query": 9}})
    assert app.session_state["state"].query == 9
    assert "patch 3, 1 and every other place" in texts_of(app)


def test_the_class_tokens_zeros_are_like_nothing(open_page: Open) -> None:
    app = open_page("position", **SMALL, kind="sincos2d", query=0)
    assert "has a row of zeros" in texts_of(app)
    assert not alike(app).any()


@pytest.mark.parametrize("kind", ["learned", "sincos", "sincos2d"])
@pytest.mark.parametrize("config", SHAPES)
def test_what_is_said_of_the_pattern_was_measured(config: ViTConfig, kind: str) -> None:
    config = replace(config, pos_embed=kind)
    choice, seen = choice_and_observation(config=config)
    table = torch.tensor(positions.table(choice, seen, kind)).double()
    unit = torch.nn.functional.normalize(table, dim=1).numpy()
    cosines = unit @ unit.T
    patches = cosines[len(cosines) - 16 :, len(cosines) - 16 :]
    said = texts_of(draw_parts("position", config)) + str(
        patterns.pattern_text(choice, seen, Place(config))
    )
    if kind == "learned":  # untrained, so by chance
        others = patches - 2 * np.eye(16)
        assert f"place is {others.max(axis=1).mean():.2f} on average" in said
    if kind == "sincos2d":
        beside = [patches[at, at + 1] for at in range(15) if at % 4 < 3]
        assert np.mean(beside) > patches.mean() and "a cross appears" in said


def test_a_wave_that_rises_again_is_told_of_only_where_it_does() -> None:
    for width, patch, rises in ((8, 4, True), (128, 4, True), (128, 14, False)):
        config = ViTConfig(
            patch_size=patch, depth=1, embed_dim=width, num_heads=1, pos_embed="sincos"
        )
        choice, seen = choice_and_observation(config=config)
        table = positions.table(choice, seen, "sincos").astype(np.float64)
        profile = table @ table[0] / (width / 2)
        said = patterns.pattern_text(choice, seen, Place(config))
        found = re.search(
            r"falls to (\S+) at a distance of (\d+), and rises again to (\S+) at", said
        )
        assert (found is not None) == rises
        if found:
            low, at, high = float(found[1].replace("−", "-")), int(found[2]), float(found[3])
            assert profile[at] == pytest.approx(low, abs=0.006)
            assert profile[at - 1] > profile[at] < profile[at + 1] and high > low


def test_neighbours_and_pairs_by_hand() -> None:
    cosines = np.array([[1, 0.5, 0.1], [0.5, 1, 0.3], [0.1, 0.3, 1]], np.float32)
    near, mean = patterns.means(cosines, (1, 3))
    assert near == pytest.approx(0.4) and mean == pytest.approx(0.3)
    assert patterns.means(cosines[:1, :1], (1, 1)) == (1, 1)
    assert patterns.mean_nearest(cosines) == pytest.approx((0.5 + 0.5 + 0.3) / 3)
    assert patterns.rise(np.array([1, 0.5, 0.2, 0.1])) is None
    assert patterns.rise(np.array([1, 0.2, 0.21, 0.1, 0.5, 0.4])) == (3, 4)


# the experiment


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("config", SHAPES)
def test_the_experiment_is_the_model_on_the_shuffled_picture(
    config: ViTConfig, position: str
) -> None:
    config = replace(config, pos_embed=position)
    choice, seen = Choice("untrained", config, 0, 7, 0), observation_of(config=config)
    found = positions.shuffled(choice, seen, 3)
    order = positions.order(16, 3)
    tiles = seen.pixels.reshape(4, 7, 4, 7).swapaxes(1, 2).reshape(16, 7, 7)[order]
    pixels = tiles.reshape(4, 4, 7, 7).swapaxes(1, 2).reshape(28, 28)
    np.testing.assert_array_equal(found.pixels, pixels)
    model, info = build(config).eval(), load.info()
    logits = trace(model, normalize(torch.tensor(pixels)[None, None], info)).logits[0]
    np.testing.assert_allclose(found.with_position[0], seen.logits, atol=1e-6)
    np.testing.assert_allclose(found.with_position[1], logits.numpy(), atol=1e-6)
    assert positions.stays(found.bare)
    assert positions.stays(found.with_position) == (position == "none")
    assert (found.without is None) == (position == "none")


def test_every_seed_gives_an_order_and_none_is_in_order_by_chance() -> None:
    for count in (2, 4, 49):
        orders = [positions.order(count, seed).tolist() for seed in range(40)]
        assert orders[0] == list(range(count))
        assert all(sorted(order) == orders[0] for order in orders)
        assert all(order != orders[0] for order in orders[1:])
        assert orders[7] == positions.order(count, 7).tolist()
    assert positions.order(1, 5).tolist() == [0]


def test_shuffle_and_back(open_page: Open) -> None:
    app = open_page("position", **SMALL)
    assert app.button(key="order-patches").disabled and "In order, the model says" in texts_of(app)
    app.button(key="shuffle-patches").click().run()
    assert app.session_state["state"].shuffle == 1
    assert "**stay equal**: the largest" in texts_of(app)
    app.button(key="shuffle-patches").click().run()
    assert app.session_state["state"].shuffle == 2
    app.button(key="order-patches").click().run()
    assert app.session_state["state"].shuffle == 0 and not app.exception


def test_a_model_without_position_has_one_table(open_page: Open) -> None:
    app = open_page("position", **SMALL, position="none", shuffle=1)
    bodies = [block.proto.body for block in app.get("html")]
    assert sum(body.count('class="switched"') for body in bodies) == 1
    assert any("This model: no position" in body for body in bodies)


@pytest.mark.usefixtures("shipped")
def test_switching_off_is_called_what_it_is_for_a_trained_model(open_page: Open) -> None:
    words = "was **trained with** its position"
    assert words in texts_of(open_page("position", source="default", shuffle=1))
    assert words not in texts_of(open_page("position", **SMALL, shuffle=1))


@pytest.mark.usefixtures("shipped")
def test_position_on_digits_is_told_as_the_recorded_runs_ended(open_page: Open) -> None:
    app = open_page("position", source="default")
    assert "61.4 %" not in texts_of(app)
    said = texts_of(unfold(app))
    with_position, without = (recorded(n).test_accuracy for n in ("healthy", "no_position"))
    assert with_position > without
    assert f"| {100 * without:.1f} % | {100 * with_position:.1f} % |" in said
    assert "| 61.4 % | 64.2 % |" in said


# questions


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("config", SHAPES)
def test_the_answers_are_right(config: ViTConfig, position: str) -> None:
    config = replace(config, pos_embed=position)
    app = draw_parts("position", config, query=8 if position != "none" else 0, shuffle=4)
    found, seen = questions_of(app), observation_of(config=config)
    words = TEXTS["questions"]
    result = positions.shuffled(Choice("untrained", config, 0, 7, 0), seen, 4)
    moved = np.abs(result.with_position[1] - result.with_position[0]).max() > 1e-4
    right = "equal" if position == "none" else "with"
    assert right_answer(found["shuffle"]) == words["shuffle"][right]
    assert moved == (position != "none")
    assert ("orders" in found) == (position == "none")
    if "orders" in found:
        assert right_answer(found["orders"]) == words["orders"]["one"]
    learned = build(config).pos_embed.numel() if position == "learned" else 0
    assert right_answer(found["learned"]) == f"{learned:,}"
    assert ("nearest" in found) == (position != "none")
    assert ("fastest" in found) == (position in ("sincos", "sincos2d"))
    if "nearest" in found:
        choice = Choice("untrained", config, 0, 7, 0)
        table, names = positions.table(choice, seen, position), place_names(config)
        unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
        cosine = dict(zip(names, unit @ unit[8], strict=True))
        options = found["nearest"].options
        assert names[8] not in options
        assert right_answer(found["nearest"]) == max(options, key=cosine.__getitem__)
        others = [cosine[name] for at, name in enumerate(names[-16:]) if name != names[8]]
        assert cosine[right_answer(found["nearest"])] == pytest.approx(max(others), abs=1e-5)
    if "fastest" in found:
        assert right_answer(found["fastest"]) == TEXTS["questions"]["fastest"]["dimension"].format(
            number=1
        )


def test_the_data_behind_every_picture_can_be_taken_along(open_page: Open) -> None:
    app = open_page("position", **SMALL, shuffle=1)
    labels = {button.proto.label for button in app.get("download_button")}
    parts = (*TEXTS["parts"].values(), TEXTS["curves"])
    assert {part["download"].format(output="logits") for part in parts} <= labels
