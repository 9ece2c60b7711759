"""The training page's choice of data: what is offered, fetched, said, and asked of the manager."""

import gzip
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_process import FakeProcess
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explainer import training
from explainer.inputs import data_sets
from explainer.inputs.models.downloads import Downloads
from explainer.training import Manager, load_limits, scheduler
from explainer.views.train import asked, data_choice, of_data
from explainer.views.train.of_data import texts_about
from vit_core.data import torchvision_sets
from vit_core.data.sets import DATASETS

HOME = Path(__file__).parents[2] / "explainer" / "Home.py"
ANNA = "a" * 32


def idx(values: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return gzip.compress(header + values.tobytes(), 1)


def put_fashion(folder: Path) -> None:
    """Write files of the right names and forms, small ones as far as the page reads them."""
    folder.mkdir(parents=True)
    images = np.zeros((5_010, 28, 28), np.uint8)
    images[:, 3:9] = np.arange(5_010)[:, None, None] % 251
    contents = (idx(images), idx((np.arange(5_010) % 10).astype(np.uint8)), b"", b"")
    for name, content in zip(torchvision_sets.FASHION_FILES, contents, strict=True):
        (folder / name).write_bytes(content)


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No data set but MNIST is on this machine, and no download runs."""
    monkeypatch.setenv("VIT_EXPLAINER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(torchvision_sets, "DEBIAN_FASHION", tmp_path / "debian")
    asked.preview.cache_clear()
    yield tmp_path
    asked.preview.cache_clear()


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Downloads:
    """Downloads that end at once, and fail."""

    def fetch(*_: Any) -> None:
        raise data_sets.DownloadError("The data could not be downloaded: <b>no network</b>.")

    made = Downloads(fetch)
    for module in (data_sets, sys.modules["explainer.views.train.fetching"]):
        monkeypatch.setattr(module, "the_downloads", lambda: made)
    return made


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    made = Manager(tmp_path / "runs", load_limits(), FakeProcess)
    monkeypatch.setattr(training, "the_manager", lambda: made)
    yield made
    made.close()


@pytest.fixture
def open_train(manager: Manager) -> Callable[..., AppTest]:
    def open_train(**params: str) -> AppTest:
        app = AppTest.from_file(str(HOME), default_timeout=60)
        app.session_state["visitor"] = ANNA
        for name, value in params.items():
            app.query_params[name] = value
        app._page_hash = calc_hash("train")
        app.run()
        assert not app.exception, app.exception[0].message
        return app

    return open_train


def said(app: AppTest) -> str:
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*(block.value for block in app.markdown), *html])


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


def test_what_is_not_here_is_offered_as_a_download_if_the_server_allows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [data_sets.is_offered(name) for name in DATASETS] == [True] * 3
    assert [data_sets.is_ready(name) for name in DATASETS] == [True, False, False]
    limits = load_limits()
    object.__setattr__(limits, "data_downloads", 0)
    try:
        assert [data_sets.is_offered(name) for name in DATASETS] == [True, False, False]
        assert set(data_choice.offered()) == {"mnist", *data_choice.PANELS}
    finally:
        object.__setattr__(limits, "data_downloads", 1)
    monkeypatch.setattr(torchvision_sets, "find_spec", lambda name: None)
    assert not data_sets.is_offered("cifar10"), "nothing could open it"


def test_data_that_is_not_here_can_be_fetched_and_a_failure_is_said(
    open_train: Callable[..., AppTest], downloads: Downloads
) -> None:
    app = open_train(data="cifar10")
    assert "train-fetch" in keys(app) and "train-start" not in keys(app)
    assert "This server does not have CIFAR-10 yet" in said(app)
    app.button(key="train-fetch").click().run()
    for _ in range(100):
        if downloads.find("cifar10").state != "running":
            break
    app.run()
    assert "could not be downloaded" in said(app) and "<b>no network" not in said(app)
    assert downloads.find("cifar10").owner == ANNA


def test_a_run_on_clothes_is_asked_for_and_spoken_of(
    open_train: Callable[..., AppTest], manager: Manager, nothing_here: Path
) -> None:
    put_fashion(nothing_here / "debian")
    app = open_train(data="fashion-mnist")
    text = said(app)
    assert "learns to name clothes on small pictures" in text
    assert "55,000 pictures of clothes" in text and "digit" not in text.split("<style>")[0]
    assert ">Ankle boot</span>" in text or ">Bag</span>" in text
    app.button(key="train-start").click().run()
    assert not app.exception
    (run,) = manager.runs_of(ANNA)
    config = run.history.config
    assert (config.dataset, config.images, config.test_images) == ("fashion-mnist", 55_000, 10_000)
    assert run.title.startswith("Fashion-MNIST, Quick")
    assert of_data.of_run(run).class_names[9] == "Ankle boot"
    assert "--dataset fashion-mnist" in config.command


def test_another_choice_turns_the_knobs_to_its_quick_recipe(
    open_train: Callable[..., AppTest], manager: Manager
) -> None:
    app = open_train(data="cifar10")
    shown = app.get("button_group") or []
    assert shown
    assert "64 patches of 4 × 4 pixels" in said(app) and "351 steps" in said(app)
    assert "handwritten" not in said(app)


def test_a_link_to_data_that_nobody_offers_shows_digits(
    open_train: Callable[..., AppTest],
) -> None:
    app = open_train(data="teapots")
    assert "55,000 handwritten digits" in said(app)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "own symbols", "nothing"])
def test_no_place_for_a_word_stays_open(name: str) -> None:
    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif hasattr(value, "values"):
            for one in value.values():
                yield from texts(one)

    words = ("{things}", "{thing}", "{Things}", "{says}", "{right}", "{learn}", "{kind}", "{is}")
    assert not [text for text in texts(texts_about(name)) if any(word in text for word in words)]


def test_a_download_says_its_last_line_and_can_be_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = "import sys; print('one', file=sys.stderr); sys.exit(sys.argv[1] + ' is nowhere')"
    monkeypatch.setattr(data_sets, "COMMAND", (sys.executable, "-c", script))
    monkeypatch.setattr(data_sets, "LOOK_SECONDS", 0.01)
    seen: list[tuple[int, int]] = []
    with pytest.raises(data_sets.DownloadError, match="cifar10 is nowhere"):
        data_sets.fetch("cifar10", lambda *counts: seen.append(counts), lambda: False)
    assert all(total == torchvision_sets.DOWNLOAD_BYTES["cifar10"] for _, total in seen)
    wait = "import threading; threading.Event().wait()"
    monkeypatch.setattr(data_sets, "COMMAND", (sys.executable, "-c", wait))
    data_sets.fetch("cifar10", lambda *counts: None, lambda: True)
