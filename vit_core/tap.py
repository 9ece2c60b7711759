"""The tap: one function through which every intermediate tensor passes, once, under its name.

A forward pass takes ``tap: Callable[[str, Tensor], Tensor]``. A tap that stores what it is given
records the pass; a tap that returns another tensor intervenes in it. No state is kept on the
modules, so one model can be observed by many threads at the same time without mixing up their
recordings.
"""

from collections.abc import Callable

from torch import Tensor

Tap = Callable[[str, Tensor], Tensor]


def no_tap(name: str, tensor: Tensor) -> Tensor:
    """Return ``tensor`` unchanged. Modules that are given this function may use fused kernels."""
    return tensor


def scope(tap: Tap, prefix: str) -> Tap:
    """Return a tap that puts ``prefix`` and a dot before each name; ``no_tap`` stays ``no_tap``.

    A scope within a scope calls the outermost tap at once, with both prefixes.
    """
    if tap is no_tap:
        return no_tap
    if isinstance(tap, Scoped):
        return Scoped(tap.outermost, f"{tap.prefix}{prefix}.")
    return Scoped(tap, f"{prefix}.")


class Scoped:
    """A tap that calls another one with longer names."""

    __slots__ = ("outermost", "prefix")

    def __init__(self, outermost: Tap, prefix: str) -> None:
        self.outermost, self.prefix = outermost, prefix

    def __call__(self, name: str, tensor: Tensor) -> Tensor:
        return self.outermost(self.prefix + name, tensor)
