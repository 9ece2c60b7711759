"""Opens any page of the app as its link does, and reads what a component was sent."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import torch
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from unlike import UNLIKE, put

from explainer import training
from explainer.inputs.models import load
from explainer.shell import more, quiz
from explainer.shell.quiz import Question
from explainer.state import sight
from explainer.state.choice import SOURCES, UNTRAINED
from explainer.training import Run
from explainer.training.store import hashed
from vit_core import PRESETS, TrainConfig, ViTConfig, build, save_checkpoint
from vit_core.data import DataInfo, mnist_info
from vit_core.runs.directory import RunConfig, RunDirectory
from vit_core.runs.history import RunHistory

HOME = Path(__file__).parents[2] / "explainer" / "Home.py"
# components that stand around every page
FRAME = tuple(
    f"vit_explainer.{name}"
    for name in (
        "answers",
        "copy_link",
        "navigation",
        "present_key",
        "terms",
        "top_follower",
        "verdict",
    )
)
SMALL = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
CIFAR = DataInfo(
    "cifar10",
    "",
    (0.49, 0.48, 0.45),
    (0.25, 0.24, 0.26),
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
)
cached = "nothing"  # whose models the app's caches hold
TRAINED = tuple(source for source in SOURCES if source != UNTRAINED)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors are slower on many threads, and other test processes need the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def whole_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw all parts of a page at once: no browser says here what is in sight."""
    monkeypatch.setattr(sight, "DRAWS_ALL", True)


@pytest.fixture(autouse=True)
def caches_of_the_same_models(request: pytest.FixtureRequest) -> None:
    """Empty the app's caches before a test with other models under the same names.

    Tests that only look at the models of ``shipped`` share what was computed of them, as visitors
    do. A test with a folder of its own may have put others there, and so may not share anything;
    one that counts what is computed asks for ``empty_caches``.
    """
    global cached
    names = set(request.fixturenames)
    models = "its own" if names & {"tmp_path", "empty_caches"} else "no folder"
    if models == "no folder" and "shipped" in names:
        models = "shipped"
    if models == "its own" or models != cached:
        st.cache_resource.clear()
    cached = models


@pytest.fixture
def empty_caches() -> None:
    """Nothing is computed yet; ``caches_of_the_same_models`` does it."""


@pytest.fixture(scope="session", autouse=True)
def one_scan_for_components() -> Iterator[None]:
    """Search the installed packages for Streamlit components once, not at each start of the app.

    ``AppTest`` reads the metadata of every installed package again for each app, as a server does
    once in its life. That takes longer than to draw most pages.
    """
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of checkpoints in the shapes of the shipped ones."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name in TRAINED:
        save_checkpoint(
            build(PRESETS[name].model, seed=1),
            folder / f"{name}.safetensors",
            preset=name,
            data=CIFAR if name == "cifar10" else mnist_info(),
            metrics={"test_accuracy": 0.9876},
            command=f"python -m vit_core.train --preset {name}",
        )
    return folder


class FakeRuns:
    """Stands in for the manager of runs: no processes, no folders of its own."""

    def __init__(self) -> None:
        self.known: dict[str, Run] = {}

    def find(self, run_id: str) -> Run | None:
        return self.known.get(run_id)

    def runs_of(self, secret: str) -> list[Run]:
        return [run for run in self.known.values() if run.belongs_to(secret)]

    def recorded(self) -> list[Run]:
        return [run for run in self.known.values() if run.status == "recorded"]


@pytest.fixture
def known_runs(monkeypatch: pytest.MonkeyPatch) -> FakeRuns:
    """The runs that the app knows; a test adds its own."""
    fake = FakeRuns()
    monkeypatch.setattr(training, "the_manager", lambda: fake)
    return fake


@pytest.fixture
def shipped(checkpoints: Path, monkeypatch: pytest.MonkeyPatch, known_runs: FakeRuns) -> Path:
    """The app finds that folder, so that no test depends on trained weights."""
    monkeypatch.setattr(load, "SHIPPED_DIR", checkpoints)
    return checkpoints


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Return an opener: address and the link's parameters → the app after its first run."""

    def open_page(address: str, **params: Any) -> AppTest:
        app = AppTest.from_file(HOME, default_timeout=60)
        for name, value in params.items():
            app.query_params[name] = str(value)
        # AppTest's own way to another page knows pages by their file, and these are functions
        app._page_hash = calc_hash("" if address == "home" else address)
        return app.run()

    return open_page


