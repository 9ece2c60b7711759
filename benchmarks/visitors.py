"""How the app answers while thirty visitors walk through its pages at once.

    python benchmarks/visitors.py [--rest 60]

Each visitor is a websocket connection that speaks the browser's own protocol: it opens a page with
an image of its own, thinks for 1 to 5 seconds, then goes to another page, chooses another token or
another image, and waits until the server has sent the whole answer. What a browser would keep in
its cache is not sent again. Drawing in the browser is not part of these times.

A few visitors alone come first. The processor time that the server then spends on each choice (a
page, a token or an image) says how many visitors it can bear, since the interpreter's lock lets
only one thread compute at a time. ``choice_cost.py`` says on which pages it is spent.

The server's memory is taken when one visitor has opened the first page; at the moment of the last
choice of the walk; a few seconds later, when the work for the last choices is over; and after the
seconds of ``--rest``, in which nobody is there. Each is told apart into memory of its own and pages
of files that it has mapped, such as PyTorch's library.
"""

import argparse
import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from served import HOME, Server, middle, p95
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

NEXT_PAGE, NEXT_TOKEN = 0.5, 0.35  # shares of what visitors do; the rest is another image
FEW = 3  # visitors who do not wait for one another
PATIENCE = 60  # seconds
SETTLED = 5  # seconds after the last choice, when all that it left is freed
REST_AFTER_IMPORTS = 12  # seconds in which the server imports what later pages need


@dataclass
class Measured:
    """What all visitors noted, in milliseconds and bytes."""

    times: dict[str, list[float]] = field(default_factory=dict)
    bytes: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def note(self, kind: str, milliseconds: float, received: int) -> None:
        self.times.setdefault(kind, []).append(milliseconds)
        self.bytes.setdefault(kind, []).append(received)


