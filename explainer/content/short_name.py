"""Short names under which a browser keeps things about something."""

import hashlib


def short_name(value: object) -> str:
    """Return a name that is the same for equal values, and hardly ever for others."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]
