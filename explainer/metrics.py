"""``/metrics`` for Prometheus: numbers of this server, collected when somebody asks for them.

It is there only if ``VIT_EXPLAINER_METRICS`` is "on", since whoever reaches the port may read it.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from explainer import classroom, measuring, training
from explainer.classroom import ClassroomError
from explainer.classroom.line import connected_pupils
from explainer.content import load_texts
from explainer.training.first_point import SECONDS

if TYPE_CHECKING:
    from prometheus_client.core import Metric

VARIABLE = "VIT_EXPLAINER_METRICS"
PREFIX = "vit_explainer_"
TEXTS = load_texts("metrics")
COUNTERS = {  # event → its metric, and the label of its kinds
    "run": ("runs", "state"),
    "refused": ("refusals", "kind"),
    "error": ("errors", "kind"),
    "page": ("page_runs", "page"),
}
PLAIN_COUNTERS = {"answer": "class_answers", "drawing": "class_drawings"}  # without kinds
DATABASE_SECONDS = 2.0  # that a scrape waits for the database of classes
_asking = ThreadPoolExecutor(1, thread_name_prefix="metrics")


def routes() -> list[BaseRoute]:
    """Return the route of the metrics; none unless the server is told to have it."""
    return [Route("/metrics", answer)] if os.environ.get(VARIABLE) == "on" else []


def answer(request: Request) -> Response:
    """Answer a scrape; Starlette calls this in a thread of its own."""
    # here, since a server that nobody watches needs no Prometheus
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(Collected())
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Collected:
    """All numbers at the moment of a scrape."""

    def collect(self) -> "Iterator[Metric]":
        """Yield one family of metrics after another."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        gauges = {"visitors": visitors(), **runs(), **classes(), **memory()}
        for name, value in gauges.items():
            yield GaugeMetricFamily(PREFIX + name, TEXTS[name], value=value)
        name = "run_first_point_seconds"
        buckets, total = SECONDS.read()
        yield HistogramMetricFamily(PREFIX + name, TEXTS[name], buckets, sum_value=total)
        for event, name in PLAIN_COUNTERS.items():
            number = sum(measuring.counts(event).values())
            yield CounterMetricFamily(PREFIX + name, TEXTS[name], value=number)
        for event, (name, label) in COUNTERS.items():
            family = CounterMetricFamily(PREFIX + name, TEXTS[name], labels=[label])
            for kind, number in measuring.counts(event).items():
                family.add_metric([kind], number)
            yield family
        name = "page_seconds"
        seconds = CounterMetricFamily(PREFIX + name, TEXTS[name], labels=["page"])
        for page, spent in measuring.seconds_of_pages().items():
            seconds.add_metric([page], spent)
        yield seconds


def visitors() -> int:
    """Return how many browsers are connected."""
    from streamlit import runtime

    if not runtime.exists():
        return 0
    stats: Any = runtime.get_instance().stats_mgr.get_stats(family_names=["active_sessions"])
    return sum(int(one.value) for one in stats.get("active_sessions", ()))


def runs() -> dict[str, int]:
    """Return how many runs wait and train here."""
    waiting, training_now = training.counts()
    return {"runs_waiting": waiting, "runs_training": training_now}


def classes() -> dict[str, int]:
    """Return how many classes are open, if this server uses them, and the pupils on its lines."""
    numbers = {"pupils": connected_pupils()}
    if not classroom.has_opened():
        return numbers
    with suppress(ClassroomError, TimeoutError):  # a database that is away delays no scrape
        numbers["classes"] = _asking.submit(open_classes).result(DATABASE_SECONDS)
    return numbers


def open_classes() -> int:
    return classroom.the_classrooms().open_classes()


def memory() -> dict[str, int]:
    """Return the resident bytes of the server, and of the processes that it started."""
    import psutil

    process = psutil.Process()
    workers = 0
    for child in process.children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            workers += child.memory_info().rss
    return {"server_bytes": process.memory_info().rss, "workers_bytes": workers}
