"""The app and the training where a system lacks what Linux has, and in folders with any name."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PROJECT = Path(__file__).parents[1]
WINDOWS = """
import dataclasses, importlib, pkgutil, signal, sys, time
from pathlib import Path

for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    try:
        importlib.import_module(name)
        sys.exit(f"{name} can be imported")
    except ImportError:
        pass
assert not hasattr(signal, "SIGUSR1")

import explainer, vit_core
for package in (vit_core, explainer):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
assert "ray" not in sys.modules

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from explainer import training
home = str(Path(explainer.__file__).with_name("Home.py"))
for page in ("", "train"):
    app = AppTest.from_file(home, default_timeout=120)
    app._page_hash = calc_hash(page)
    app.run()
    assert not app.exception, app.exception
    assert ("Start training" in [button.label for button in app.button]) == (page == "train")
training.the_manager().close()

from explainer.training import Manager, RunRequest
from explainer.training.limits import load_limits
from vit_core import TrainConfig, ViTConfig, load_checkpoint
model = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1, pool="mean")
train = TrainConfig(epochs=3, batch_size=1024, optimizer="adamw", lr=0.01, augment="none")
limits = dataclasses.replace(load_limits(), runs_at_once=1, threads=1)
manager = Manager(Path(sys.argv[1]), limits)

def ended(run):
    while manager.find(run.id).is_active:
        time.sleep(0.01)
    return manager.find(run.id)

def lines(run):
    return len(run.history.metrics())

whole = ended(manager.start("whole", RunRequest(model, train)))
assert whole.status == "finished", whole.message
run = manager.start("anna", RunRequest(model, train))
while 1 not in run.history.epochs():
    time.sleep(0.01)
manager.pause("anna", run.id)
assert manager.find(run.id).status == "paused"
before = -1
while before != lines(run):
    before = lines(run)
    time.sleep(0.7)
manager.unpause("anna", run.id)
while lines(run) == before:
    time.sleep(0.01)
manager.stop("anna", run.id)
assert ended(run).status == "stopped"
assert manager.find(run.id).can_resume
manager.resume("anna", run.id)
assert ended(run).status == "finished", manager.find(run.id).message
one, other = (load_checkpoint(r.history.checkpoint()).model.state_dict() for r in (whole, run))
assert all((one[key] == other[key]).all() for key in one)
assert run.history.test_accuracy == whole.history.test_accuracy
manager.close()
print("the same")
"""


def windows(**more: str) -> dict[str, str]:
    """Return an environment in which Python lacks what Windows lacks, in all processes."""
    path = os.pathsep.join((str(Path(__file__).parent / "systems"), str(PROJECT)))
    return os.environ | {"PYTHONPATH": path} | more


def test_without_what_windows_lacks(tmp_path: Path) -> None:
    """All modules, Home and Train, and a run that is paused, stopped and resumed."""
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS, str(tmp_path / "runs")],
        env=windows(VIT_EXPLAINER_RUNS=str(tmp_path / "app")),
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "the same\n"


def test_processes_that_read_images_start_anew_where_none_can_be_copied(
    images: Path, tmp_path: Path
) -> None:
    """Windows and macOS start them from nothing; they read and crop the same."""
    options = "--patch-size 16 --embed-dim 8 --depth 1 --num-heads 1 --epochs 1 --batch-size 12"
    command = [sys.executable, "-m", "vit_core.train", "--dataset", str(images), *options.split()]
    command += ["--memory", "0", "--augment", "crop", "--threads", "1"]
    found = []
    for workers, environment in (
        ("0", os.environ | {"PYTHONPATH": str(PROJECT)}),
        ("2", windows()),
    ):
        run = tmp_path / workers
        done = subprocess.run(
            [*command, "--workers", workers, "--run-dir", str(run)],
            env=environment,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert "Traceback" not in done.stderr
        found.append(load_file(run / "final.safetensors"))
    assert all((found[0][name] == found[1][name]).all() for name in found[0])


# folders with any name


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project whose path has a space and a letter that is not ASCII."""
    copy = tmp_path_factory.mktemp("Für Übungen") / "my ViT"
    for name in ("vit_core", "explainer", ".streamlit"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / name, copy / name, ignore=ignore)
    return copy


