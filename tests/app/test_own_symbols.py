"""Symbols that a visitor drew: what is refused, how they are learned, and which pages take more."""

import base64
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fake_process import FakeProcess
from reading import html_bodies, html_of, refusals_of, state_of, texts_of
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explainer import training
from explainer.content import load_texts
from explainer.figures.few_drawings import few_drawings
from explainer.inputs.pictures import chosen, link_code
from explainer.inputs.pictures.symbols import (
    AIM,
    CLASSES,
    DRAWINGS,
    LONGEST_NAME,
    SymbolsError,
    as_data,
    read_symbols,
)
from explainer.state.choice import DIGITS, DRAWN, RUN, Choice, takes_drawings
from explainer.training import Manager, Run, scheduler
from explainer.training.limits import load_limits
from explainer.training.symbols import BASE, FINE, SCRATCH, STEPS, WAYS, init_of, settings
from explainer.views.train.symbols import request_of
from explainer.views.train.symbols.recorded import question, recorded
from vit_core import ViTConfig, build, save_checkpoint
from vit_core.data.kept import KEPT, OWN_SYMBOLS, load_images, save_images
from vit_core.data.sample_pictures import sample_pictures
from vit_core.mistakes import build_with
from vit_core.runs.directory import RunDirectory
from vit_core.training.evaluation import evaluate
from vit_core.training.loop import Training

HOME = Path(__file__).parents[2] / "explainer" / "Home.py"
ANNA = "a" * 32
HOSTILE = "**x** [y](http://e) {z}"


