"""What is alive is taken out of the garbage collector's sight; what is not is still collected."""

import ast
import gc
import importlib
import itertools
import os
import re
import subprocess
import sys
import time
import weakref
from pathlib import Path

import pytest
import streamlit as st
from garbage import collect_all_garbage

from explainer import startup
from vit_core.lean import freed_memory

PAGE = """
class Cycle:
    def __init__(self):
        self.me = self

kept = Cycle()
"""
SCRIPT = """
import gc, sys, weakref
from explainer.startup import collect_and_freeze, import_modules

import_modules(["page_of_a_test"])
assert {"page_of_a_test", "plotly"} <= set(sys.modules)
page = sys.modules.pop("page_of_a_test")
collect_and_freeze()

# what was alive then is not walked again, even when nobody needs it any more ...
watched = weakref.ref(page.kept)
del page
gc.collect()
assert watched() is not None
# ... what comes later is collected as ever ...
class Later:
    def __init__(self):
        self.me = self

after = weakref.ref(Later())
gc.collect()
assert after() is None
# ... and the next look finds both
collect_and_freeze()
assert watched() is None
"""


def test_what_is_imported_is_not_walked_again_and_what_is_left_behind_is_found(tmp_path):
    (tmp_path / "page_of_a_test.py").write_text(PAGE)
    path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    environment = os.environ | {"PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, env=environment)


class Looks:
    """Stands in for the event that a housekeeper waits for: it looks this often, then it ends."""

    def __init__(self, count, between):
        self.left, self.between = count, between

    def wait(self, seconds):
        self.left -= 1
        self.between()
        return self.left < 0


@pytest.fixture
def cleanings(monkeypatch):
    """Return a list that gets an entry at each cleaning of the house, where nothing is frozen."""
    done = []
    monkeypatch.setattr(startup, "set_malloc_options", lambda: None)
    monkeypatch.setattr(startup, "import_modules", lambda modules: None)
    monkeypatch.setattr(startup, "collect_and_freeze", lambda: done.append(1))
    before = gc.callbacks.copy()
    yield done
    gc.callbacks[:] = before


@pytest.mark.parametrize(("seconds", "count"), [(1.0, 4), (0.0, 1)])
def test_the_house_is_cleaned_again_when_full_collections_take_long(
    monkeypatch, cleanings, seconds, count
):
    """And without ``gc.get_objects``: a tuple that another thread builds may break meanwhile."""
    clock = itertools.count(0.0, seconds)
    monkeypatch.setattr(startup, "thread_time", lambda: next(clock))
    monkeypatch.setattr(gc, "get_objects", lambda *_: pytest.fail("that holds every object"))
    monkeypatch.setattr(
        startup, "Event", lambda: Looks(3 * startup.CHECK_EVERY, collect_all_garbage)
    )
    startup.collect_periodically(())
    assert len(cleanings) == count


def test_garbage_is_collected_while_pages_run(monkeypatch, cleanings):
    """Streamlit itself no longer does it after each run."""

    class Cycle:
        def __init__(self):
            self.me = self
            self.many = [[] for _ in range(100_000)]  # enough for a younger generation to be full

    watched, waits = [], []

    class UntilItIsGone:
        def wait(self, seconds):
            waits.append(seconds)
            if not watched:
                watched.append(made(Cycle))
                return False
            time.sleep(0.01)  # while another thread collects, a collection of ours does nothing
            return watched[0]() is None or len(waits) == 500

    monkeypatch.setattr(startup, "Event", UntilItIsGone)
    startup.collect_periodically(())
    assert watched[0]() is None
    assert not st.get_option("runner.postScriptGC")


@pytest.mark.parametrize("is_due", [True, False])
def test_freed_memory_is_returned_after_each_collection_of_garbage(monkeypatch, cleanings, is_due):
    """What thirty visitors leave behind in two seconds is 20 MB."""
    returned = []
    monkeypatch.setattr(startup, "collect_garbage", lambda: is_due)
    monkeypatch.setattr(startup, "return_freed_memory", lambda: returned.append(1))
    monkeypatch.setattr(startup, "Event", lambda: Looks(4, lambda: None))
    startup.collect_periodically(())
    assert len(returned) == 4 * is_due


def made(kind):
    return weakref.ref(kind())


def test_small_collections_are_no_reason_to_clean(monkeypatch, cleanings):
    clock = itertools.count()
    monkeypatch.setattr(startup, "thread_time", lambda: next(clock))
    rounds = 3 * startup.CHECK_EVERY
    monkeypatch.setattr(startup, "Event", lambda: Looks(rounds, lambda: gc.collect(1)))
    monkeypatch.setattr(startup, "collect_garbage", lambda: None)
    was_on = gc.isenabled()
    gc.disable()  # lest a full one comes in between
    try:
        startup.collect_periodically(())
    finally:
        if was_on:
            gc.enable()
    assert len(cleanings) == 1


@pytest.mark.parametrize("is_server", [True, False])
def test_the_house_is_kept_in_a_server_only(monkeypatch, is_server):
    started = []

    class Started:
        def __init__(self, **given):
            self.given = given

        def start(self):
            started.append(self.given)

    monkeypatch.setattr(startup, "Thread", Started)
    monkeypatch.setattr(startup.st.runtime, "exists", lambda: is_server)
    startup.start_background_work.cache_clear()
    for _ in range(2):  # once, however many pages are opened
        startup.start_background_work(("a.page",))
    startup.start_background_work.cache_clear()
    house = {"target": startup.collect_periodically, "args": (("a.page",),), "daemon": True}
    assert started == ([house] if is_server else [])


PAGES = """
import sys
from importlib.abc import MetaPathFinder

class Guard(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        assert name not in ("pandas", "pyarrow"), name

sys.meta_path.insert(0, Guard())
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

for address in ("", "multi-head", "glossary", "story"):
    app = AppTest.from_file(sys.argv[1], default_timeout=60)
    app._page_hash = calc_hash(address)
    app.run()
    assert not app.exception, app.exception
    assert len(app.get("bidi_component")) > 3
"""


def test_no_page_needs_pandas_or_arrow(tmp_path):
    """They would take 80 MB of the server."""
    home = Path(startup.__file__).with_name("Home.py")
    environment = os.environ | {"VIT_EXPLAINER_RUNS": str(tmp_path)}
    subprocess.run([sys.executable, "-c", PAGES, str(home)], check=True, env=environment)


def test_nothing_is_drawn_by_what_streamlit_needs_pandas_for():
    kinds = (
        "table|dataframe|data_editor|map|json|(line|bar|area|scatter|altair|vega_lite|pydeck)_chart"
    )
    uses = re.compile(rf"\bst\.({kinds})\(")
    files = Path(startup.__file__).parent.rglob("*.py")
    assert [path.name for path in files if uses.search(path.read_text(encoding="utf-8"))] == []


class Cycle:
    def __init__(self):
        self.me = self


def test_nothing_is_collected_while_modules_are_imported_and_only_then(tmp_path, monkeypatch):
    text = f"import gc\nis_on = gc.isenabled()\n{PAGE}"
    (tmp_path / "imported_once.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with startup.gc_paused():
        module = importlib.import_module("imported_once")
    del sys.modules["imported_once"]
    assert not module.is_on
    assert gc.isenabled()
    # what was imported is not walked again ...
    imported = weakref.ref(module.kept)
    del module
    collect_all_garbage()
    assert imported() is not None
    with startup.gc_paused():  # a page's next run
        assert not gc.isenabled()
        later = weakref.ref(Cycle())
    assert gc.isenabled()
    # ... and what a run makes is collected as ever
    collect_all_garbage()
    assert later() is None
    gc.unfreeze()
    collect_all_garbage()
    assert imported() is None


def test_an_import_that_fails_leaves_the_collector_on():
    with pytest.raises(ImportError), startup.gc_paused():
        importlib.import_module("explainer.no_such_module")
    assert gc.isenabled()


@pytest.mark.parametrize("error", [TypeError, OSError])
def test_memory_is_kept_where_no_c_library_can_give_it_back(monkeypatch, error):
    """Windows knows no library without a name; others than glibc know neither function."""

    def refuse(name):
        raise error(name)

    for library in (refuse, lambda name: object()):
        freed_memory.c_library.cache_clear()
        monkeypatch.setattr(freed_memory.ctypes, "CDLL", library)
        startup.set_malloc_options()
        startup.collect_and_freeze()
    freed_memory.c_library.cache_clear()
    gc.unfreeze()


ARENAS = """
import tempfile, threading
from ctypes import c_char_p, c_void_p
from explainer import server
from vit_core.lean.freed_memory import c_library

{call}
ready, done = threading.Barrier(13), threading.Event()

def work():
    block = bytes(1000)
    ready.wait()
    done.wait()

for _ in range(12):
    threading.Thread(target=work, daemon=True).start()
ready.wait()
library = c_library()
library.fopen.restype = c_void_p
with tempfile.NamedTemporaryFile("rb") as told:
    stream = c_void_p(library.fopen(c_char_p(told.name.encode()), c_char_p(b"w")))
    library.malloc_info(0, stream)
    library.fclose(stream)
    print(told.read().count(b"<heap "))
done.set()
"""


@pytest.mark.skipif(not hasattr(freed_memory.c_library(), "malloc_info"), reason="not glibc")
@pytest.mark.parametrize("call", ["server.check()", "server.protect()"])
def test_threads_share_arenas_from_the_first_on(call):
    """glibc fixes their number when the ninth is made, and takes no later word for it."""
    ran = subprocess.run(
        [sys.executable, "-c", ARENAS.format(call=call)], check=True, capture_output=True, text=True
    )
    assert int(ran.stdout) <= 4


def test_the_server_keeps_the_test_digits_packed():
    """Unpacked they take three times as much, for as long as it runs."""
    imported = [
        (path.name, name.name)
        for path in Path(startup.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vit_core.data")
        for name in node.names
    ]
    assert ("test_digits.py", "packed_mnist_test") in imported
    assert not [one for one in imported if one[1] in ("mnist", "mnist_test")]


def test_the_server_imports_no_large_package_before_somebody_needs_it():
    script = """
import importlib, sys
from explainer import app, server
from explainer.shell.routes import TITLES
for view in TITLES:
    importlib.import_module(f"explainer.views.{view}")
large = ("sqlalchemy", "matplotlib", "ray", "sympy", "torch._dynamo", "torch._inductor",
         "torchvision", "timm", "transformers", "altair", "pydeck", "pyarrow", "pandas")
print([name for name in large if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(("busy", "count"), [(0, 1), (1, 2)])
def test_memory_is_looked_through_once_when_the_pages_have_come_to_rest(
    monkeypatch, cleanings, busy, count
):
    due = itertools.chain([True] * busy, itertools.repeat(False))
    monkeypatch.setattr(startup, "collect_garbage", lambda: next(due))
    monkeypatch.setattr(startup, "Event", lambda: Looks(4 * startup.REST, lambda: None))
    startup.collect_periodically(())
    assert len(cleanings) == count
