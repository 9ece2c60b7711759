"""What a visitor costs a server, and how many replicas of the app a number of visitors needs.

    python benchmarks/hosting.py measure
    python benchmarks/hosting.py simulate

``measure`` starts the app and opens it as browsers do, one visitor after another, and notes the
processor time that the server spends on each kind of request, and the memory that an open page
holds. Processor time hardly depends on what else the machine does; the answer's time would.

``simulate`` takes these costs from ``hosting_costs.json``. It lets pupils arrive as in the first
five minutes of a lesson: classes of thirty begin around the bell, and the pupils of each come
within ninety seconds, most of them after thirty. A page is answered by one replica, which answers
one request at a time, because Python's interpreter lock lets one thread compute at a time; a cookie
keeps a visitor on a replica. Whoever has an answer thinks, and then asks for the next.
"""

import argparse
import asyncio
import heapq
import json
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from served import Server, p95
from streamlit.proto.WidgetStates_pb2 import WidgetState
from visitors import Measured, Visitor, join

COSTS = Path(__file__).with_name("hosting_costs.json")
CLASS = 30  # pupils
ARRIVE_SECONDS, MOST_ARRIVE = 90.0, 30.0  # of one class; the first and the peak
BELL_SECONDS = 60.0  # by which classes begin sooner or later than the bell, a standard deviation
LESSON_SECONDS = 300.0
GOOD_SECONDS = 1.0  # within which 95 of 100 requests shall be answered
SAMPLED = 6  # replicas that are simulated of many, since none hears of the others
SETTLED_SECONDS = 0.5  # without work, after which a request has had all of its cost


@dataclass(frozen=True)
class Doing:
    """What visitors of one kind ask for.

    Attributes:
        first: the request that opens the page.
        shares: kind of the later requests → share of it.
        thinking: seconds between an answer and the next request, the least and the most.
    """

    first: str
    shares: Mapping[str, float]
    thinking: tuple[float, float]


# A screen of the story is turned in the browser. It tells the server, which runs the page again
DOINGS = {
    "the story": Doing("open story", {"open story": 1.0}, (20, 60)),
    "all pages": Doing("home", {"a page": 0.4, "a token": 0.4, "an image": 0.2}, (4, 16)),
}


# ---------------------------------------------------------------- measure


async def costs_of(server: Server, visitors: int, actions: int) -> dict[str, float]:
    """Return the server's processor seconds for each kind of request, and for opening each page."""
    spent: dict[str, list[float]] = {}
    measured = Measured()

    async def note(visitor: Visitor, kinds: Sequence[str], fragment: str = "") -> None:
        before = server.cpu_seconds()
        await visitor.rerun(kinds[0], fragment)
        await settle(server)
        for kind in kinds:
            spent.setdefault(kind, []).append(server.cpu_seconds() - before)

    for seed in range(visitors):
        async with join(server) as socket:
            visitor = Visitor(socket, 100 + seed, measured)
            await note(visitor, ["home"])
            for address, page in sorted(visitor.pages.items()):
                visitor.page = page
                visitor.widgets.clear()
                await note(visitor, [f"open {address or 'home'}", "a page"])
                for _ in range(actions):
                    await choose(visitor, note)
    if measured.errors:
        raise SystemExit("the pages showed errors: " + "; ".join(sorted(set(measured.errors))))
    return {kind: sum(times) / len(times) for kind, times in spent.items()}


async def settle(server: Server) -> None:
    """Wait until the server does nothing, since it may compute parts of a page beside it."""
    before = -1.0
    while server.cpu_seconds() - before > 0.02:
        before = server.cpu_seconds()
        await asyncio.sleep(SETTLED_SECONDS)


async def choose(visitor: Visitor, note: Callable[..., Awaitable[None]]) -> None:
    """Choose a token, or another image where the page has a field for it."""
    if visitor.pickers and (not visitor.index or visitor.random.random() < 0.6):
        widget = visitor.random.choice(sorted(visitor.pickers))
        choice = {"choice": {"query": visitor.random.randrange(49), "at": visitor.random.random()}}
        visitor.widgets[widget] = WidgetState(id=widget, json_value=json.dumps(choice))
        await note(visitor, ["a token"], visitor.pickers[widget])
    elif visitor.index:
        widget, value = visitor.index
        visitor.widgets[widget] = WidgetState(id=widget, double_value=value + 1)
        await note(visitor, ["an image"])


