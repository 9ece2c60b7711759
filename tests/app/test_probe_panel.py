"""The panel for own pictures, the probe that is fitted there, and its run on the pages."""

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_process import FakeProcess
from own_pictures import COLOURS, picture, three_classes
from reading import html_of, unfold
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explainer import training
from explainer.content import load_texts
from explainer.inputs.models import load, pretrained, probes
from explainer.inputs.models.probe_file import FILE, LEVELS, ProbeResult, load_result
from explainer.inputs.models.probes import Backbone, Job, Jobs, Order
from explainer.inputs.models.saved_epochs import result as result_of
from explainer.inputs.pictures.own.collection import Collection
from explainer.state.choice import saved
from explainer.training import Manager, RefusedError, Run, scheduler
from explainer.training.housekeeping import usage_of
from explainer.training.limits import load_limits
from explainer.training.run import PROBED
from explainer.views.train.pictures import learn
from explainer.views.train.pictures.learn import image_data, recipe
from vit_core import CheckpointError, ViT, ViTConfig, save_checkpoint
from vit_core.data import DataInfo, normalize
from vit_core.interpret.head_file import is_head
from vit_core.pretrained.preprocessing import Preprocessing
from vit_core.runs.file_names import is_run_file

HOME = Path(__file__).parents[2] / "explainer" / "Home.py"
ANNA, BEN = "a" * 32, "b" * 32
TEXTS = load_texts("own_pictures")
TINY = ViTConfig(
    image_size=16, in_channels=3, num_classes=2, patch_size=4, embed_dim=16, depth=1, num_heads=2,
    pool="mean",
)  # fmt: skip


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    made = Manager(tmp_path / "runs", load_limits(), FakeProcess)
    monkeypatch.setattr(training, "the_manager", lambda: made)
    yield made
    made.close()


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny model stands for the CIFAR-10 model, with the same class names and the same data."""
    info = load.load_source("cifar10").info
    folder = tmp_path / "shipped"
    folder.mkdir()
    torch.manual_seed(0)
    config = replace(TINY, num_classes=10)
    save_checkpoint(ViT(config), folder / "cifar10.safetensors", data=info)
    source = load.read_source(folder / "cifar10.safetensors")
    usual = load.load_source
    for module in (load, probes):
        monkeypatch.setattr(
            module,
            "load_source",
            lambda name, *rest, **more: source if name == "cifar10" else usual(name, *rest, **more),
        )


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes are fitted while the visitor waits."""

    class Pool:
        def submit(self, work: Callable, *arguments: Any) -> None:
            work(*arguments)

    found = Jobs()
    found._pool = Pool()  # type: ignore[assignment]
    for module in (probes, learn):
        monkeypatch.setattr(module, "jobs", lambda: found)


def brought(count: int = 8) -> dict[str, tuple]:
    found, content = Collection(), three_classes(count)
    found.add_zip(io.BytesIO(content), len(content))
    return {name: tuple(pictures) for name, pictures in found.classes.items()}


def order(backbone: Backbone | None = None, count: int = 8, guess: int = 7) -> Order:
    return Order(backbone or probes.backbones()[-1], brought(count), guess)


def fitted_run(manager: Manager, visitor: str = ANNA, **how: Any) -> Run:
    wanted = order(**how)
    job = Job(wanted.count)
    probes.carry_out(job, manager, visitor, wanted)
    assert (job.state, job.message) == ("done", "")
    return manager.find(job.run_id)


def open_train(visitor: str = ANNA, **params: str) -> AppTest:
    app = AppTest.from_file(HOME, default_timeout=60)
    app.session_state["visitor"] = visitor
    for name, text in params.items():
        app.query_params[name] = text
    app._page_hash = calc_hash("train")
    return checked(app.run())


def checked(app: AppTest) -> AppTest:
    assert not app.exception, app.exception[0].message
    return app


