"""What is alive is taken out of the garbage collector's sight; what is not is still collected."""

import gc
import subprocess
import sys

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


def test_outside_of_a_server_nothing_is_frozen():
    before = gc.get_freeze_count()
    startup.settle(("explainer.figures.probabilities",))
    assert gc.get_freeze_count() == before
