"""The base of every exception that this package defines.

Each subclass also keeps Python's own kind, ``ValueError`` for bad input and ``RuntimeError`` for
what goes wrong during a run, so that ``except ValueError`` catches bad input from PyTorch and from
here alike.
"""


class VitError(Exception):
    """An expected failure. The message is one plain sentence that can be shown to a user."""
