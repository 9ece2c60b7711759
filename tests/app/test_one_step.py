"""One step, a batch and a schedule on the page about learning are those of the real optimizers."""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
import torch.nn.functional as F
from reading import choice_and_observation, choice_of, html_of, texts_of
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer.content import load_texts
from explainer.content.numbers import percent, written
from explainer.inputs.models import load
from explainer.inputs.models.load import source_of
from explainer.observation.learning import batches
from explainer.observation.learning import labelled as pictures_at_hand
from explainer.observation.learning import steps as computed
from explainer.observation.learning.batches import STEPS, batch_of, learned_by_heart
from explainer.observation.learning.labelled import DIGIT, OWN, available, labelled
from explainer.observation.learning.lesson import lesson
from explainer.observation.learning.recipe import recipe_of, schedule
from explainer.observation.learning.steps import (
    EVERY,
    LEAP,
    REST,
    RIGHT,
    TOO_LARGE,
    TOO_SMALL,
    Steps,
    all_optimizers,
    muon_matrices,
    rate_of,
    steps,
)
from explainer.observation.observe import Observation
from explainer.shell import more
from explainer.shell.quiz import Question
from explainer.state.choice import UNTRAINED, Choice
from explainer.state.link import OPTIMIZERS, RATES
from explainer.state.place import Place
from explainer.training.recipes import QUICK, RECIPES
from explainer.views.learning.batch import ask_heart, lesson_name
from explainer.views.learning.recorded import load as load_recorded
from explainer.views.learning.schedule import (
    ask_schedule,
    lines,
    recorded_chart,
    results,
    shown_steps,
)
from explainer.views.learning.step import ask_step, rate_text, verdict
from vit_core import TrainConfig, ViT
from vit_core.data import Split, normalize
from vit_core.data.kept import IMAGES, OWN_PICTURES, kept_data, save_images
from vit_core.learning.step import optimizers_for
from vit_core.training.optimizers import build_optimizers, lr_factor

Open = Callable[..., AppTest]
TEXTS = load_texts("learning_step")
SIX = ("LayerScale", "no class token", "one head", "two classes", "no_residual", "no_position")


@pytest.fixture(autouse=True)
def nothing_is_kept() -> None:
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


def stepped(choice: Choice, target: int, name: str, rate: float) -> ViT:
    """Return a copy of a model after one step of a real optimizer, without weight decay."""
    model = copy.deepcopy(source_of(choice).model)
    config, gradients = recipe_of(choice).config, lesson(choice, target).weights
    for key, parameter in model.named_parameters():
        parameter.grad = torch.tensor(gradients[key])
    if name in ("sgd", "momentum"):
        torch.optim.SGD(model.parameters(), rate, momentum=0.9 * (name == "momentum")).step()
        return model
    if name == "adam":
        torch.optim.AdamW(
            model.parameters(), rate, betas=(0.9, config.beta2), weight_decay=0
        ).step()
        return model
    no_decay = TrainConfig(lr=config.lr, muon_lr=config.muon_lr, beta2=config.beta2, weight_decay=0)
    for optimizer in optimizers_for("muon", model, rate, no_decay):
        optimizer.step()
    return model


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", SIX)
def test_the_losses_are_those_after_a_step_of_the_real_optimizer(
    unlike: Callable[[str], tuple[Choice, Observation]], name: str, optimizer: str
) -> None:
    choice, seen = unlike(name)
    target = (int(seen.prediction) + 1) % len(seen.class_names)
    found = steps(choice, target, optimizer)
    source = source_of(choice)
    image, label = source.batch(seen.pixels).double(), torch.tensor([target])
    before = F.cross_entropy(copy.deepcopy(source.model).double()(image), label)
    assert found.before == pytest.approx(float(before.detach()), rel=1e-6)
    assert found.before == pytest.approx(lesson(choice, target).loss, rel=1e-3)
    for tenths in (-30, -10, 0):
        after = stepped(choice, target, optimizer, rate_of(tenths)).double()
        with torch.no_grad():
            logits = after(image)
        index = RATES.index(tenths)
        loss = float(F.cross_entropy(logits, label))
        assert found.losses[index] == pytest.approx(loss, rel=2e-3, abs=1e-5)
        shares = logits.softmax(dim=1)[0].numpy()
        np.testing.assert_allclose(found.probabilities[index], shares, atol=1e-3)


