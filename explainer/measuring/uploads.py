"""What became of visitors' files, without their names or anything of what they hold."""

from typing import Literal

from explainer.measuring import happened
from explainer.measuring.refusals import Kind, refused


def uploaded(
    what: Literal["model", "picture", "pictures", "zip"], size: int, why: Kind | None = None
) -> None:
    """Count files that a page has read, and write a line of the log about them.

    Args:
        size: bytes of all of them.
        why: why they were refused; None if they were accepted.
    """
    reason = {"why": why} if why else {}
    happened("upload", what, bytes=size, accepted=why is None, **reason)
    if why:
        refused(why)
