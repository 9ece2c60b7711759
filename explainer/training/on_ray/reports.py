"""What the operator of a server is told of its Ray cluster: a sentence, and an event of the log."""

import os
import re
import sys
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path

from explainer.content import load_texts
from explainer.measuring import happened

TOKEN, TOKEN_PATH = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
USUAL_PATH = "~/.ray/auth_token"
HIDDEN = "…"
MOST_LETTERS = 300  # of what Ray says
KIND_OF_ERROR = re.compile(r"(?:[\w.]+\.)?([A-Z][A-Za-z]*(?:Error|Exception))\b")


class Reports:
    """Says how it stands with a cluster, whenever that has changed."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._said: Hashable = None

    def say(
        self,
        kind: str,
        *,
        why: str = "",
        same: Hashable = None,
        fields: dict[str, object] | None = None,
        **values: object,
    ) -> None:
        """Write one sentence to the error output, and one event to the log if there is one.

        Args:
            kind: one word; the texts have its sentence.
            why: what Ray says; tokens in it are hidden.
            same: by which a report is known again, where Ray never says the same twice.
            fields: of the event.
            values: what the sentence has in it.
        """
        sentence = load_texts("limits")[f"cluster_{kind}"].format(
            why=without_tokens(why)[:MOST_LETTERS], **values
        )
        if self._said == (key := (kind, same or sentence)):
            return
        self._said = key
        print(sentence, file=sys.stderr, flush=True)
        happened("cluster", kind, **(fields or {}))


def kind_of_error(line: str) -> dict[str, object]:
    """Return the kind of exception in the last line of a traceback, as a field of an event."""
    match = KIND_OF_ERROR.match(line)
    return {"error": match[1]} if match else {}


def without_tokens(text: str) -> str:
    """Return a text without the tokens of clusters that this server knows."""
    tokens = [os.environ.get(TOKEN, "")]
    for path in (os.environ.get(TOKEN_PATH, ""), USUAL_PATH):
        with suppress(OSError, ValueError, RuntimeError):  # RuntimeError: there is no home folder
            tokens.append(Path(path).expanduser().read_text(encoding="utf-8").strip())
    for token in filter(None, tokens):
        text = text.replace(token, HIDDEN)
    return text
