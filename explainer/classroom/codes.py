"""The code of a room: six letters that are easy to read from far away and to type."""

import secrets

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"  # none that looks like a digit: I, L and O
LENGTH = 6


def new_code() -> str:
    """Return a code that nobody can foresee; there are 148 million."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def clean_code(text: object) -> str:
    """Return what somebody typed as a code; empty if it cannot be one."""
    if not isinstance(text, str) or len(text) > 40:
        return ""
    letters = "".join(text.split()).replace("-", "").upper()
    is_code = len(letters) == LENGTH and all(letter in LETTERS for letter in letters)
    return letters if is_code else ""