def words_of(app: AppTest) -> str:
    blocks = (*app.markdown, *app.get("html"), *app.error, *app.success, *app.header)
    return "\n".join(getattr(one, "value", "") or one.proto.body for one in blocks)


# the probe as a run


def test_a_probe_is_a_run_of_its_visitor_with_one_model(manager: Manager, shipped: None) -> None:
    run = fitted_run(manager)
    assert (run.status, run.is_active, run.can_resume) == (PROBED, False, False)
    assert run.belongs_to(ANNA) and run.title == "Probe: blue, green, red"
    assert run.history.epochs() == (1,)
    assert all(is_run_file(path.name) for path in run.history.path.iterdir())
    source = load.load_source(saved(run.id, 1))
    assert source.info.class_names == ("blue", "green", "red")
    assert source.model.config == replace(TINY, num_classes=3)
    assert source.checkpoint.pictures is not None and source.gallery.startswith("of-model")
    result = load_result(run.history.path)
    assert (result.held_out, result.learned, result.guess) == (6, (6, 6, 6), 7)
    assert result.right == 6, "the classes differ in colour"
    assert run.history.epoch_line(1)["val_accuracy"] == 1.0
    assert result_of(run) == "100 %"
    assert usage_of(manager.store).uploads == {run.id}


def test_its_answers_are_those_of_the_saved_model(manager: Manager, shipped: None) -> None:
    run = fitted_run(manager)
    source, result = load.load_source(saved(run.id, 1)), load_result(run.history.path)
    one = result.asked[0]
    kept = [picture for kind in order().classes.values() for picture in kind]
    shown = next(p for p in kept if base64.b64encode(p.content).decode() == one.picture)
    pixels = torch.from_numpy(source.prepare(shown.open()).transpose(2, 0, 1).copy())[None]
    with torch.no_grad():
        logits = source.model(normalize(pixels, source.info))[0]
    assert int(logits.argmax()) == one.predicted
    assert float(logits.softmax(dim=0).max()) == pytest.approx(one.share, abs=1e-4)
    # with mean pooling what the patches say adds up to the answer
    assert result.pool == "mean" and len(one.patches) == 16 and max(map(abs, one.patches)) == LEVELS
    assert sum(one.patches) > 0


