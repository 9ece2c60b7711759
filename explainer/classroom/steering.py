"""What a teacher may change in a room."""

import re
from collections.abc import Mapping
from typing import Any

from explainer.classroom.errors import refusal
from explainer.classroom.snapshot import Asked, is_name, is_whole

MOST_SCREENS = 99
LINK = re.compile(
    r"[\w\-.~%=&+*!'():;,@/?]{0,8000}", re.ASCII
)  # a query: it leads to no other site
FLAGS = ("is_free", "digits_open")


def check_changes(
    changes: Mapping[str, Any],
) -> tuple[dict[str, Any], Asked | None, dict[str, bool]]:
    """Return the room's new values, the question to keep, and which ones to reveal or to hide.

    Raises:
        ClassroomError: there is no such change, or its value is wrong.
    """
    columns: dict[str, Any] = {}
    shown: dict[str, bool] = {}
    asked = None
    for name, value in changes.items():
        is_screen = name == "screen" and is_whole(value, MOST_SCREENS)
        if is_screen or (name in FLAGS and isinstance(value, bool)):
            columns[name] = value
        elif name == "link" and isinstance(value, str) and LINK.fullmatch(query(value)):
            columns[name] = query(value)
        elif name == "asked":
            if value is not None:
                asked = value if isinstance(value, Asked) else Asked.read(value)
                asked.check()
            columns[name] = asked.name if asked else ""
        elif name in ("reveal", "hide") and is_name(value):
            shown[value] = name == "reveal"
        else:
            raise refusal("wrong_change")
    return columns, asked, shown


def query(link: str) -> str:
    """Return what a link says behind its address, if it has one."""
    return link.partition("?")[2] if "?" in link else link
