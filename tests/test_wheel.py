"""What `pip install` gives to somebody without a checkout: commands, every page, every file."""

import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

PROJECT = Path(__file__).parents[1]
PACKAGES = ("vit_core", "explainer")
# what only tests and the extra need: an installation has none of them
NOT_INSTALLED = ("torchvision", "huggingface_hub", "timm", "tensorboard", "pytest", "hypothesis")
PAGES = {
    "",
    "story",
    "fool",
    "teacher",
    "room",
    "train",
    "learning",
    "look-inside",
    "glossary",
    "worksheet",
    "patches",
    "patch-embedding",
    "class-token",
    "position",
    "self-attention",
    "multi-head",
    "encoder-block",
    "classification-head",
}
STRAY = ("__pycache__/stray.cpython-311.pyc", ".DS_Store")
ONE_RUN = """
import json, time
import explainer, vit_core
from {runs} import RunRequest, the_manager
from vit_core import TrainConfig, ViTConfig

manager = the_manager()
model = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1, pool="mean")
train = TrainConfig(epochs=1, batch_size=1024, optimizer="adamw", lr=0.01, augment="none")
run = manager.start("anna", RunRequest(model, train))
while manager.find(run.id).is_active:
    time.sleep(0.01)
found = manager.find(run.id)
manager.close()
files = [explainer.__file__, vit_core.__file__]
print(json.dumps([found.status, str(found.history.path), vit_core.__version__, *files]))
"""


def is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and path.name != ".DS_Store"


def files_of(folder: Path) -> set[str]:
    """Return the packages' files below a folder, as a wheel names them."""
    return {
        path.relative_to(folder).as_posix()
        for package in PACKAGES
        for path in (folder / package).rglob("*")
        if is_source(path)
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from a copy of the checkout, since building leaves files behind."""
    source = tmp_path_factory.mktemp("source") / "the project"
    ignore = shutil.ignore_patterns("__pycache__", ".DS_Store")
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, source / package, ignore=ignore)
        for folder in (source / package, *(f for f in (source / package).iterdir() if f.is_dir())):
            for name in STRAY:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).touch()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    wheels = source.parent / "wheels"
    # the build backend of this environment, so that nothing is downloaded
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", str(source), *options, "--wheel-dir", str(wheels)],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = wheels.iterdir()
    return found


@dataclass(frozen=True)
class Installed:
    """A fresh environment with the wheel in it, and a home of its own."""

    scripts: Path
    packages: Path
    environment: dict[str, str]
    home: Path

    def command(self, name: str) -> str:
        """Return the path of an installed command."""
        path = shutil.which(name, path=self.scripts)
        assert path, f"{name} is not installed"
        return path

    def run(self, folder: Path, name: str, *words: str) -> str:
        """Return what a command writes that is started in ``folder`` and succeeds."""
        done = subprocess.run(
            [self.command(name), *words],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert "Traceback" not in done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel; its dependencies are those of the environment that runs the tests."""
    root = tmp_path_factory.mktemp("installed") / "an environment"
    venv.create(root, with_pip=False, symlinks=os.name != "nt")
    where = {"base": str(root), "platbase": str(root)}
    scripts, packages = (
        Path(sysconfig.get_path(name, "venv", where)) for name in ("scripts", "purelib")
    )
    python = shutil.which("python", path=scripts)
    assert python
    pip = [sys.executable, "-m", "pip", "--python", python, "install", str(wheel)]
    subprocess.run(
        [*pip, "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"], check=True
    )
    # a line here extends the path and reads no further .pth file: the checkout stays out of sight
    shared = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (packages / "dependencies.pth").write_text("\n".join(shared) + "\n", encoding="utf-8")
    blocked = f"import sys\nsys.modules.update(dict.fromkeys({NOT_INSTALLED!r}))\n"
    (packages / "sitecustomize.py").write_text(blocked, encoding="utf-8")
    home = root.with_name("home")
    home.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "STREAMLIT_", "VIT_EXPLAINER_", "XDG_", "COV"))
    }
    # the third and fourth are Windows'
    environment |= dict.fromkeys(("HOME", "LOCALAPPDATA", "USERPROFILE"), str(home))
    return Installed(scripts, packages, environment, home)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Return a folder with nothing of the project, whose files are named as modules are."""
    folder = tmp_path / "my folder"
    folder.mkdir()
    for name in ("torch.py", "random.py", "explainer.py"):
        (folder / name).write_text("raise SystemExit('a file of the user was run')\n", "utf-8")
    return folder


def test_the_wheel_has_every_file_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    packed = {name for name in names if ".dist-info/" not in name}
    assert packed == files_of(PROJECT)
    assert {f"{package}/py.typed" for package in PACKAGES} <= packed
    assert "explainer/.streamlit/config.toml" in packed and "explainer/limits.toml" in packed


def test_the_wheel_has_every_licence(wheel: Path) -> None:
    """Of the code, and of each data set, gallery and typeface that comes with it."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    packed = {name.split("/licenses/", 1)[1] for name in names if "/licenses/" in name}
    assert packed == {"LICENSE"} | {
        name
        for name in files_of(PROJECT)
        if Path(name).stem in ("LICENSE", "LICENCE", "OFL", "COPYING", "NOTICE")
    }


# vit-train is run below
@pytest.mark.parametrize("kind", ["explainer", "evaluate", "pretrained", "probe"])
def test_each_command_says_how_it_is_used(kind: str, installed: Installed, elsewhere: Path) -> None:
    command = f"vit-{kind}"
    assert re.match(rf"usage: {command}\b", installed.run(elsewhere, command, "--help"), re.I)