async def held_by(server: Server, visitors: int, seconds: float) -> tuple[float, float]:
    """Return the MB that an open page of the story holds, and its processor seconds a minute."""
    measured, before = Measured(), server.memory()
    sockets = [await join(server) for _ in range(visitors)]
    for seed, socket in enumerate(sockets):
        visitor = Visitor(socket, 500 + seed, measured)
        await visitor.rerun("home")
        visitor.page = visitor.pages["story"]
        await visitor.rerun("story")
    megabytes = (server.memory() - before) / visitors
    spent = server.cpu_seconds()
    await asyncio.sleep(seconds)
    idle = (server.cpu_seconds() - spent) / visitors / seconds * 60
    for socket in sockets:
        await socket.close()
    return megabytes, idle


def measure(visitors: int, actions: int) -> dict[str, float]:
    with Server() as server:
        asyncio.run(costs_of(server, 1, actions))  # the imports of all pages are not asked here
        costs = asyncio.run(costs_of(server, visitors, actions))
        costs["memory of a server"] = server.memory()
        megabytes, idle = asyncio.run(held_by(server, 30, 20))
    return costs | {"memory of a page": megabytes, "a minute of looking": idle}


# ---------------------------------------------------------------- simulate


def arrivals(visitors: int, chance: random.Random) -> list[float]:
    """Return when each visitor comes, in seconds from the first, in order."""
    times = []
    for first in range(0, visitors, CLASS):
        begins = chance.gauss(0, BELL_SECONDS) if visitors > CLASS else 0.0
        for _ in range(min(CLASS, visitors - first)):
            times.append(begins + chance.triangular(0, ARRIVE_SECONDS, MOST_ARRIVE))
    first = min(times)
    return sorted(time - first for time in times)


def answer_times(
    comes: list[float], doing: Doing, costs: Mapping[str, float], chance: random.Random
) -> Iterator[float]:
    """Yield the seconds until each answer of one replica, whose visitors come at these times."""
    kinds, weights = list(doing.shares), list(doing.shares.values())
    waiting = [(time, number, doing.first) for number, time in enumerate(comes)]
    heapq.heapify(waiting)
    free = 0.0
    while waiting:
        asked, number, kind = heapq.heappop(waiting)
        # no request of a kind costs less than half of their mean
        cost = costs[kind] * (0.5 + 0.5 * chance.expovariate(1.0))
        free = max(free, asked) + cost
        yield free - asked
        then = free + chance.uniform(*doing.thinking)
        if then < comes[0] + LESSON_SECONDS + ARRIVE_SECONDS:
            heapq.heappush(waiting, (then, number, chance.choices(kinds, weights)[0]))


def slow_answer(
    visitors: int, replicas: int, doing: Doing, costs: Mapping[str, float], seed: int = 0
) -> float:
    """Return the seconds within which 95 of 100 requests are answered."""
    chance = random.Random(seed)
    comes: list[list[float]] = [[] for _ in range(replicas)]
    for time in arrivals(visitors, chance):
        comes[chance.randrange(replicas)].append(time)
    sample = [one for one in comes if one][:SAMPLED]
    return p95([t for one in sample for t in answer_times(one, doing, costs, chance)])


def replicas_for(visitors: int, doing: Doing, costs: Mapping[str, float]) -> int:
    """Return the fewest replicas, within a tenth, that answer 95 of 100 requests in time."""
    few, many = 0, 1
    while slow_answer(visitors, many, doing, costs) > GOOD_SECONDS:
        few, many = many, many * 2
    while many - few > max(1, many // 10):
        middle = (few + many) // 2
        if slow_answer(visitors, middle, doing, costs) > GOOD_SECONDS:
            few = middle
        else:
            many = middle
    return many


def show(costs: Mapping[str, float]) -> None:
    print("| what | cost |\n|---|---|")
    for kind, cost in costs.items():
        unit = "MB" if kind.startswith("memory") else "s of a core"
        print(f"| {kind} | {cost:.3f} {unit} |")
    print("\n| visitors | what they do | with one replica | replicas | with these | memory |")
    print("|---|---|---|---|---|---|")
    for visitors in (30, 300, 3_000, 30_000):
        for name, doing in DOINGS.items():
            one = slow_answer(visitors, 1, doing, costs)
            needed = replicas_for(visitors, doing, costs)
            then = slow_answer(visitors, needed, doing, costs)
            memory = costs["memory of a server"] * needed + costs["memory of a page"] * visitors
            print(
                f"| {visitors:,} | {name} | {one:,.1f} s | {needed} | {then:.1f} s |"
                f" {memory / 1000:.1f} GB |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("do", choices=("measure", "simulate"))
    parser.add_argument("--visitors", type=int, default=3, help="that are measured one by one")
    parser.add_argument("--actions", type=int, default=2, help="of each on a page")
    options = parser.parse_args()
    if options.do == "measure":
        costs = {k: round(v, 4) for k, v in measure(options.visitors, options.actions).items()}
        COSTS.write_text(json.dumps(costs, indent=2) + "\n", encoding="utf-8")
    show(json.loads(COSTS.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