@pytest.fixture(scope="module")
def images(elsewhere: Path) -> Path:
    """Return a folder of small images whose names have spaces and other letters as well."""
    random = np.random.default_rng(0)
    for number, name in enumerate(("kleine Bäume", "猫", "it's")):
        for part, count in (("train", 12), ("test", 4)):
            folder = elsewhere / "meine Bilder" / part / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = random.integers(0, 100, (32, 32, 3), np.uint8) + np.uint8(70 * number)
                Image.fromarray(pixels).save(folder / f"Bild {index} ß.png")
    return elsewhere / "meine Bilder"


# a terminal or a file that takes few letters, as they are on many Windows systems
NARROW = {"PYTHONIOENCODING": "ascii"}


def test_training_on_the_command_line(elsewhere: Path, images: Path) -> None:
    """On a narrow terminal, gone on with on a usual one, and evaluated on both."""

    def run(environment: dict[str, str], *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=elsewhere,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            | environment,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    folder = Path("meine Läufe") / "der 1. Lauf"
    options = "--patch-size 16 --embed-dim 8 --depth 1 --num-heads 1 --epochs 2 --batch-size 12"
    run(
        *(NARROW, "vit_core.train", "--dataset", images.name, "--run-dir", str(folder)),
        *("--workers", "0", "--threads", "1", *options.split()),
    )
    assert "is complete" in run({}, "vit_core.train", "--run-dir", str(folder), "--resume")
    ask = ("vit_core.evaluate", str(folder / "final.safetensors"), "--dataset", images.name)
    usual, narrow = run({}, *ask), run(NARROW, *ask)
    assert "it's" in usual and "kleine Bäume" in usual and "猫" in usual
    assert "it's" in narrow and r"kleine B\xe4ume" in narrow and r"\u732b" in narrow


@pytest.fixture
def started(elsewhere: Path, tmp_path: Path) -> Callable[[], tuple[subprocess.Popen[bytes], str]]:
    """Return what starts the app by its own command, in that folder: process and host."""

    def start() -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as free:
            free.bind(("localhost", 0))
            host = f"localhost:{free.getsockname()[1]}"
        command = [sys.executable, "-m", "streamlit", "run", "explainer/Home.py"]
        command += ["--server.port", host.split(":")[1], "--server.headless", "true"]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        log = (tmp_path / "log.txt").open("wb")
        process = subprocess.Popen(
            command,
            cwd=elsewhere,
            env=environment | {"VIT_EXPLAINER_RUNS": str(elsewhere / "meine Läufe" / "app")},
            stdout=log,
            stderr=log,
        )
        log.close()
        never = Event()
        for _ in range(1200):
            assert process.poll() is None, (tmp_path / "log.txt").read_text(encoding="utf-8")
            try:
                urllib.request.urlopen(f"http://{host}/_stcore/health", timeout=30).close()
                return process, host
            except OSError:
                never.wait(0.1)
        raise AssertionError("it does not answer")

    return start


def open_home(host: str) -> list[str]:
    """Open Home as a browser does; return what kinds of elements the server sends."""
    with connect(
        f"ws://{host}/_stcore/stream", max_size=None, subprotocols=["streamlit"]
    ) as stream:
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        stream.send(ask.SerializeToString())
        kinds = []
        while True:
            message = ForwardMsg.FromString(stream.recv(timeout=120))
            if message.WhichOneof("type") == "script_finished":
                return kinds
            kinds.append(message.delta.new_element.WhichOneof("type"))


# on Windows a Ctrl-C goes to a whole console, the tests included
NO_CTRL_C = pytest.mark.skipif(sys.platform == "win32", reason="it would end the tests as well")


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGINT, id="Ctrl-C", marks=NO_CTRL_C),
    ],
)
def test_the_app_starts_serves_and_ends(
    how: signal.Signals, started: Callable[[], tuple[subprocess.Popen[bytes], str]], tmp_path: Path
) -> None:
    process, host = started()
    try:
        kinds = open_home(host)
        assert "bidi_component" in kinds and "exception" not in kinds
        process.send_signal(how)
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert "Traceback" not in log, log