def test_zones_are_what_the_losses_say() -> None:
    losses = np.array([0.95, 0.91, 0.9, 0.2, 1.0, 1.01, math.nan, 0.5, 2.0])
    zones = Steps(1.0, losses, np.zeros((9, 2))).zones
    assert zones == (
        *(TOO_SMALL, TOO_SMALL, RIGHT, RIGHT, TOO_SMALL, TOO_LARGE, TOO_LARGE, LEAP, TOO_LARGE),
    )


@pytest.mark.parametrize(
    ("tenths", "text"),
    [(-50, "0.00001"), (-49, "0.000013"), (-10, "0.1"), (0, "1"), (2, "1.6"), (20, "100")],
)
def test_a_learning_rate_is_written_with_two_digits(tenths: int, text: str) -> None:
    assert rate_text(tenths) == text


def test_each_optimizer_has_its_direction_and_length(
    unlike: Callable[[str], tuple[Choice, Observation]],
) -> None:
    choice, seen = unlike("LayerScale")
    target = int(seen.prediction)
    found, gradients = all_optimizers(choice, target, 1), lesson(choice, target).weights
    matrix = "blocks.1.attn.qkv.weight"
    for name in OPTIMIZERS:
        changed = stepped(choice, target, name, 1.0).state_dict()[matrix]
        change = (changed - source_of(choice).model.state_dict()[matrix]).double().flatten()
        down = -torch.tensor(gradients[matrix]).double().flatten()
        one = found[name].first[matrix]
        assert one.length == pytest.approx(float(change.norm()), rel=0.02)
        cosine = float(change @ down / change.norm() / down.norm())
        assert one.cosine == pytest.approx(cosine, abs=0.02)
    every = found["sgd"].first[EVERY]
    squares = sum(float(np.square(one.astype(float)).sum()) for one in gradients.values())
    assert every.cosine == pytest.approx(1) and every.length == pytest.approx(squares**0.5)
    assert [*found["adam"].first][-2:] == [REST, EVERY]
    momentum = found["momentum"]
    assert momentum.again[EVERY].length / momentum.first[EVERY].length == pytest.approx(
        (1 - 0.9**10) / 0.1, rel=1e-5
    )
    inside = {name for name in gradients if name.startswith("blocks.") and ".weight" in name}
    assert muon_matrices(choice) == {name for name in inside if gradients[name].ndim == 2}


# a batch