@pytest.fixture
def asked_questions(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """The questions of all pages that the test has opened."""
    found: list[Question] = []
    by_part = quiz.by_part

    def noting(questions: Sequence[Question], parts: Sequence[str]):
        found.extend(questions)
        return by_part(questions, parts)

    monkeypatch.setattr(quiz, "by_part", noting)
    return found


def component(app: AppTest, which: int | str) -> Any:
    """Return a component of the page by its name or key, or by its place among its own."""
    protos = [element.proto for element in app.get("bidi_component")]
    if isinstance(which, str):
        return next(
            p
            for p in protos
            if p.component_name == f"vit_explainer.{which}" or p.id.endswith(f"-{which}")
        )
    return [p for p in protos if p.component_name not in FRAME][which]


def shape_in_sidebar(app: AppTest) -> dict[str, str]:
    """Return what the sidebar says of the shape of a model that has one: knob → value."""
    text = " ".join(element.proto.body for element in app.sidebar.get("html"))
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))


@pytest.fixture
def fixed_shape() -> Callable[[AppTest], dict[str, str]]:
    """Return a reader: app → the shape that nobody can change, as the sidebar says it."""
    return shape_in_sidebar


@pytest.fixture
def find_component() -> Callable[..., Any]:
    """Return a finder: app, name of a component (the first of it) → what it was sent."""
    return component


@pytest.fixture
def click_in() -> Callable[..., AppTest]:
    """Return what hands a component's click back to Python, as a browser does."""

    def click_in(app: AppTest, which: int | str, state: dict[str, Any]) -> AppTest:
        widgets = app._tree.get_widget_states()
        widget = widgets.widgets.add()
        widget.id = component(app, which).id
        widget.json_value = json.dumps(state)
        return app._run(widgets)

    return click_in


@pytest.fixture
def make_run(tmp_path: Path, known_runs: FakeRuns) -> Callable[..., Run]:
    """Return a maker of runs that the app knows, each epoch with weights of its own."""

    def make_run(
        run_id: str = "run-of-a-test",
        config: ViTConfig = SMALL,
        epochs: Sequence[int] = (0, 1, 2),
        *,
        owner: str = "",
        status: str = "finished",
        title: str = "small, 2 epochs",
    ) -> Run:
        train = TrainConfig(epochs=max(2, *epochs) if epochs else 2)
        settings = RunConfig(None, config, train, 1, "", f"python -m vit_core.train {run_id}")
        directory = RunDirectory.create(tmp_path / run_id, settings)
        for epoch in epochs:
            line = {"epoch": epoch, "step": 429 * epoch, "val_accuracy": 0.9 + epoch / 100}
            if epoch:
                directory.append_metrics({"seconds": float(epoch), **line})
            model = build(config, seed=epoch)
            directory.save_epoch(f"epoch-{epoch:03d}", model, line, mnist_info())
        if status == "finished":
            directory.append_metrics({"seconds": 9.0, **line, "test_accuracy": 0.9312})
        directory.close()
        whose = hashed(owner) if owner else ""
        run = Run(run_id, RunHistory(directory.path), status, title=title, owner=whose)
        known_runs.known[run_id] = run
        return run

    return make_run


@pytest.fixture
def unlike_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_runs: object
) -> Iterator[Callable[[str], None]]:
    """Return what makes one of the unlike models the app's first."""
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    st.cache_resource.clear()
    yield lambda name: put(tmp_path, UNLIKE[name])
    st.cache_resource.clear()


@pytest.fixture
def open_at_once(open_page: Callable, empty_caches: None) -> Iterator[Callable[..., AppTest]]:
    """Return an opener of pages that wait for what is computed beside them."""

    def listen(saved: object) -> None:
        pass

    more.listeners.append(listen)
    yield open_page
    more.listeners.remove(listen)