def test_a_large_backbone_is_named_and_not_stored(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = ViT(replace(TINY, num_classes=0)).eval()
    monkeypatch.setattr(probes, "LARGEST_STORED", 1000)
    prepared = Preprocessing(size=16, resize=18, source="a test")
    made = pretrained.Pretrained(model, prepared)
    monkeypatch.setattr(pretrained, "read", lambda name: made)
    pretrained.slots.clear()
    run = fitted_run(manager, backbone=Backbone("hf/a/b", probes.title_of("hf/a/b")))
    path = run.history.checkpoint(1)
    assert is_head(path) and path.stat().st_size < 40_000
    source = load.load_source(saved(run.id, 1))
    assert source.model.blocks is model.blocks
    assert source.info.class_names == ("blue", "green", "red")
    assert source.checkpoint.pictures is not None

    def gone(name: str) -> None:
        raise CheckpointError("the backbone is gone.")

    monkeypatch.setattr(pretrained, "read", gone)
    pretrained.slots.clear()
    with pytest.raises(CheckpointError, match="gone"):
        load.load_source(saved(run.id, 1))
    pretrained.slots.clear()


def test_a_probe_that_nobody_waits_for_ends(
    manager: Manager, shipped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for end in (lambda job: job.cancelled.set(), lambda job: setattr(job, "asked_at", -1e9)):
        job = Job(18)
        end(job)
        probes.carry_out(job, manager, ANNA, order())
        assert job.state == "cancelled" and manager.runs_of(ANNA) == []


def test_errors_become_a_sentence(
    manager: Manager, shipped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    job = Job(18)
    monkeypatch.setattr(manager.store, "write", full)
    probes.carry_out(job, manager, ANNA, order())
    assert job.state == "failed" and "No space left" in job.message
    assert not any((manager.store.root).glob("*/epoch*")), "nothing stays"


def test_too_many_probes_are_refused(
    manager: Manager, shipped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Jobs()
    monkeypatch.setattr(waiting._pool, "submit", lambda *_: None)
    for _ in range(probes.MAX_JOBS):
        waiting.start(manager, ANNA, order())
    with pytest.raises(RefusedError, match="Too many visitors"):
        waiting.start(manager, ANNA, order())
    fitted_run(manager)
    monkeypatch.setattr(probes, "MAX_PROBES", 1)
    with pytest.raises(RefusedError, match="1 probes already"):
        Jobs().start(manager, ANNA, order())


def test_a_damaged_result_is_not_shown(manager: Manager, shipped: None) -> None:
    run = fitted_run(manager)
    path = run.history.path / FILE
    values = json.loads(path.read_text())
    assert ProbeResult.from_values(values) == load_result(run.history.path)
    asked = values["asked"][0]
    for change in (
        {"confusion": [[1]]},
        {"guess": 11},
        {"names": ["a"]},
        {"penalty": "x"},
        {"learned": [1, 2, 3, 4]},
        {"more": 1},
        {"asked": [asked | {"picture": "PHN2Zz4="}]},
        {"asked": [asked | {"columns": 5}]},
        {"asked": [asked | {"predicted": 3}]},
        {"asked": [asked] * 30},
    ):
        path.write_text(json.dumps(values | change))
        assert load_result(run.history.path) is None, change
    assert TEXTS["result"]["damaged"] in words_of(open_train(run=run.id))


# the panel


def bring(app: AppTest, content: bytes, key: str = "pictures-zip-0") -> AppTest:
    uploader = app.main.file_uploader(key=key)
    return checked(uploader.set_value(("my.zip", content, "application/zip")).run())


def test_from_an_empty_page_to_the_result(manager: Manager, shipped: None, at_once: None) -> None:
    app = open_train(data="pictures")
    assert "Before you send anything" in words_of(app)
    assert "72 hours" in words_of(app)
    app = bring(app, three_classes(8))
    assert "24 pictures were added." in words_of(app)
    assert "**blue** · 8 pictures" in words_of(app)
    app.slider(key="pictures-guess").set_value(9)
    app = checked(app.run())
    checked(app.button(key="pictures-start-probe").click().run())
    said = words_of(app)
    (run,) = manager.runs_of(ANNA)
    assert app.query_params["run"] in (run.id, [run.id])
    assert "of 6 held-out pictures right" in said and "You expected 9 of 10. It gets 10" in said
    assert "There are only 6 held-out pictures" in said
    assert TEXTS["result"]["mean_pool"] in said
    assert TEXTS["result"]["cls_pool"] not in said
    assert "100 % of the held-out pictures" in said  # among the visitor's runs
    labels = [one.proto.label for one in app.get("download_button")]
    assert "Checkpoint (safetensors)" in labels and "Python script of this run" not in labels
    assert "Training as a film" not in [one.label for one in app.expander]
    # somebody else sees the same through the link
    assert "of 6 held-out pictures right" in words_of(open_train(BEN, run=run.id))
    checked(app.button(key="train-another").click().run())
    assert "**blue** · 8 pictures" in words_of(app), "the pictures are still there"


def test_classes_come_one_by_one_and_go_again(manager: Manager, shipped: None) -> None:
    app = open_train(data="pictures")
    app.session_state["pictures-way"] = "files"
    app = checked(app.run())
    assert TEXTS["bring"]["name_first"] in words_of(app)
    app.text_input(key="pictures-name").set_value("tea *cups*")
    app = checked(app.run())
    files = [(f"{n}.png", picture(number=n), "image/png") for n in range(3)]
    uploader = app.main.file_uploader(key="pictures-files-0")
    app = checked(uploader.set_value([*files, ("x.png", b"no picture", "image/png")]).run())
    said = words_of(app)
    assert "3 pictures were added. x.png is left out" in said
    assert "tea \\*cups\\*" in said and "3 of at least 5 pictures" in said
    assert TEXTS["few_classes"] in said
    checked(app.button(key="pictures-remove-0").click().run())
    assert TEXTS["table"]["title"] not in words_of(app)


def test_a_hostile_zip_is_one_sentence(manager: Manager, shipped: None) -> None:
    app = bring(open_train(data="pictures"), b"no zip")
    (error,) = app.error
    assert error.value == TEXTS["zip"]["no_zip"]
    app = bring(app, three_classes(5), "pictures-zip-1")
    assert not app.error and "15 pictures were added." in words_of(app)


def test_pictures_that_the_server_dropped_are_said(manager: Manager, shipped: None) -> None:
    app = bring(open_train(data="pictures"), three_classes(5))
    kept = app.session_state["pictures-collection"]
    kept.clear()
    kept.was_dropped = True
    checked(app.run())
    assert [one.value for one in app.warning] == [TEXTS["table"]["dropped"]]


def test_a_model_from_scratch_keeps_the_pictures_with_its_run(
    manager: Manager, shipped: None
) -> None:
    app = bring(open_train(data="pictures"), three_classes(8))
    checked(app.button(key="pictures-start-scratch").click().run())
    (run,) = manager.runs_of(ANNA)
    assert run.history.config.dataset == "kept" and run.is_active
    assert (run.history.path / "images.safetensors").is_file()
    assert run.history.config.model.num_classes == len(COLOURS)


def test_pictures_are_dealt_to_three_parts_of_each_class() -> None:
    found, content = Collection(), three_classes(5)
    found.add_zip(io.BytesIO(content), len(content))
    model, train = recipe(3, found.count)
    data = image_data(found, model)
    parts = [part.labels.tolist() for part in (data.train, data.val, data.test)]
    assert parts == [[0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2], [0, 1, 2]]
    assert data.info.class_names == ("blue", "green", "red")
    load_limits().check(model, train, data)
    many, _ = recipe(10, 2_000)
    load_limits().check(many, train)


@pytest.mark.parametrize(
    "page", ["home", "classification-head", "patch-embedding", "self-attention"]
)
def test_the_pages_show_a_probe(manager: Manager, shipped: None, page: str) -> None:
    run = fitted_run(manager)
    app = AppTest.from_file(HOME, default_timeout=60)
    app.session_state["visitor"] = ANNA
    app.query_params["source"], app.query_params["run"] = "run", run.id
    if page != "home":
        app._page_hash = calc_hash(page)
    app = unfold(checked(app.run()))
    checked(app)
    if page == "home":
        said = words_of(app)
        assert "blue, green, red”" in said
        assert "a new last layer on another model" in said and "command" not in said.lower()


def test_the_data_of_a_probe_are_named(manager: Manager, shipped: None) -> None:
    run = fitted_run(manager)
    info = load.load_source(saved(run.id, 1)).info
    assert isinstance(info, DataInfo) and info.name == "own pictures"


def test_names_of_classes_are_no_markup(manager: Manager, shipped: None) -> None:
    names = ("<img src=x onerror=y>", "[a](http://b) *c*", "red")
    classes = dict(zip(names, brought(5).values(), strict=True))
    job = Job(15)
    probes.carry_out(job, manager, ANNA, Order(probes.backbones()[-1], classes))
    assert job.state == "done", job.message
    app = open_train(run=job.run_id)
    bodies = html_of(app)
    assert "<img src=x" not in bodies and "&lt;img src=x" in bodies
    texts = [one.value for one in app.markdown]
    assert not any("](http://b)" in text for text in texts), "the letters themselves"
    assert not any(re.search(r"(?<!\\)<img src=x", text) for text in texts)
