"""What is alive is taken out of the garbage collector's sight; what is not is still collected."""

import gc
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from explainer import startup

SCRIPT = """
import gc, sys, weakref
from explainer.startup import collect_and_freeze, load

assert "explainer.views.home" not in sys.modules
load(["explainer.views.home"])
assert {"explainer.views.home", "plotly", "pandas"} <= set(sys.modules)

class Cycle:
    def __init__(self):
        self.me = self

left = Cycle()
collect_and_freeze()
assert gc.get_freeze_count() > 10_000, gc.get_freeze_count()
assert len(gc.get_objects()) < 1_000, len(gc.get_objects())

# frozen while alive, then left behind: the next look finds it
watched = weakref.ref(left)
del left
gc.collect()
assert watched() is not None
collect_and_freeze()
assert watched() is None
"""


def test_what_is_imported_is_not_walked_again_and_what_is_left_behind_is_found():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)


class Clock:
    """Counts how often it is looked at, in seconds."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def test_full_collections_are_watched_without_holding_what_others_build(monkeypatch):
    """A tuple made from a generator breaks where somebody else holds it, as get_objects does."""
    monkeypatch.setattr(startup, "thread_time", Clock())
    watch = startup.CollectionWatch()
    gc.callbacks.append(watch)
    try:
        gc.collect(1)
        assert watch.longest == 0
        gc.collect()
    finally:
        gc.callbacks.remove(watch)
    assert watch.longest >= 1
    assert "get_objects(" not in Path(startup.__file__).read_text(encoding="utf-8")


def test_outside_of_a_server_nothing_is_frozen():
    before = gc.get_freeze_count()
    startup.settle(("explainer.figures.probabilities",))
    assert gc.get_freeze_count() == before


HOME = """
import sys
from importlib.abc import MetaPathFinder

class Watch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "explainer.app":
            whole.append(hasattr(sys.modules.get("pandas"), "Series"))

whole = []
sys.meta_path.insert(0, Watch())
from streamlit.testing.v1 import AppTest

app = AppTest.from_file(sys.argv[1], default_timeout=60).run()
assert not app.exception
assert whole == [True], whole
"""


def test_pandas_is_whole_before_anything_is_drawn(tmp_path):
    """Plotly uses pandas where it is in ``sys.modules``, though half of it may be missing there."""
    home = Path(startup.__file__).with_name("Home.py")
    environment = os.environ | {"VIT_EXPLAINER_RUNS": str(tmp_path)}
    subprocess.run([sys.executable, "-c", HOME, str(home)], check=True, env=environment)


def test_nothing_is_collected_while_modules_are_imported_and_only_then(tmp_path, monkeypatch):
    (tmp_path / "imported_once.py").write_text("import gc\nis_on = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = gc.get_freeze_count()
    with startup.uncollected():
        module = importlib.import_module("imported_once")
    monkeypatch.delitem(sys.modules, "imported_once")
    assert not module.is_on
    assert gc.isenabled()
    after = gc.get_freeze_count()
    assert after > before
    with startup.uncollected():  # a page's next run
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == after
    gc.unfreeze()


def test_an_import_that_fails_leaves_the_collector_on():
    with pytest.raises(ImportError), startup.uncollected():
        importlib.import_module("explainer.no_such_module")
    assert gc.isenabled()


@pytest.mark.parametrize("error", [TypeError, OSError])
def test_memory_is_kept_where_no_c_library_can_give_it_back(monkeypatch, error):
    """Windows knows no library without a name; others than glibc know neither function."""

    def refuse(name):
        raise error(name)

    for library in (refuse, lambda name: object()):
        startup.c_library.cache_clear()
        monkeypatch.setattr(startup.ctypes, "CDLL", library)
        startup.spare_memory()
        startup.collect_and_freeze()
    startup.c_library.cache_clear()
    gc.unfreeze()
