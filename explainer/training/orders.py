"""What a visitor on one server asks of a run that another server has: a file in the run's folder.

The server that has the run looks for it every second, obeys and removes it. An order names the
lease that it is for, so that no later owner of the run obeys it.
"""

import json
from contextlib import suppress
from pathlib import Path

from vit_core.runs.file_names import ORDER
from vit_core.storage.atomic import write_atomically
from vit_core.storage.strict_json import read_json

ORDERS = ("pause", "unpause", "stop")
MOST_BYTES = 1024


def send_order(folder: Path, do: str, token: str) -> None:
    """Leave an order for the server that has a run; it replaces an earlier one.

    Args:
        do: one of ``ORDERS``.
        token: of the lease of that server.

    Raises:
        OSError: the folder cannot be written.
    """
    write_atomically(folder / ORDER, json.dumps({"do": do, "lease": token}).encode())


def take_order(folder: Path, token: str) -> str | None:
    """Remove and return the order that lies in a run's folder.

    Args:
        token: of this server's lease; an order for another one is removed, and does not count.
    """
    path = folder / ORDER
    try:
        values = read_json(path, MOST_BYTES)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        values = None
    with suppress(OSError):
        path.unlink()
    if not isinstance(values, dict) or values.get("lease") != token:
        return None
    return values["do"] if values.get("do") in ORDERS else None
