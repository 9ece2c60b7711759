"""What is imported is taken out of the garbage collector's sight, once, and only in a server."""

import gc
import subprocess
import sys

from explainer import startup

SCRIPT = """
import gc, sys
from explainer.startup import load_and_freeze
assert "explainer.views.home" not in sys.modules
load_and_freeze(["explainer.views.home"])
assert {"explainer.views.home", "plotly", "pandas"} <= set(sys.modules)
assert gc.get_freeze_count() > 10_000, gc.get_freeze_count()
assert len(gc.get_objects()) < 1_000, len(gc.get_objects())
"""


def test_what_is_imported_is_not_walked_again():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)


def test_outside_of_a_server_nothing_is_frozen():
    before = gc.get_freeze_count()
    startup.settle(("explainer.figures.probabilities",))
    assert gc.get_freeze_count() == before
