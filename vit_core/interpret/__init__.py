"""What can be read from a model and its traces, one topic a file.

Public: which patches an answer relies on (``attribute``, ``METHODS``).
"""

from vit_core.interpret.attribution import METHODS, Attribution, AttributionError, attribute

__all__ = ["METHODS", "Attribution", "AttributionError", "attribute"]