class Visitor:
    """One browser as the server sees it."""

    def __init__(self, socket: ClientConnection, seed: int, measured: Measured) -> None:
        self.socket = socket
        self.random = random.Random(seed)
        self.measured = measured
        self.query = urlencode({"digit": seed % 10, "index": 7 * seed})
        self.pages: dict[str, str] = {}  # address → hash
        self.page = ""
        self.kept: dict[str, ForwardMsg] = {}
        self.widgets: dict[str, WidgetState] = {}
        self.pickers: dict[str, str] = {}  # id of a component to choose in → its fragment
        self.index: tuple[str, float] | None = None  # the number input of the image
        # id and fragment of the component that watches what is in sight, and what it was told
        self.sight: tuple[str, str, dict] | None = None

    async def act(self) -> None:
        """Do one thing that visitors do and note how long it took."""
        draw = self.random.random()
        if draw < NEXT_PAGE or not (self.pickers or self.index):
            addresses = sorted(self.pages)
            self.page = self.pages[self.random.choice(addresses)]
            self.widgets.clear()
            await self.rerun("page to page")
        elif draw < NEXT_PAGE + NEXT_TOKEN and self.pickers:
            widget = self.random.choice(sorted(self.pickers))
            token = self.random.randrange(49)
            choice = {"choice": {"query": token, "at": time.perf_counter()}}
            self.widgets[widget] = WidgetState(id=widget, json_value=json.dumps(choice))
            await self.rerun("another token", fragment=self.pickers[widget])
        elif self.index:
            widget, value = self.index
            self.widgets[widget] = WidgetState(id=widget, double_value=value + 1)
            await self.rerun("another image")

    async def rerun(self, kind: str, fragment: str = "") -> None:
        """Ask for a run and wait for its end."""
        state = ClientState(
            query_string=self.query,
            page_script_hash=self.page,
            fragment_id=fragment,
            cached_message_hashes=list(self.kept),
        )
        state.widget_states.widgets.extend(self.widgets.values())
        state.context_info.color_scheme = "light"
        if not fragment:
            self.pickers, self.index, self.sight = {}, None, None
        began = time.perf_counter()
        received = await self.ask(state)
        while near := self.near():
            widget, fragment_of_sight = near
            state = ClientState(
                query_string=self.query,
                page_script_hash=self.page,
                fragment_id=fragment_of_sight,
                cached_message_hashes=list(self.kept),
            )
            state.widget_states.widgets.extend([*self.widgets.values(), widget])
            state.context_info.color_scheme = "light"
            received += await self.ask(state)
        self.measured.note(kind, 1000 * (time.perf_counter() - began), received)

    async def ask(self, state: ClientState) -> int:
        """Ask for one run and wait for its end; return how many bytes came."""
        await self.socket.send(BackMsg(rerun_script=state).SerializeToString())
        return await asyncio.wait_for(self.receive(), PATIENCE)

    def near(self) -> tuple[WidgetState, str] | None:
        """Return what a browser says whose window begins at the page's top, and in which fragment.

        None if it says nothing, since the server has drawn all that is near there.
        """
        if not self.sight:
            return None
        widget, its_fragment, parts = self.sight
        near = parts["names"][: len(parts["names"]) // 2 + 1]  # as Chromium says at 1440 × 900
        if not set(near).intersection(parts["stale"]):
            return None
        self.sight = None
        events = [{"event": "near", "value": {"near": near, "heights": {}}}]
        trigger = f"$$STREAMLIT_INTERNAL_KEY_{widget}__events"
        return WidgetState(id=trigger, json_trigger_value=json.dumps(events)), its_fragment

    async def receive(self) -> int:
        """Read messages until the run is over; return how many bytes came."""
        received = 0
        while True:
            raw = await self.socket.recv()
            received += len(raw)
            message = ForwardMsg.FromString(raw)
            kind = message.WhichOneof("type")
            if kind == "ref_hash":
                kept = self.kept[message.ref_hash]
                kept.metadata.CopyFrom(message.metadata)
                message, kind = kept, kept.WhichOneof("type")
            elif message.metadata.cacheable and message.hash:
                self.kept[message.hash] = message
            if kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue  # a callback asked for another run, which comes next
                return received
            if kind == "navigation":
                self.pages = {
                    page.url_pathname or page.page_name: page.page_script_hash
                    for page in message.navigation.app_pages
                }
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self.look(message)
            else:
                self.hear(message, kind)

    def hear(self, message: ForwardMsg, kind: str) -> None:
        """Take any other message; whoever only looks around needs none."""

    def look(self, message: ForwardMsg) -> None:
        """Note what can be used on the page, and an error that it shows."""
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.measured.errors.append(element.exception.message)
        elif kind == "bidi_component":
            name = element.bidi_component.component_name
            if name.endswith(("token_picker", "token_explorer", "patch_explorer")):
                self.pickers[element.bidi_component.id] = message.delta.fragment_id
            elif name.endswith("sight"):
                component = element.bidi_component
                told = json.loads(component.json or component.mixed.json)
                self.sight = component.id, message.delta.fragment_id, told
        elif kind == "number_input" and "est image" in element.number_input.label:
            spinner = element.number_input
            value = spinner.value if spinner.set_value else spinner.default
            if value + 1 <= spinner.max:
                self.index = (spinner.id, value)


def join(server: Server) -> connect:
    """Return a connection to the app as a browser opens one, to be entered."""
    address = f"{server.url.replace('http', 'ws')}/_stcore/stream"
    return connect(address, max_size=None, subprotocols=["streamlit"])


async def visit(server: Server, seed: int, seconds: float, measured: Measured) -> None:
    """Open the app and look around for a while."""
    await asyncio.sleep(random.Random(seed).uniform(0, 3))
    try:
        async with join(server) as socket:
            visitor = Visitor(socket, seed, measured)
            await visitor.rerun("first page")
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await asyncio.sleep(visitor.random.uniform(1, 5))
                await visitor.act()
    except Exception as error:
        measured.errors.append(f"{type(error).__name__}: {error}")


async def measure(server: Server, visitors: int, seconds: float) -> Measured:
    measured = Measured()
    await asyncio.gather(
        *(visit(server, seed, seconds, measured) for seed in range(1, visitors + 1))
    )
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument(
        "--rest", type=float, default=0, help="seconds after the visitors have left"
    )
    parser.add_argument("--app", type=Path, default=HOME, help="another version's Home.py")
    options = parser.parse_args()
    with Server(options.app) as server:
        memory = {}
        if options.rest:
            asyncio.run(measure(server, 1, 1))
            time.sleep(REST_AFTER_IMPORTS)
            memory["after the first page"] = server.memory(), server.own_memory()
        # one visitor alone first, as the server's imports are not what is asked here
        asyncio.run(measure(server, 1, 20))
        before = server.cpu_seconds()
        few = asyncio.run(measure(server, FEW, options.seconds / 2))
        choices = sum(map(len, few.times.values()))
        each = (server.cpu_seconds() - before) / choices
        measured = asyncio.run(measure(server, options.visitors, options.seconds))
        memory["at the end"] = server.memory(), server.own_memory()
        most = server.most_memory()
        time.sleep(SETTLED)
        memory[f"{SETTLED} s later"] = server.memory(), server.own_memory()
        if options.rest:
            time.sleep(options.rest)
            memory[f"another {options.rest:.0f} s later"] = server.memory(), server.own_memory()
    print(
        f"{FEW} visitors: {each:.3f} s of the server's processor time for each of {choices} "
        f"choices, so one process answers {1 / each:.1f} choices a second\n"
    )
    print("| what | median | p95 | n | most bytes |\n|---|---|---|---|---|")
    after = [t for kind, times in measured.times.items() if kind != "first page" for t in times]
    rows = {**measured.times, "**everything after the first page**": after}
    for kind, times in rows.items():
        most_bytes = max(measured.bytes.get(kind, [0]))
        print(
            f"| {kind} | {middle(times):,.0f} ms | {p95(times):,.0f} ms | {len(times)} |"
            f" {most_bytes / 1e6:.2f} MB |"
        )
    print(f"\n{options.visitors} visitors, {options.seconds:.0f} s, {len(measured.errors)} errors")
    for error in sorted(set(measured.errors)):
        print(f"- {error}")
    print(f"server memory: {most:.0f} MB at most")
    for when, (resident, own) in memory.items():
        print(f"- {when}: {resident:.0f} MB, {own:.0f} MB of it its own")


if __name__ == "__main__":
    main()
