"""What is counted and logged is right, and nothing private of a visitor is in it."""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from explainer import classroom, measuring, metrics
from explainer.classroom.errors import KINDS as OF_CLASSES
from explainer.classroom.errors import REFUSED
from explainer.measuring.errors import watch_errors
from explainer.measuring.histogram import Histogram
from explainer.measuring.refusals import KINDS, refused
from explainer.training.first_point import SECONDS, FirstPoints

SECRET = "Canary Marie-7f3a"
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """Log to a text, and count from zero."""
    monkeypatch.setattr(measuring, "_counts", type(measuring._counts)())
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(measuring.JsonLines())
    monkeypatch.setattr(measuring.LOGGER, "handlers", [handler])
    monkeypatch.setattr(measuring.LOGGER, "propagate", False)
    level, make = measuring.LOGGER.level, logging.getLogRecordFactory()
    hook = threading.excepthook
    measuring.LOGGER.setLevel(logging.INFO)
    yield written
    measuring.LOGGER.setLevel(level)
    logging.setLogRecordFactory(make)
    threading.excepthook = hook


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
    watch_errors()
    open_page("", run=SECRET, digit="3", drawing=SECRET, source=SECRET, index=SECRET)
    refused("disk")
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("streamlit").exception(SECRET)
    for private in (SECRET, SECRET.lower(), b"\x00" * 784, ("a", SECRET), {"name": SECRET}):
        measuring.happened("upload", str(private), name=private, megabytes=3)
    text = log.getvalue() + scraped()
    assert "canary" not in text.lower() and "7f3a" not in text
    assert 'vit_explainer_errors_total{kind="ValueError"}' in text
    assert 'vit_explainer_refusals_total{kind="disk"}' in text
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


def watching() -> str:
    """Return what the documentation says of metrics and logs."""
    text = (PROJECT / "docs" / "hosting.md").read_text(encoding="utf-8")
    return text.partition("## Watching it\n")[2].partition("\n## ")[0]


def rows(heading: str) -> list[str]:
    """Return the first cells of the table whose first heading this is."""
    table = watching().partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return [line.split("|")[1] for line in table.splitlines()[2:]]


def test_the_metrics_are_those_that_the_documentation_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(classroom, "has_opened", lambda: True)
    monkeypatch.setattr(metrics, "open_classes", lambda: 3)
    families = list(metrics.Collected().collect())
    names = {f"{one.name}{'_total' if one.type == 'counter' else ''}" for one in families}
    named = {
        f"{metrics.PREFIX}{name}"
        for cell in rows("metric, after `vit_explainer_`")
        for name in re.findall(r"`(\w+)", cell)
    }
    assert names == named
    assert "vit_explainer_classes 3.0" in scraped()


def test_the_kinds_and_events_are_those_that_the_documentation_names() -> None:
    source = "".join(path.read_text("utf-8") for path in (PROJECT / "explainer").rglob("*.py"))
    events = set(re.findall(r'happened\(\s*"(\w+)"', source))
    assert {name for cell in rows("event") for name in re.findall(r"`(\w+)`", cell)} == events
    assert {name for cell in rows("kind") for name in re.findall(r"`(\w+)`", cell)} == {*KINDS}
    assert [kind for kind in KINDS if source.count(f'"{kind}"') < 2] == []  # each has its use
    assert OF_CLASSES.keys() == REFUSED.keys()


def test_a_class_without_a_database_delays_no_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise classroom.ClassroomError("away")

    monkeypatch.setattr(classroom, "has_opened", lambda: True)
    monkeypatch.setattr(metrics, "open_classes", away)
    assert metrics.classes() == {"pupils": 0}


def test_durations_count_up_to_each_bound() -> None:
    found = Histogram((1, 2.5))
    for seconds in (0.2, 1.0, 2.0, 9.0):
        found.add(seconds)
    assert found.read() == ([("1", 2), ("2.5", 3), ("+Inf", 4)], 12.2)


def test_a_first_point_is_measured_once_and_only_from_a_press(log: StringIO) -> None:
    now = [100.0]
    points = FirstPoints(lambda: now[0])
    SECONDS.clear()
    for run in ("a", "b"):
        points.press(run)
    now[0] = 107.0
    points.keep_only({"a"})  # b has left the queue
    for run in ("a", "a", "b", "resumed"):
        points.come(run)
    assert dict(SECONDS.read()[0])["8"] == dict(SECONDS.read()[0])["+Inf"] == 1
    assert "vit_explainer_run_first_point_seconds_sum 7.0" in scraped()
    (line,) = log.getvalue().splitlines()
    assert json.loads(line)["event"] == "first_point" and json.loads(line)["seconds"] == 7.0
    SECONDS.clear()
