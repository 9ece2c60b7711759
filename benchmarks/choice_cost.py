"""What one choice costs the server: processor time, messages and bytes, page by page.

    python benchmarks/choice_cost.py [--app PATH/TO/explainer/Home.py]

One visitor, a websocket connection that speaks the browser's own protocol, chooses tokens and
steps through test images that nobody has looked at before. The interpreter's lock lets one thread
compute at a time, so this processor time says how many choices one server can answer in a second.
Streamlit's own floor is measured in the same run: an app whose one widget changes one text, with
the explainer's settings.
"""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path

from pages import ADDRESSES, FLOOR
from served import HOME, Server
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from visitors import Measured, Visitor, join


@dataclass
class Cost:
    """What some choices cost: seconds of processor time, messages, bytes."""

    seconds: float = 0.0
    messages: int = 0
    size: int = 0
    choices: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.seconds + other.seconds,
            self.messages + other.messages,
            self.size + other.size,
            self.choices + other.choices,
        )

    def row(self, name: str, floor: "Cost") -> str:
        each = self.seconds / self.choices
        times = each / (floor.seconds / floor.choices)
        messages, size = self.messages / self.choices, self.size / self.choices / 1000
        return f"| {name} | {1000 * each:.0f} ms | {times:.1f} × | {messages:.0f} | {size:.0f} kB |"


class Counting(Visitor):
    """A visitor who also counts the messages."""

    messages = 0

    def look(self, message: ForwardMsg) -> None:
        self.messages += 1
        super().look(message)

    def hear(self, message: ForwardMsg, kind: str) -> None:
        self.messages += 1

    def token(self, number: int) -> tuple[str, str] | None:
        """Set the next token on the page's first picture of tokens; return its fragment."""
        if not self.pickers:
            return None
        widget = next(iter(self.pickers))
        choice = {"choice": {"query": number, "at": time.perf_counter()}}
        self.widgets[widget] = WidgetState(id=widget, json_value=json.dumps(choice))
        return widget, self.pickers[widget]


async def measure(server: Server, visitor: Counting, kind: str, changes: int) -> Cost:
    """Return what ``changes`` choices of one kind cost on the page that the visitor has open."""
    cost = Cost()
    for number in range(changes + 1):
        fragment = ""
        if kind == "token":
            if not (chosen := visitor.token(3 + 5 * number % 40)):
                return cost
            fragment = chosen[1]
        elif visitor.index:
            widget, value = visitor.index
            visitor.widgets[widget] = WidgetState(id=widget, double_value=value + 1)
        else:
            return cost
        before, visitor.messages = server.cpu_seconds(), 0
        sent = len(visitor.measured.bytes.setdefault(kind, []))
        await visitor.rerun(kind, fragment=fragment)
        await asyncio.sleep(0.15)  # what the server does after its answer counts too
        if number:  # the first one also imports and fills what all later ones use
            size = int(visitor.measured.bytes[kind][sent])
            cost += Cost(server.cpu_seconds() - before, visitor.messages, size, 1)
    return cost


async def of_app(
    app: Path, changes: int, pages: tuple[str, ...], flags: tuple[str, ...] = ()
) -> dict[str, dict[str, Cost]]:
    """Return page → kind of choice → cost."""
    costs: dict[str, dict[str, Cost]] = {}
    with Server(app, flags) as server:
        async with join(server) as socket:
            measured = Measured()
            visitor = Counting(socket, 1, measured)
            await visitor.rerun("first page")
            await asyncio.sleep(8)  # imports in the background
            for page in pages:
                if page:
                    visitor.page = visitor.pages[page]
                    visitor.widgets.clear()
                    await visitor.rerun("page")
                costs[page] = {
                    kind: await measure(server, visitor, kind, changes)
                    for kind in ("token", "image")
                }
            if measured.errors:
                raise SystemExit("\n".join(sorted(set(measured.errors))))
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--app", type=Path, default=HOME, help="another version's Home.py")
    parser.add_argument("--changes", type=int, default=10, help="of each kind on each page")
    options = parser.parse_args()
    flags = "--runner.postScriptGC", "false"
    floor = asyncio.run(of_app(FLOOR, 4 * options.changes, ("",), flags))[""]["image"]
    costs = asyncio.run(of_app(options.app, options.changes, ADDRESSES))
    print("| choice | processor time | ÷ floor | messages | bytes |\n|---|---|---|---|---|")
    print(floor.row("Streamlit's floor", floor))
    whole = Cost()
    for page, kinds in costs.items():
        for kind, cost in kinds.items():
            if cost.choices:
                print(cost.row(f"{page}: another {kind}", floor))
                whole += cost
    print(whole.row("**all**", floor))
    print(f"\nchoices that one process answers in a second: {whole.choices / whole.seconds:.1f}")


if __name__ == "__main__":
    main()
