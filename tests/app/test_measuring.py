"""What is counted and logged is right, and nothing private of a visitor is in it."""

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from explainer import measuring, metrics
from explainer.training.limits import RefusedError

SECRET = "Canary Marie-7f3a"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """Log to a text, and count from zero."""
    monkeypatch.setattr(measuring, "_counts", type(measuring._counts)())
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(measuring.JsonLines())
    monkeypatch.setattr(measuring.LOGGER, "handlers", [handler])
    monkeypatch.setattr(measuring.LOGGER, "propagate", False)
    level = measuring.LOGGER.level
    measuring.LOGGER.setLevel(logging.INFO)
    yield written
    measuring.LOGGER.setLevel(level)


def scraped() -> str:
    """Return what Prometheus reads."""
    return bytes(metrics.answer(Request({"type": "http", "method": "GET"})).body).decode()


def test_a_run_is_counted_and_logged(log: StringIO) -> None:
    measuring.happened("run", "finished", seconds=1.23456)
    measuring.happened("run", "finished")
    line = json.loads(log.getvalue().splitlines()[0])
    assert line.pop("time").endswith("Z")
    assert line == {"event": "run", "kind": "finished", "seconds": 1.235}
    assert 'vit_explainer_runs_total{state="finished"} 2.0' in scraped()


def test_text_is_for_people(log: StringIO) -> None:
    measuring.LOGGER.handlers[0].setFormatter(measuring.TextLines())
    measuring.happened("run", "failed", seconds=2)
    assert log.getvalue().endswith(" run kind=failed seconds=2\n")


def test_nothing_private_gets_into_logs_or_metrics(
    log: StringIO, open_page: Callable[..., AppTest]
) -> None:
    measuring.start_log()
    open_page("", run=SECRET, digit="3", drawing=SECRET, source=SECRET, index=SECRET)
    RefusedError(SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("streamlit").exception(SECRET)
    for private in (SECRET, SECRET.lower(), b"\x00" * 784, ("a", SECRET), {"name": SECRET}):
        measuring.happened("upload", str(private), name=private, megabytes=3)
    text = log.getvalue() + scraped()
    assert "canary" not in text.lower() and "7f3a" not in text
    assert 'vit_explainer_errors_total{kind="ValueError"}' in text
    assert 'vit_explainer_refusals_total{kind="training_or_upload"}' in text
    assert 'vit_explainer_page_runs_total{page="home"}' in text
    assert all(json.loads(line) for line in log.getvalue().splitlines())


def test_labels_are_bounded(log: StringIO) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    for first in letters:
        for second in letters:
            measuring.count("run", first + second)
    assert len(measuring.counts("run")) <= measuring.MOST_KINDS + 1
    assert measuring.counts("run")["other"] == len(letters) ** 2 - measuring.MOST_KINDS


def test_the_route_is_there_only_if_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(metrics.VARIABLE, raising=False)
    assert metrics.routes() == []
    monkeypatch.setenv(metrics.VARIABLE, "on")
    assert [route.path for route in metrics.routes()] == ["/metrics"]  # type: ignore[attr-defined]