def test_training_and_evaluating_in_a_folder_of_the_user(
    installed: Installed, elsewhere: Path
) -> None:
    random = np.random.default_rng(0)
    for part, name in itertools.product(("train", "val", "test"), ("cat", "dog")):
        folder = elsewhere / "images" / part / name
        folder.mkdir(parents=True)
        for index in range(4):
            pixels = random.integers(0, 256, (32, 32, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{index}.png")
    shape = "--patch-size 16 --embed-dim 8 --depth 1 --num-heads 1 --epochs 1 --batch-size 4"
    options = (*shape.split(), "--augment", "none", "--workers", "0", "--threads", "1")
    # read from the files while it trains, which needs nothing that is not installed either
    options += ("--memory", "0")
    installed.run(elsewhere, "vit-train", "--dataset", "images", "--run-dir", "a run", *options)
    checkpoint = str(Path("a run", "final.safetensors"))
    said = installed.run(elsewhere, "vit-evaluate", checkpoint, "--dataset", "images")
    assert "cat" in said and "dog" in said


def test_the_app_trains_and_keeps_its_runs_in_the_users_home(
    installed: Installed, elsewhere: Path
) -> None:
    before = files_of(installed.packages)
    code = ONE_RUN.format(runs="explainer.training")
    # without the working directory on the path, as an installed command has it
    answer = json.loads(installed.run(elsewhere, "python", "-P", "-c", code))
    status, run, version, *imported = answer
    assert status == "finished"
    assert Path(run).is_relative_to(installed.home)
    assert files_of(installed.packages) == before, "nothing is written among the packages"
    packages = installed.packages.resolve()
    assert {Path(file).resolve().parents[1] for file in imported} == {packages}
    (metadata,) = packages.glob("vit_explainer-*.dist-info")
    assert metadata.name == f"vit_explainer-{version}.dist-info"


# the pages


@dataclass(frozen=True)
class Served:
    host: str
    stream: ClientConnection

    def open(self, page: str = "") -> list[ForwardMsg]:
        """Return all that the server sends to draw a page, named by its hash; "" is Home."""
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        ask.rerun_script.page_script_hash = page
        self.stream.send(ask.SerializeToString())
        messages = []
        while not messages or messages[-1].WhichOneof("type") != "script_finished":
            messages.append(ForwardMsg.FromString(self.stream.recv(timeout=300)))
        return messages


@pytest.fixture(scope="module")
def served(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve the app as an installed command, from a folder with settings of another app."""
    folder = tmp_path_factory.mktemp("elsewhere")
    other = folder / ".streamlit"
    other.mkdir()
    text = '[client]\nshowErrorDetails = "full"\n[theme]\nprimaryColor = "#ff0000"\n'
    (other / "config.toml").write_text(text, encoding="utf-8")
    (folder / "torch.py").write_text("raise SystemExit('a file of the user was run')\n", "utf-8")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        host = f"localhost:{free.getsockname()[1]}"
    command = [installed.command("vit-explainer"), "--server.port", host.split(":")[1]]
    log = folder / "log.txt"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--server.headless", "true"],
            cwd=folder,
            env=installed.environment,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(host, server, log)
        with connect(
            f"ws://{host}/_stcore/stream", max_size=None, subprotocols=["streamlit"]
        ) as stream:
            yield Served(host, stream)
    finally:
        server.terminate()
        server.wait(timeout=60)
    assert "Traceback" not in log.read_text(encoding="utf-8")


def wait_for(host: str, server: subprocess.Popen[bytes], log: Path) -> None:
    never = Event()
    for _ in range(1200):
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            urllib.request.urlopen(f"http://{host}/_stcore/health", timeout=30).close()
            return
        except OSError:
            never.wait(0.1)
    raise AssertionError("it does not answer")


def kinds(messages: list[ForwardMsg]) -> list[str]:
    return [message.delta.new_element.WhichOneof("type") for message in messages]


def test_every_page_opens(served: Served) -> None:
    (navigation,) = (
        message.navigation
        for message in served.open()
        if message.WhichOneof("type") == "navigation"
    )
    pages = {page.url_pathname: page.page_script_hash for page in navigation.app_pages}
    assert set(pages) == PAGES
    for address, page in pages.items():
        drawn = served.open(page)
        (finished,) = (m for m in drawn if m.WhichOneof("type") == "script_finished")
        assert finished.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY, address
        (now,) = (m.navigation for m in drawn if m.WhichOneof("type") == "navigation")
        assert now.page_script_hash == page
        assert "exception" not in kinds(drawn), address
        assert len(drawn) > 20, address


def test_the_app_looks_and_behaves_as_its_own_settings_say(
    served: Served, installed: Installed
) -> None:
    file = installed.packages / "explainer" / ".streamlit" / "config.toml"
    settings = tomllib.loads(file.read_text(encoding="utf-8"))
    (session,) = (
        message.new_session
        for message in served.open()
        if message.WhichOneof("type") == "new_session"
    )
    assert session.custom_theme.light.primary_color == settings["theme"]["light"]["primaryColor"]
    assert not session.config.gather_usage_stats
    for face in settings["theme"]["fontFaces"]:
        with urllib.request.urlopen(f"http://{served.host}/{face['url']}", timeout=60) as font:
            assert font.read(4) == b"wOF2"
