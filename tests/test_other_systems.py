"""The app and the training where a system lacks what Linux has, and in folders with any name."""

import os
import subprocess
import sys
from pathlib import Path

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

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from explainer import runs
home = str(Path(explainer.__file__).with_name("Home.py"))
for page in ("", "train"):
    app = AppTest.from_file(home, default_timeout=120)
    app._page_hash = calc_hash(page)
    app.run()
    assert not app.exception, app.exception
    assert ("Start training" in [button.label for button in app.button]) == (page == "train")
runs.the_manager().close()

from explainer.runs import Manager, RunRequest
from explainer.runs.limits import load_limits
from vit_core import TrainConfig, ViTConfig, load_checkpoint
model = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1, pool="mean")
train = TrainConfig(epochs=3, batch_size=1024, optimizer="adamw", lr=0.01, augment="none")
limits = dataclasses.replace(load_limits(), runs_at_once=1, threads=1)
manager = Manager(Path(sys.argv[1]), limits)

def ended(run):
    while manager.find(run.id).is_going:
        time.sleep(0.01)
    return manager.find(run.id)

def lines(run):
    return len(run.history.metrics())

whole = ended(manager.start("whole", RunRequest(model, train)))
assert whole.status == "finished", whole.said
run = manager.start("anna", RunRequest(model, train))
while 1 not in run.history.epochs():
    time.sleep(0.01)
manager.pause("anna", run.id)
assert manager.find(run.id).status == "paused"
before = -1
while before != lines(run):
    before = lines(run)
    time.sleep(0.7)
manager.go_on("anna", run.id)
while lines(run) == before:
    time.sleep(0.01)
manager.stop("anna", run.id)
assert ended(run).status == "stopped"
assert manager.find(run.id).can_resume
manager.resume("anna", run.id)
assert ended(run).status == "finished", manager.find(run.id).said
one, other = (load_checkpoint(r.history.checkpoint()).model.state_dict() for r in (whole, run))
assert all((one[key] == other[key]).all() for key in one)
assert run.history.test_accuracy == whole.history.test_accuracy
manager.close()
print("the same")
"""


def test_without_what_windows_lacks(tmp_path: Path) -> None:
    """All modules, Home and Train, and a run that is paused, stopped and resumed."""
    lacking = Path(__file__).parent / "systems"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join((str(lacking), str(PROJECT))),  # its training processes', too
        "VIT_EXPLAINER_RUNS": str(tmp_path / "app"),
    }
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS, str(tmp_path / "runs")],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "the same\n"