def test_a_batch_is_that_of_gradients_taken_one_by_one(
    unlike: Callable[[str], tuple[Choice, Observation]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explainer.observation.learning.labelled.IN_BATCH", 12)
    monkeypatch.setattr("explainer.observation.learning.labelled.OTHERS", 3)
    choice, seen = unlike("no class token")
    target, source = int(seen.prediction), source_of(choice)
    found, pictures = batch_of(choice, target), labelled(choice, source, available(choice))
    assert found.count == 12

    def gradient(image: torch.Tensor, label: int) -> torch.Tensor:
        model = copy.deepcopy(source.model)
        F.cross_entropy(model(image[None]), torch.tensor([label])).backward()
        return torch.cat([one.grad.flatten() for one in model.parameters()]).double()

    own = gradient(source.batch(seen.pixels)[0], target)
    labels = pictures.batch_labels.tolist()
    rows = torch.stack(
        [gradient(image, label) for image, label in zip(pictures.batch, labels, strict=True)]
    )
    mean, units = rows.mean(dim=0), F.normalize(rows, dim=1)
    assert found.with_mean == pytest.approx(float(F.cosine_similarity(own, mean, dim=0)), abs=1e-4)
    assert found.mean_length == pytest.approx(float(mean.norm()), rel=1e-4)
    assert found.typical_length == pytest.approx(float(rows.norm(dim=1).mean()), rel=1e-4)
    assert found.length == pytest.approx(float(own.norm()), rel=1e-4)
    for row, first in enumerate(found.classes.tolist()):
        of_class = [units[i] @ F.normalize(own, dim=0) for i, n in enumerate(labels) if n == first]
        assert found.of_picture[row] == pytest.approx(
            float(sum(of_class) / len(of_class)), abs=1e-4
        )
        for column, second in enumerate(found.classes.tolist()):
            pairs = [
                float(units[i] @ units[j])
                for i, one in enumerate(labels)
                for j, other in enumerate(labels)
                if i != j and (one, other) == (first, second)
            ]
            expected = float(np.mean(pairs)) if pairs else math.nan
            assert found.between[row, column] == pytest.approx(expected, abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("name", ["LayerScale", "no_residual", "CIFAR-10", "two classes"])
def test_learning_by_heart_is_real_training(
    unlike: Callable[[str], tuple[Choice, Observation]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("explainer.observation.learning.labelled.OTHERS", 20)
    choice, seen = unlike(name)
    target, source, there = int(seen.prediction), source_of(choice), available(choice)
    if name == "two classes":  # for which the app has no pictures
        assert there.in_batch == there.others == 0
        return
    found, pictures = learned_by_heart(choice, target), labelled(choice, source, there)
    assert found.count == there.others == (20 if there.kind == DIGIT else 9)
    own, image = copy.deepcopy(source.model), source.batch(seen.pixels)
    optimizers = build_optimizers(own, recipe_of(choice).config)
    for step in range(STEPS + 1):
        with torch.no_grad():
            answers = own(pictures.others)
        right = (answers.argmax(dim=1) == pictures.other_labels).double().mean()
        assert found.accuracies[step] == pytest.approx(float(right), abs=0.06)
        own.zero_grad()
        loss = F.cross_entropy(own(image), torch.tensor([target]))
        assert found.picture_losses[step] == pytest.approx(float(loss.detach()), rel=0.05, abs=1e-4)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()


def test_a_run_that_keeps_its_images_is_tried_on_them(
    unlike: Callable[[str], tuple[Choice, Observation]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choice, _ = unlike("two classes")
    images = torch.randint(0, 256, (7, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    split = Split(images.to(torch.uint8), torch.tensor([0, 1, 0, 1, 0, 1, 1]))
    data = kept_data(OWN_PICTURES, ("a", "b"), split.first(4), split.first(3), split.first(3))
    save_images(tmp_path, data)
    monkeypatch.setattr(pictures_at_hand, "kept_folder", lambda choice: tmp_path)
    there = available(choice)
    assert (there.kind, there.in_batch, there.others) == (OWN, 4, 3)
    assert batch_of(choice, 0).counts.tolist() == [2, 2]
    found, model = learned_by_heart(choice, 0), source_of(choice).model
    assert found.count == 3
    with torch.no_grad():
        logits = model(normalize(split.images[:3], source_of(choice).info))
    right = float((logits.argmax(dim=1) == split.labels[:3]).double().mean())
    assert found.accuracies[0] == pytest.approx(right)
    (tmp_path / IMAGES).write_bytes(b"damaged")
    st.cache_resource.clear()
    assert available(choice).in_batch == 0


def test_the_question_on_learning_by_heart_has_the_right_answer(
    unlike: Callable[[str], tuple[Choice, Observation]], monkeypatch: pytest.MonkeyPatch
) -> None:
    choice, seen = unlike("LayerScale")
    monkeypatch.setattr("explainer.observation.learning.labelled.OTHERS", 20)
    found = learned_by_heart(choice, int(seen.prediction))
    texts = TEXTS["batch"]
    for last, loss, option, lesson_said in (
        (0.5, 1.0, "heart_same", "heart_fine"),
        (0.5, 2.0, "heart_same", "heart_costly"),
        (0.49, 1.0, "heart_same", "heart_fine"),
        (0.48, 1.0, "heart_less", "heart_worse"),
        (0.4, 1.0, "heart_less", "heart_worse"),
        (0.3, 1.0, "heart_much", "heart_worse"),
        (0.6, 1.0, "heart_more", "heart_fine"),
    ):
        found.accuracies[:], found.losses[:] = np.linspace(0.5, last, 11), np.linspace(1, loss, 11)
        question = ask_heart(found)
        assert question.options[question.answer] == texts[option]
        assert lesson_name(found) == lesson_said


# a schedule


def test_a_shipped_model_has_its_own_schedule() -> None:
    choice = choice_of("default")
    recipe, found = recipe_of(choice), schedule(choice)
    config = recipe.config
    assert recipe.is_own and recipe.epoch == config.epochs == 14 and recipe.steps_per_epoch == 429
    expected = [lr_factor(step, 14 * 429, config) for step in range(14 * 429)]
    assert found.factors.tolist() == expected
    said = " ".join(lines(recipe, found))
    assert f"first {round(config.warmup * 14 * 429):,} of 6,006 steps" in said


def test_an_untrained_model_has_the_schedule_with_which_training_begins() -> None:
    recipe = recipe_of(choice_of(UNTRAINED))
    assert recipe.config == RECIPES[QUICK][1] and not recipe.is_own and recipe.epoch is None
    assert recipe.steps_per_epoch == 429


def test_a_run_is_marked_at_the_chosen_epoch(make_run: Callable[..., Any]) -> None:
    run = make_run(epochs=(0, 1, 2))
    for epoch in (0, 1, 2):
        source = load_saved(run.id, epoch)
        recipe = recipe_of(source)
        assert recipe.is_own is (source_of(source).checkpoint.train_config is not None)


def load_saved(run: str, epoch: int) -> Choice:
    from explainer.state.choice import saved

    config = load.load_source(saved(run, epoch)).model.config
    return choice_of(saved(run, epoch), config)


@pytest.mark.parametrize("count", [1, 2, 799, 800, 801, 6006])
def test_a_long_run_is_drawn_with_its_first_and_last_step(count: int) -> None:
    shown = shown_steps(count)
    assert shown[0] == 0 and shown[-1] == count - 1 and len(shown) == min(count, 800)


def test_recorded_schedules_are_shown_as_they_were_recorded() -> None:
    kept = load_recorded("schedule")
    figure = recorded_chart(kept, "light")
    usual = [run for run in kept["runs"] if run["times"] == 1]
    assert len(figure.data) == len(usual) == len({run["schedule"] for run in usual})
    for trace, run in zip(figure.data, usual, strict=True):
        steps = [point["step"] for point in run["curve"]]
        assert list(trace.x) == steps and steps[-1] == kept["steps"]
        np.testing.assert_allclose(10**trace.y, [point["val_loss"] for point in run["curve"]])
    said = results(kept)
    assert len(said) == len(kept["runs"]) == len({*said})
    for line, run in zip(said, kept["runs"], strict=True):
        assert percent(run["validation_accuracy"]) in line
        assert (f"{run['times']} times as high" in line) is (run["times"] != 1)


# the page


@pytest.mark.usefixtures("shipped")
def test_the_page_says_what_was_computed(open_page: Open, asked_questions: list[Question]) -> None:
    app = open_page("learning", source="seed", optimizer="muon", rate="-15")
    assert not app.exception
    choice, seen = choice_and_observation("seed")
    target = seen.label
    assert target is not None
    found = steps(choice, target, "muon")
    index = RATES.index(-15)
    said = texts_of(app)
    assert f"from **{written(found.before)}** to **{written(found.losses[index])}**" in said
    assert f"With Muon and η = {rate_text(-15)}" in said
    assert TEXTS["step"][f"verdict_{found.zones[index]}"] in said
    place = Place(choice.config, optimizer="muon", rate=-15)
    assert verdict(place, found) in said
    asked = {question.name: question for question in asked_questions}
    plain = steps(choice, target, "sgd")
    (question,) = ask_step(choice, seen, place)
    assert asked["step"] == question
    after = float(plain.losses[RATES.index(0)])
    right = TEXTS["questions"]["step"][
        "rises" if after > plain.before else "falls" if after <= 0.9 * plain.before else "little"
    ]
    assert question.options[question.answer] == right
    (question,) = ask_schedule(choice, seen, place)
    assert asked["schedule"] == question
    best = int(schedule(choice).factors.argmax()) + 1
    assert question.options[question.answer] == f"In step {best:,}, after the warm-up"


@pytest.mark.usefixtures("shipped")
def test_the_question_needs_two_passes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    choice, seen = choice_and_observation("seed")
    runs: list[int] = []
    along = computed.along

    def counted(*values: Any) -> Any:
        runs.append(len(values[-1]))
        return along(*values)

    monkeypatch.setattr(computed, "along", counted)
    place = Place(choice.config)
    assert ask_step(choice, seen, place) == ask_step(choice, seen, place)
    assert runs == [2]
    assert seen.label is not None
    found = steps(choice, seen.label, "sgd")
    before, after = computed.single(choice, seen.label, "sgd", 0)
    assert (before, after) == (found.before, found.losses[RATES.index(0)])


@pytest.mark.usefixtures("shipped")
def test_a_batch_is_computed_when_somebody_asks(open_page: Open) -> None:
    app = open_page("learning", source="seed")
    assert "Mean cosine" not in html_of(app)
    texts = TEXTS["batch"]
    next(b for b in app.button if b.label == texts["ask"].format(count=128)).click()
    next(b for b in app.button if b.label == texts["heart_ask"].format(steps=STEPS)).click()
    app.run()
    while "Mean cosine" not in html_of(app) or not any(
        button.label == texts["heart_show"] for button in app.button
    ):
        sleep(0.05)
        app.run()
        assert not app.exception
    choice, seen = choice_and_observation("seed")
    target = seen.label
    assert target is not None
    found, learned = batch_of(choice, target), learned_by_heart(choice, target)
    assert f"{found.of_picture[target]:.2f}".replace("-", "−") in html_of(app)
    before, after = (percent(float(learned.accuracies[at])) for at in (0, -1))
    assert f"reads **{before}** of the 500 others right" in texts_of(app)
    assert f"reads **{after}** right" not in texts_of(app), "the answer comes after the question"
    next(b for b in app.button if b.label == texts["heart_show"]).click().run()
    assert f"reads **{after}** right, {before} before" in texts_of(app)


@pytest.mark.usefixtures("shipped")
def test_who_reads_a_page_without_a_browser_gets_all_of_it(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    listener = lambda pictures: names.extend(picture.name for picture in pictures)  # noqa: E731
    monkeypatch.setattr(more, "listeners", more.listeners)
    more.listeners.append(listener)
    try:
        app = open_page("learning", source="seed")
    finally:
        more.listeners.remove(listener)
    assert not app.exception
    for name in (
        "rate-chart",
        "optimisers",
        "gradient-cosines",
        "heart-shares",
        "recorded-schedules",
    ):
        assert any(found.endswith(name) for found in names), names


def test_a_model_that_is_too_large_is_left_out(
    unlike: Callable[[str], tuple[Choice, Observation]], monkeypatch: pytest.MonkeyPatch
) -> None:
    choice, _ = unlike("LayerScale")
    assert batches.can_be_computed(choice, 129) and computed.are_cheap(choice)
    monkeypatch.setattr(batches, "MOST_WORK", 1e6)
    assert not batches.can_be_computed(choice, 129)
