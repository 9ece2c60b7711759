"""Drawings of a trace on canvas, for every component that shows one; JavaScript alone.

Each draws a tensor of a trace, given as a map of names (those of ``vit_core.trace``) to
``{shape, data}`` without the batch axis. They compute no number anew, except the mean of a block's
heads. ``FILES`` come in the order in which they need each other, after ``shared/data``.
"""

FILES = tuple(f"stage/{name}" for name in ("look", "picture", "rows", "attention", "bars"))
