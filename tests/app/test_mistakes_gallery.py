"""The gallery of mistakes, and the recorded runs that it speaks of."""

import csv
import io
import itertools
import math

import numpy as np
import pytest
import torch
from reading import curves_of, texts_of
from streamlit.testing.v1 import AppTest

from explainer.content import load_texts
from explainer.training.progress import progress_of
from explainer.training.recorded import FOLDER, HEALTHY, chosen_on_test, recorded
from explainer.views.train import chosen_on_test as measured
from explainer.views.train import mistakes as gallery
from explainer.views.train.chosen_on_test import CHOSEN_ON_TEST
from vit_core import PRESETS, ViTConfig, build, load_checkpoint
from vit_core.data import mnist, mnist_info
from vit_core.mistakes import MISTAKES, mistakes_of

TEXTS = load_texts("mistakes")
every_mistake = pytest.mark.parametrize("name", MISTAKES)
every_run = pytest.mark.parametrize("name", [HEALTHY, *MISTAKES])


def page() -> None:
    import streamlit as st

    from explainer.views.train.mistakes import show_gallery

    st.session_state.setdefault("tried", [])
    show_gallery(lambda name: st.session_state["tried"].append(name))


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(page, default_timeout=60).run()


# the recorded runs


def test_there_is_a_folder_for_each_run_and_no_other() -> None:
    found = {path.name.replace("-", "_") for path in FOLDER.iterdir() if path.is_dir()}
    assert found == {HEALTHY, *MISTAKES}


@every_run
def test_a_recorded_run_is_whole(name: str) -> None:
    history = recorded(name)
    config = history.config
    assert config.train.epochs == len(progress_of(history).val.steps) == 3
    assert history.metrics()[-1]["step"] == history.total_steps
    assert 0 <= history.test_accuracy <= 1
    assert config.data == mnist_info().fingerprint
    assert config.threads == 1
    seen = progress_of(history).train
    assert len(seen.steps) >= 100
    assert (np.diff(seen.steps) > 0).all()


@every_run
def test_a_recorded_run_has_its_own_mistake_and_no_other(name: str) -> None:
    config, healthy = recorded(name).config, recorded(HEALTHY).config
    if name == HEALTHY:
        assert mistakes_of(config.model, config.train) == ()
        assert config.model == PRESETS["fast"].model
        return
    assert (config.model, config.train) == MISTAKES[name].apply(healthy.model, healthy.train)
    assert mistakes_of(config.model, config.train) == (name,)


@every_run
def test_nothing_recorded_knows_the_machine_it_was_made_on(name: str) -> None:
    command = recorded(name).config.command
    assert command.startswith("python -m vit_core.train ")
    assert command.endswith(f"--run-dir runs/{name.replace('_', '-')}")
    for path in recorded(name).path.iterdir():
        assert b"/work" not in path.read_bytes() and b"/tmp" not in path.read_bytes()
        assert path.name != "state.safetensors"


def test_the_healthy_run_has_a_model_for_every_epoch() -> None:
    history = recorded(HEALTHY)
    assert history.epochs() == (0, 1, 2, 3)
    for epoch in history.epochs():
        found = load_checkpoint(history.checkpoint(epoch), expect=history.config.model)
        assert found.metrics["epoch"] == epoch
        assert found.train_config == history.config.train


def test_the_readme_has_the_accuracies() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in (HEALTHY, *MISTAKES):
        (line,) = [it for it in text.splitlines() if it.startswith(f"| `{name.replace('_', '-')}`")]
        assert f"| {100 * recorded(name).test_accuracy:.2f} % |" in line


# what the texts claim of them


def losses(name: str) -> np.ndarray:
    return progress_of(recorded(name)).train.losses


