"""The scripts behind the recorded trainings: their models, their digits, and that they resume."""

import dataclasses
import json
from pathlib import Path

import chosen_on_test
import data_hunger
import pytest
import schedules
import torch
from data_hunger import MODELS, VIT, Job
from small_cnn import Linear, SmallCNN
from training_data import TINY, small_mnist

from vit_core import ViTConfig
from vit_core.data import ImageData, Split, mnist
from vit_core.data.limit import limited

SMALL = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=2, pool="mean")


@pytest.fixture
def data() -> ImageData:
    return small_mnist(train=640)


def test_the_models_are_of_like_size() -> None:
    counts = {
        model: sum(p.numel() for p in data_hunger.new_network(model, 0).parameters())
        for model in MODELS
    }
    assert counts == {"vit": VIT.num_parameters, "cnn": 89_802, "linear": 7_850}
    assert counts["cnn"] == pytest.approx(counts["vit"], rel=0.02)


@pytest.mark.parametrize("network", [SmallCNN(), Linear()], ids=["cnn", "linear"])
def test_other_models_give_a_logit_for_each_class(network: torch.nn.Module) -> None:
    assert network(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_a_convolution_is_local_and_the_same_everywhere() -> None:
    first = SmallCNN().features[0]
    picture = torch.zeros(1, 1, 28, 28)
    blank = first(picture)
    picture[0, 0, 8, 9] = 1.0
    change = first(picture) - blank
    touched = change.abs().sum(dim=(0, 1)).nonzero()
    assert touched.min(dim=0).values.tolist() == [6, 7]
    assert touched.max(dim=0).values.tolist() == [10, 11]
    moved = first(picture.roll((5, 3), (2, 3))) - blank
    torch.testing.assert_close(moved, change.roll((5, 3), (2, 3)))


def test_the_same_seed_makes_the_same_network() -> None:
    state = torch.get_rng_state()
    for model in MODELS:
        first, second = (data_hunger.new_network(model, 3).state_dict() for _ in range(2))
        assert all(torch.equal(first[key], second[key]) for key in first)
    assert torch.equal(torch.get_rng_state(), state)


def test_small_sets_are_those_of_the_training_command() -> None:
    data = mnist()
    assert isinstance(data.train, Split)
    for digits in (100, 300, 10_000):
        mine = data_hunger.subset(data.train, digits)
        assert torch.bincount(mine.labels).tolist() == [digits // 10] * 10
        theirs = limited(data, digits // 10).train
        assert torch.equal(mine.labels, theirs.labels)
        assert torch.equal(mine.images, theirs.at([*range(digits)]))
    assert data_hunger.subset(data.train, 55_000) is data.train


def test_every_pass_has_each_image_once() -> None:
    batches = data_hunger.batches(300, 128, torch.Generator().manual_seed(0))
    found = [next(batches) for _ in range(6)]
    for start in (0, 2, 4):
        seen = torch.cat(found[start : start + 2])
        assert len(seen) == len(seen.unique()) == 256
    assert not torch.equal(found[0], found[2])
    small = data_hunger.batches(100, 128, torch.Generator().manual_seed(0))
    assert len(next(small).unique()) == 100


def test_a_curve_has_its_first_and_last_step() -> None:
    steps = data_hunger.curve_steps(858)
    assert min(steps) == 1 and max(steps) == 858 and 15 < len(steps) <= data_hunger.CURVE_POINTS


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("augment", [False, True])
def test_a_training_is_scored_and_the_same_again(
    model: str, augment: bool, data: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_hunger, "CURVE_SIZE", 100)
    job = Job(model, 100, augment, 1)
    entry, again = (data_hunger.run(job, data, 12, SMALL) for _ in range(2))
    for one in (entry, again):
        assert one.pop("seconds") > 0
    assert entry == again
    assert job.is_done([entry]) and not dataclasses.replace(job, seed=2).is_done([entry])
    assert entry["curve"][-1]["step"] == 12 and entry["curve"][-1]["epoch"] == 12
    assert entry["curve"][-1]["train_loss"] == entry["train_loss"] < entry["curve"][0]["train_loss"]
    assert entry["curve"][-1]["val_accuracy"] == entry["validation_accuracy"]
    other = data_hunger.run(dataclasses.replace(job, seed=2), data, 12, SMALL)
    assert other["train_loss"] != entry["train_loss"]


def test_what_is_in_the_file_is_not_trained_again(
    data: ImageData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "made" / "found.json"
    monkeypatch.setattr(data_hunger, "mnist", lambda: data)
    trained: list[Job] = []

    def run(job: Job, _: ImageData) -> dict[str, object]:
        trained.append(job)
        if len(trained) == 3:
            raise KeyboardInterrupt
        return dict(vars(job))

    monkeypatch.setattr(data_hunger, "run", run)
    some = ["--models", "linear", "--seeds", "0", "--sizes", "100", "300"]
    monkeypatch.setattr("sys.argv", ["data_hunger.py", *some, "--out", str(path)])
    with pytest.raises(KeyboardInterrupt):
        data_hunger.main()
    data_hunger.main()
    assert len(trained) == 5 and trained[2] == trained[3], "the one that was interrupted"
    data_hunger.main()
    assert len(trained) == 5
    content = json.loads(path.read_text("utf-8"))
    assert [Job(**entry) for entry in content["runs"]] == data_hunger.all_jobs(
        [0], ["linear"], (100, 300)
    )
    assert content["steps"] == data_hunger.STEPS and content["command"].endswith("data_hunger.py")


@pytest.mark.parametrize("schedule", schedules.SCHEDULES)
def test_a_schedule_has_its_rates(
    schedule: str, data: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "EVERY", 2)
    usual, config = (
        dataclasses.replace(schedules.settings(schedule, times, 3), batch_size=64, epochs=2)
        for times in (1, 4)
    )
    assert (config.lr, config.muon_lr) == (4 * usual.lr, 4 * usual.muon_lr)
    found = schedules.run(config, data, TINY)
    assert [point["step"] for point in found["curve"]] == [*range(2, 21, 2)]
    rates = [point["lr"] for point in found["curve"]]
    has_warmup, has_decay = schedule in ("both", "no_decay"), schedule in ("both", "no_warmup")
    assert (rates[-1] < 0.2 * config.lr) is has_decay
    assert max(rates) == pytest.approx(config.lr, rel=0.06)
    assert (schedules.settings(schedule, 1, 0).warmup > 0) is has_warmup
    assert 0 <= found["validation_accuracy"] <= 1 and found["seconds"] > 0


def test_choosing_flatters_only_where_there_is_a_choice() -> None:
    generator = torch.Generator().manual_seed(0)
    right = torch.rand((8, 2_000), generator=generator) < 0.8  # all of them equally good
    alone, of_two, of_eight = (
        chosen_on_test.flattery(right, models, 100, 400, generator) for models in (1, 2, 8)
    )
    gaps = [one["on_seen"] - one["on_fresh"] for one in (alone, of_two, of_eight)]
    assert abs(gaps[0]) < 0.01
    # the best of two and of eight normal draws: 0.564 and 1.424 deviations of 4 points
    assert gaps[1] == pytest.approx(0.0226, abs=0.008)
    assert gaps[2] == pytest.approx(0.057, abs=0.010)
    assert alone["spread"] == pytest.approx(0.04, rel=0.15)


def test_models_without_a_mistake_cannot_be_flattered() -> None:
    generator = torch.Generator().manual_seed(0)
    found = chosen_on_test.flattery(torch.ones(4, 50, dtype=torch.bool), 3, 10, 20, generator)
    assert found == {"on_seen": 1.0, "on_fresh": 1.0, "spread": 0.0}


def test_right_answers_are_those_of_the_model(data: ImageData) -> None:
    network = data_hunger.new_network("linear", 0)
    right = chosen_on_test.right_answers(network, data.val, data.info)
    assert torch.equal(right, data.val.labels == 0), "all logits are 0, so the first is chosen"
