"""What can be read from a model and its traces, one topic a file.

Public: which patches an answer relies on (``attribute``, ``METHODS``), and whether such a map is
true (``deletion_insertion``).
"""

from vit_core.interpret.attribution import METHODS, Attribution, AttributionError, attribute
from vit_core.interpret.deletion import Curves, deletion_insertion

__all__ = [
    "METHODS",
    "Attribution",
    "AttributionError",
    "Curves",
    "attribute",
    "deletion_insertion",
]
