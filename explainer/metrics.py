"""``/metrics`` for Prometheus: numbers of this server, collected when somebody asks for them.

It is there only if ``VIT_EXPLAINER_METRICS`` is "on", since whoever reaches the port may read it.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from explainer import measuring, training

if TYPE_CHECKING:
    from prometheus_client.core import Metric

VARIABLE = "VIT_EXPLAINER_METRICS"
PREFIX = "vit_explainer_"
COUNTERS = {  # event → its metric, what it counts, and the label of its kinds
    "run": ("runs", "runs that came into a state", "state"),
    "refused": ("refusals", "wishes that were refused", "kind"),
    "error": ("errors", "errors that nobody foresaw", "kind"),
    "page": ("page_runs", "times that a page was drawn", "page"),
}


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
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        gauges: dict[str, tuple[str, float]] = {
            "visitors": ("browsers that are connected", visitors()),
            **runs(),
            **memory(),
        }
        for name, (what, value) in gauges.items():
            yield GaugeMetricFamily(PREFIX + name, what, value=value)
        for event, (name, what, label) in COUNTERS.items():
            family = CounterMetricFamily(PREFIX + name, what, labels=[label])
            for kind, number in measuring.counts(event).items():
                family.add_metric([kind], number)
            yield family
        seconds = CounterMetricFamily(
            f"{PREFIX}page_seconds", "seconds that the server drew a page", labels=["page"]
        )
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


def runs() -> dict[str, tuple[str, float]]:
    """Return how many runs wait and train here."""
    waiting, training_now = training.counts()
    return {
        "runs_waiting": ("runs that wait for a process", waiting),
        "runs_training": ("runs that a process trains", training_now),
    }


def memory() -> dict[str, tuple[str, float]]:
    """Return the resident bytes of the server and of its workers."""
    import psutil

    process = psutil.Process()
    workers = 0
    for child in process.children(recursive=True):
        try:
            workers += child.memory_info().rss
        except psutil.Error:  # it has ended meanwhile
            continue
    return {
        "server_bytes": ("resident memory of the server", process.memory_info().rss),
        "workers_bytes": ("resident memory of all processes that it started", workers),
    }