def test_what_the_texts_say_is_so() -> None:
    test = {name: recorded(name).test_accuracy for name in (HEALTHY, *MISTAKES)}
    first = {name: progress_of(recorded(name)).val.accuracies[0] for name in (HEALTHY, *MISTAKES)}
    assert test[HEALTHY] > 0.98 and max(test.values()) == test[HEALTHY]
    # less than people expect
    for name in ("no_position", "no_scaling", "no_residual", "softmax_before_loss"):
        assert test[HEALTHY] - test[name] < 0.025
        assert first[name] < first[HEALTHY] - 0.02
    # the loss that cannot fall
    assert losses("softmax_before_loss").min() > math.log(math.e + 9) - 1
    assert losses("softmax_before_loss")[-10:].max() < 1.55
    # the one that breaks: as fast at first, then above guessing, then back
    without = losses("no_layer_norm")
    assert without[5] < losses(HEALTHY)[5] + 0.1
    assert without.max() > math.log(10) > without[:10].max() and without[-1] < math.log(10)
    assert test["no_layer_norm"] < 0.7
    # too long steps: faster at first, then up again, and better at the end
    high = losses("high_lr")
    assert high[:5].mean() < losses(HEALTHY)[:5].mean()
    assert high[5:30].max() > high[:5].min() + 0.3 and high[-1] < high[5:80].min()
    # nothing to learn
    assert abs(losses("shuffled_labels")[5:] - math.log(10)).max() < 0.05
    assert abs(test["shuffled_labels"] - 0.1) < 0.03
    # each class is learned and forgotten: near 0, then far above guessing, ten times an epoch
    in_order = losses("classes_in_order")
    jumps = ((in_order[:-1] < 0.5) & (in_order[1:] > 1.0)).sum()
    assert in_order.min() < 0.05 and in_order.max() > math.log(10) and jumps > 15
    history = recorded("classes_in_order")
    assert history.epoch_line(1)["train_accuracy"] > 0.6
    assert max(progress_of(history).val.accuracies) < 0.15 and test["classes_in_order"] < 0.15


def test_after_the_nines_it_answers_nine() -> None:
    """What the text claims of the recorded run's validation: the share of nines, no more."""
    nines = float((mnist().val.labels == 9).float().mean())
    first = progress_of(recorded("classes_in_order")).val.accuracies[0]
    assert first == pytest.approx(nines, abs=1e-6)


# the gallery


def test_every_mistake_has_its_words() -> None:
    for part in (TEXTS["mistakes"], TEXTS["banner"]["names"]):
        assert set(part) == set(MISTAKES)
    assert set(TEXTS["names"]) == {*MISTAKES, CHOSEN_ON_TEST} == set(gallery.ORDER)


@every_mistake
def test_a_mistake_is_shown_beside_the_healthy_run(app: AppTest, name: str) -> None:
    app.session_state[gallery.CHOSEN_KEY] = name
    app.run()
    assert not app.exception
    assert app.subheader[0].value == TEXTS["names"][name]
    texts = texts_of(app)
    healthy = f"{100 * recorded(HEALTHY).test_accuracy:.1f} %"
    assert healthy in texts and "{" not in texts.replace(r"\sqrt{d_h}", "")
    loss, accuracy = curves_of(app, "mistake-curves")["panels"]
    history = recorded(name)
    assert f"{history.epoch_line(3)['train_loss']:.3f} with" in loss["alt"]
    assert loss["level"]["at"] == gallery.LEVELS.get(name, (gallery.GUESSING, ""))[0]
    by_name = {curve["name"]: curve for curve in loss["curves"]}
    mine = by_name[TEXTS["chart_names"]["val"].format(name=TEXTS["names"][name])]
    np.testing.assert_allclose(mine["y"], progress_of(history).val.losses, atol=1e-4)
    assert [row["name"] for row in curves_of(app, "mistake-curves")["legend"]] == [
        "healthy",
        TEXTS["names"][name],
    ]
    assert len(by_name) == len(accuracy["curves"]) == 4
    assert app.code[0].value == recorded(name).config.command


def test_the_choice_is_kept_without_its_widget(app: AppTest) -> None:
    assert app.subheader[0].value == TEXTS["names"]["no_position"]
    app.button_group(key="mistake").set_value("no_scaling").run()
    assert app.subheader[0].value == TEXTS["names"]["no_scaling"]
    # a visit to another page loses the widget's own value, but not what it handed back
    assert app.session_state[gallery.CHOSEN_KEY] == "no_scaling"
    other = AppTest.from_function(page, default_timeout=60)
    other.session_state[gallery.CHOSEN_KEY] = "no_scaling"
    app = other.run()
    assert app.subheader[0].value == TEXTS["names"]["no_scaling"]


@every_mistake
def test_the_button_names_the_mistake(app: AppTest, name: str) -> None:
    app.session_state[gallery.CHOSEN_KEY] = name
    app.run()
    app.button(key="mistake-try").click().run()
    assert app.session_state["tried"] == [name]