def bars(counts: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return drawings whose class is how steep their stroke is, (n, 28, 28) uint8."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:28, :28] - 13.5
    drawn = []
    for label, count in enumerate(counts):
        for _ in range(count):
            angle = np.pi * label / len(counts) + random.normal(0, 0.1)
            off = np.abs(np.cos(angle) * rows - np.sin(angle) * columns + random.normal(0, 1))
            along = np.abs(np.sin(angle) * rows + np.cos(angle) * columns)
            drawn.append(255 * ((off < random.uniform(1, 2.5)) & (along < 9)))
    return np.stack(drawn).astype(np.uint8)


def sent(counts: tuple[int, ...] = (5, 6), names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return what a browser sends."""
    names = names or tuple(f"symbol {place}" for place in range(len(counts)))
    classes = [{"name": n, "drawings": c} for n, c in zip(names, counts, strict=True)]
    pixels = base64.b64encode(bars(counts).tobytes()).decode()
    return {"how": SCRATCH, "classes": classes, "pixels": pixels}


def test_every_fifth_drawing_of_each_symbol_is_kept_back() -> None:
    symbols = read_symbols(sent((5, 11, 20)))
    data = as_data(symbols)
    assert data.info.name == OWN_SYMBOLS
    assert data.info.class_names == ("symbol 0", "symbol 1", "symbol 2")
    assert torch.bincount(data.train.labels).tolist() == [4, 9, 16]
    assert torch.bincount(data.val.labels).tolist() == [1, 2, 4]
    back = [4, 5 + 4, 5 + 9, *(16 + place for place in (4, 9, 14, 19))]
    np.testing.assert_array_equal(data.val.images[:, 0], symbols.drawings[back])
    learned = {image.tobytes() for image in data.train.images.numpy()}
    assert not learned & {image.tobytes() for image in data.val.images.numpy()}


def test_a_run_can_keep_them(tmp_path: Path) -> None:
    data = as_data(read_symbols(sent(names=("ster", "גלב"))))
    save_images(tmp_path, data)
    kept = load_images(tmp_path)
    assert kept.info == data.info
    torch.testing.assert_close(kept.val.images, data.test.images)


def changed(**values: Any) -> dict[str, Any]:
    return {**sent(), **values}


@pytest.mark.parametrize(
    ("hostile", "said"),
    [
        (None, "did not arrive whole"),
        ([], "did not arrive whole"),
        ({}, "did not arrive whole"),
        (changed(classes="star"), "did not arrive whole"),
        (changed(classes=[["star", 5]]), "did not arrive whole"),
        (changed(classes=[{"name": 3, "drawings": 5}]), "did not arrive whole"),
        (changed(classes=[{"name": "a", "drawings": True}]), "did not arrive whole"),
        (changed(classes=[{"name": "a", "drawings": 5.0}]), "did not arrive whole"),
        (changed(pixels=3), "did not arrive whole"),
        (changed(pixels=sent()["pixels"][:-4]), "did not arrive whole"),
        (changed(pixels="*" + sent()["pixels"][1:]), "did not arrive whole"),
        (changed(pixels="é" + sent()["pixels"][1:]), "did not arrive whole"),
        (sent((5,)), "There are 1 symbols. Between 2 and 10 can be learned."),
        (sent((5,) * 11), "There are 11 symbols. Between 2 and 10 can be learned."),
        (sent(names=("a", " ")), "“” cannot be the name of a symbol"),
        (sent(names=("a", "b" * 25)), "A name has 1 to 24 letters."),
        (sent(names=("Star", " STAR ")), "Two symbols are called “STAR”"),
        (sent((5, 4)), "“symbol 1” has 4 drawings. Each symbol needs 5 to 20."),
        (sent((5, 21)), "“symbol 1” has 21 drawings. Each symbol needs 5 to 20."),
        (sent((5, 0)), "“symbol 1” has 0 drawings."),
    ],
)
def test_what_cannot_be_learned_is_refused_in_a_sentence(hostile: object, said: str) -> None:
    with pytest.raises(SymbolsError) as caught:
        read_symbols(hostile)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message and len(message) < 300


@pytest.mark.parametrize("count", [10**12, -5])
def test_a_count_that_was_made_up_takes_no_memory(count: int) -> None:
    hostile = sent()
    hostile["classes"][0]["drawings"] = count
    with pytest.raises(SymbolsError, match="Each symbol needs"):
        read_symbols(hostile)


def test_an_empty_drawing_and_one_under_two_names_are_refused() -> None:
    drawings = bars((5, 5))
    drawings[7] = 0
    hostile = changed(
        classes=[{"name": name, "drawings": 5} for name in ("a", HOSTILE)],
        pixels=base64.b64encode(drawings.tobytes()).decode(),
    )
    with pytest.raises(SymbolsError) as caught:
        read_symbols(hostile)
    assert str(caught.value).startswith(f"Drawing 3 of “{HOSTILE}” is empty.")  # these very letters
    drawings[7] = drawings[2]
    hostile["pixels"] = base64.b64encode(drawings.tobytes()).decode()
    with pytest.raises(SymbolsError, match="is the same as a drawing of “a”"):
        read_symbols(hostile)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("classes", "drawings"), [(2, 8), (5, 40), (10, 160)])
def test_a_run_takes_as_long_for_few_drawings_as_for_many(
    way: str, classes: int, drawings: int
) -> None:
    model, train = settings(way, classes, drawings)
    assert model.num_classes == classes
    steps = train.repeats * drawings // train.batch_size * train.epochs
    assert STEPS[way] <= steps <= 1.4 * STEPS[way]
    load_limits().check(model, train)


def test_a_few_steps_learn_a_handful_of_drawings() -> None:
    data = as_data(read_symbols(sent((6, 6))))
    model, train = settings(SCRATCH, 2, len(data.train))
    train = dataclasses.replace(train, epochs=2)
    small = dataclasses.replace(model, embed_dim=32, depth=2)
    learner = build_with(small, train, 0)
    for _ in Training(learner, data, train).events():
        pass
    new = torch.tensor(bars((20, 20), seed=1))[:, None]
    split = dataclasses.replace(data.val, images=new, labels=torch.arange(2).repeat_interleave(20))
    assert evaluate(learner, split, data.info).accuracy > 0.9


def test_what_is_recorded_answers_the_question() -> None:
    known = recorded()
    assert known.shares.shape == (len(known.drawings), len(WAYS))
    ten = known.shares[known.drawings.index(AIM)]
    assert ten.min() >= 0.9  # what the page promises of both ways, with ten drawings of each
    asked, scratch = question(), known.shares[:, WAYS.index(SCRATCH)]
    right = asked.options[asked.answer]
    first = next(n for n, s in zip(known.drawings, scratch, strict=True) if s >= 0.9)
    assert right == str(first)


def test_pairs_of_bars() -> None:
    shares = np.array([[1.0, 0.5], [0.256, 0.0]])
    html = few_drawings(shares, ["2 of each", "<3>"], ("digits'", "random"), "right")
    assert html.count("<tbody>") == 2
    assert "width:max(1px,25.60%)" in html and ">26 %<" in html
    assert "&lt;3&gt;" in html and "<3>" not in html
    with pytest.raises(ValueError, match="from 0 to 1"):
        few_drawings(shares * 2, ["a", "b"], ("c", "d"), "e")


# the panel


@pytest.fixture
def manager(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """A manager whose processes do nothing."""
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    made = Manager(tmp_path / "runs", load_limits(), FakeProcess)
    monkeypatch.setattr(training, "the_manager", lambda: made)
    yield made
    made.close()


@pytest.fixture
def open_symbols(manager: Manager) -> Callable[..., AppTest]:
    def open_symbols(visitor: str = ANNA, **params: str) -> AppTest:
        app = AppTest.from_file(HOME, default_timeout=60)
        app.session_state["visitor"] = visitor
        for name, value in {"data": "symbols", **params}.items():
            app.query_params[name] = value
        app._page_hash = calc_hash("train")
        app.run()
        assert not app.exception
        return app

    return open_symbols


@pytest.mark.parametrize("way", WAYS)
def test_an_order_of_the_sheet_begins_a_run(
    way: str, open_symbols: Callable, manager: Manager, click_in: Callable
) -> None:
    app = open_symbols()
    assert "stay in your browser until" in texts_of(app)
    names = (HOSTILE, "心")
    click_in(app, "symbols", {"order": {**sent(names=names), "how": way}})
    assert not app.exception
    run = manager.find(state_of(app).run)
    assert run is not None
    config = run.history.config
    assert (config.dataset, config.init) == (KEPT, init_of(way))
    assert config.init == (BASE if way == FINE else "")
    assert load_images(run.history.path).info.class_names == names


def test_a_refused_order_says_why_and_begins_nothing(
    open_symbols: Callable, manager: Manager, click_in: Callable
) -> None:
    app = open_symbols()
    for order, why in ((sent((5, 4)), "“symbol 1” has 4 drawings."), ("?", "did not arrive")):
        click_in(app, "symbols", {"order": order})
        assert not app.exception
        assert why in refusals_of(app)
        assert not manager.runs_of(ANNA)


def test_the_sheet_knows_the_limits(open_symbols: Callable, find_component: Callable) -> None:
    limits = json.loads(find_component(open_symbols(), "symbols").json)["limits"]
    assert (limits["least_classes"], limits["classes"]) == CLASSES
    assert (limits["least"], limits["drawings"]) == DRAWINGS
    assert limits["name"] == LONGEST_NAME
    assert load_limits().own_pictures >= CLASSES[1] * DRAWINGS[1]
    assert load_limits().own_classes >= CLASSES[1]


# the pages with such a model


@pytest.fixture
def learned(shipped: Path) -> str:
    """The shipped model "default" is one that has learned symbols; returns a class's name."""
    data = as_data(read_symbols(sent((5, 5, 5), ("star", "heart", "arrow"))))
    config = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2, num_classes=3)
    path = shipped / "default.safetensors"
    before = path.read_bytes()
    save_checkpoint(
        build(config, 1), path, data=data.info, pictures=sample_pictures(data.val), metrics={}
    )
    yield "star"
    path.write_bytes(before)


@pytest.mark.usefixtures("empty_caches")
def test_every_page_takes_a_drawing_for_a_model_of_symbols(
    learned: str, open_page: Callable
) -> None:
    code = link_code.encode(bars((1,))[0])
    app = open_page("home", picture=code)
    assert not app.exception
    assert app.title[0].value.startswith("Draw a symbol.")
    assert "digit" not in " ".join((*texts_of(app).split("\n"), html_of(app.sidebar)))
    for address in ("story", "fool", "patches", "patch-embedding", "class-token", "position"):
        page = open_page(address, picture=code)
        assert not page.exception, (address, page.exception[0].message)
        assert state_of(page).picture == code
    for address in ("self-attention", "multi-head", "encoder-block", "classification-head"):
        page = open_page(address, sample=2)
        assert not page.exception, (address, page.exception[0].message)


@pytest.mark.usefixtures("empty_caches")
@pytest.mark.parametrize("second", ["sample=2&picture=", "source=fast", "source=cifar10"])
def test_a_drawn_symbol_is_compared(
    second: str, learned: str, open_page: Callable, bars_code: str
) -> None:
    for address in ("patches", "classification-head", "story"):
        app = open_page(address, picture=bars_code, b=second)
        assert not app.exception, (address, app.exception[0].message)
        assert state_of(app).b


@pytest.fixture
def bars_code() -> str:
    return link_code.encode(bars((1,))[0])


def test_only_digits_and_symbols_are_drawn() -> None:
    assert takes_drawings(DIGITS) and takes_drawings(f"{DRAWN}0123")
    assert not any(map(takes_drawings, ("cifar10", "photographs", "of-model-0123")))
    drawn = bars((1,))[0]
    code = link_code.encode(drawn)
    choice = Choice("default", ViTConfig(), 0, 0, 0, code, f"{DRAWN}0123")
    np.testing.assert_array_equal(chosen.picture(choice), link_code.decode(code))
    assert choice.is_own and chosen.label(choice, ("a", "b")) is None


def finish(manager: Manager, run: Run, accuracy: float) -> None:
    """Write what a process writes until its end."""
    directory, data = RunDirectory.open(run.history.path), load_images(run.history.path)
    for epoch in (0, 1):
        model = build(run.history.config.model, epoch)
        line = {"epoch": epoch, "step": epoch, "val_accuracy": accuracy}
        directory.save_epoch(f"epoch-{epoch:03d}", model, line, data.info)
    directory.append_metrics({"seconds": 1.0, **line})
    directory.append_metrics({"seconds": 2.0, **line, "test_accuracy": accuracy})
    directory.close()
    FakeProcess.started[0].end_run()


def test_both_ways_stand_side_by_side_when_both_have_ended(
    open_symbols: Callable, manager: Manager
) -> None:
    pair = load_texts("symbols")["pair"]
    for way, accuracy in zip(WAYS, (1.0, 0.5), strict=True):
        assert pair["text"].format(count=2) not in texts_of(open_symbols())
        run = manager.start(ANNA, request_of({**sent(), "how": way}))
        finish(manager, run, accuracy)
    app = open_symbols()
    assert pair["text"].format(count=2) in texts_of(app)
    html = next(body for body in html_bodies(app) if "your drawings" in body)
    assert html.index(">100 %<") < html.index(">50 %<")


def test_after_a_run_the_pad_of_home_waits_for_a_new_symbol(
    open_symbols: Callable, manager: Manager
) -> None:
    run = manager.start(ANNA, request_of(sent()))
    finish(manager, run, 1.0)
    app = open_symbols(run=run.id)
    assert "9 drawings again and again. 2 others were kept back" in texts_of(app)
    app.button(key="train-ask-symbol").click().run()
    assert not app.exception
    assert (state_of(app).source, state_of(app).run) == (RUN, run.id)
    # whoever was sent the link can draw as well, and is not told what they have trained
    other = open_symbols(visitor="b" * 32, run=run.id)
    assert other.button(key="train-ask-symbol")
    assert load_texts("symbols")["pair"]["one"] in texts_of(open_symbols(run=run.id))
    assert load_texts("symbols")["pair"]["one"] not in texts_of(other)