@pytest.mark.parametrize("name", MISTAKES)
def test_the_first_weights_are_called_the_same_where_they_were(name: str) -> None:
    """As recorded: one stream for all parameters in turn, so that a missing one shifts the rest."""
    starts = []
    for run in (name, HEALTHY):
        config, seed = recorded(run).config.model, recorded(run).config.train.seed
        is_later = run in gallery.RECORDED_LATER
        starts.append(
            build(config, seed).state_dict()
            if is_later
            else first_weights_as_recorded(config, seed)
        )
    mine, healthy = starts
    found = load_checkpoint(recorded(HEALTHY).checkpoint(0)).model.state_dict()
    assert all(torch.equal(found[key], healthy[key]) for key in found)
    same = all(torch.equal(mine[key], healthy[key]) for key in mine)
    said = gallery.facts(name)["start"]
    assert (said == TEXTS["start_same"]) is same
    assert same is (name not in ("no_position", *gallery.RECORDED_LATER))


def first_weights_as_recorded(config: ViTConfig, seed: int) -> dict[str, torch.Tensor]:
    """Draw a new model's weights in the way of the time when the runs were recorded."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        spare = torch.get_rng_state()
        model = build(config)
        torch.set_rng_state(spare)
        for module in model.modules():  # PyTorch's own first draw of each layer
            if isinstance(module, torch.nn.Linear):
                module.reset_parameters()
        for key, parameter in model.named_parameters():
            std = parameter.shape[-1] ** -0.5
            if key.endswith(("attn.proj.weight", "mlp.fc2.weight")):
                std /= math.sqrt(2 * config.depth)
            with torch.no_grad():
                if key.endswith("bias"):
                    parameter.zero_()
                elif key.endswith(("cls_token", "pos_embed", "head.weight")):
                    torch.nn.init.trunc_normal_(parameter, std=0.02)
                elif parameter.ndim == 2:
                    torch.nn.init.trunc_normal_(parameter, std=std, a=-3 * std, b=3 * std)
    return model.state_dict()


def test_the_choice_by_test_digits_is_as_measured(app: AppTest) -> None:
    app.session_state[gallery.CHOSEN_KEY] = CHOSEN_ON_TEST
    app.run()
    assert not app.exception
    assert app.subheader[0].value == TEXTS["names"][CHOSEN_ON_TEST]
    content = chosen_on_test()
    rows = {(row["seen"], row["models"]): row for row in content["table"]}
    most = rows[100, 30]
    texts = texts_of(app)
    assert "{" not in texts
    for share in (most["on_seen"], most["on_fresh"], min(content["accuracies"])):
        assert f"{100 * share:.1f} %" in texts
    assert f"{100 * (most['on_seen'] - most['on_fresh']):.1f} percentage points" in texts
    assert app.code[0].value == content["command"]
    figure = measured.chart("light")
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(lines) == 4
    for line, seen in zip(lines, (100, 300, 1_000, 3_000), strict=True):
        found = [100 * (r["on_seen"] - r["on_fresh"]) for (s, _), r in rows.items() if s == seen]
        np.testing.assert_allclose(line.y, found)
    table = list(csv.reader(io.StringIO(measured.as_csv())))
    assert len(table) == 1 + len(content["table"])


def test_what_the_text_says_of_the_choice_is_so() -> None:
    content, points = chosen_on_test(), measured.flattery()
    assert len(content["accuracies"]) == 30 and content["threads"] == 1
    for seen, by_models in points.items():
        values = [*by_models.values()]
        assert [*by_models] == [1, 3, 10, 30]
        assert abs(values[0]) < 0.25, "nothing to choose"
        if seen <= 1_000:
            assert values == sorted(values), f"every further model adds to it ({seen})"
    for fewer, more in itertools.pairwise(points):
        for models in (3, 10, 30):
            assert points[fewer][models] > points[more][models], "the fewer digits choose, the more"


def test_the_floor_is_derived() -> None:
    assert pytest.approx(1.4612, abs=5e-5) == gallery.FLOOR
    assert gallery.facts("softmax_before_loss")["floor"] == "1.4612"


@every_mistake
def test_the_csv_has_every_number_of_both_runs(name: str) -> None:
    rows = list(csv.reader(io.StringIO(gallery.runs_csv(name))))
    assert rows[0] == TEXTS["csv_columns"]
    for run in (HEALTHY, name):
        called = TEXTS["healthy"] if run == HEALTHY else TEXTS["names"][run]
        mine = [row for row in rows if row[0] == called]
        seen = progress_of(recorded(run))
        assert len(mine) == len(seen.train.steps) + len(seen.val.steps)
        np.testing.assert_allclose(
            [float(row[3]) for row in mine], [*seen.train.losses, *seen.val.losses], rtol=1e-6
        )
