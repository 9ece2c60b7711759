"""What happens when twelve visitors press Start within a second, while three others look around.

    python benchmarks/classroom.py

Each student is a websocket connection that speaks the browser's own protocol: it opens the training
page, presses Start, and then watches as the page asks it to. Their runs are small, so that all of
them end within minutes. It reports what became of the runs, and how long the pages of all visitors
took meanwhile.
"""

import argparse
import asyncio
import json
import os
import random
import re
import tempfile
import time
from pathlib import Path

from served import Server, middle, p95
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from visitors import Measured, Visitor, join, visit

SMALL = "patches=4&width=16&heads=2&depth=1"  # with the page's own recipe of three epochs
START = "Start training"
ENDED = ("finished", "failed", "stopped", "interrupted")
PATIENCE = 1800  # seconds


class Student(Visitor):
    """A visitor who trains."""

    start = ""  # id of the button
    watched: tuple[str, float] | None = None  # the fragment that the page asks for, and how often

    def look(self, message: ForwardMsg) -> None:
        super().look(message)
        element = message.delta.new_element
        if element.WhichOneof("type") == "button" and element.button.label == START:
            self.start = element.button.id

    def hear(self, message: ForwardMsg, kind: str) -> None:
        if kind == "auto_rerun":
            self.watched = message.auto_rerun.fragment_id, message.auto_rerun.interval

    @property
    def run(self) -> str:
        found = re.search(r"run=([\w-]+)", self.query)
        return found[1] if found else ""

    async def open(self) -> None:
        self.query = SMALL
        await self.rerun("first page")
        self.page = self.pages["train"]
        await self.rerun("open the training page")

    async def press_start(self) -> None:
        self.widgets[self.start] = WidgetState(id=self.start, trigger_value=True)
        await self.rerun("press Start")
        self.widgets.clear()

    async def watch(self, runs: Path) -> str:
        """Look at the run as often as the page asks for, until it has ended; return how."""
        while (state := state_of(runs / self.run)) not in ENDED:
            if self.watched is None:
                await asyncio.sleep(1.0)
                await self.rerun("watch, whole page")
                continue
            fragment, interval = self.watched
            await asyncio.sleep(interval)
            await self.rerun("watch the run", fragment=fragment)
        return state


def state_of(folder: Path) -> str:
    try:
        return json.loads((folder / "status.json").read_text(encoding="utf-8"))["state"]
    except (OSError, ValueError):
        return "lost"


async def learn(
    server: Server, seed: int, runs: Path, ready: asyncio.Barrier, measured: Measured
) -> tuple[str, str, float]:
    """Return a student's run, how it ended, and after how many seconds."""
    async with join(server) as socket:
        student = Student(socket, seed, measured)
        await student.open()
        await ready.wait()
        await asyncio.sleep(random.Random(seed).uniform(0, 1))
        began = time.monotonic()
        await student.press_start()
        state = await asyncio.wait_for(student.watch(runs), PATIENCE)
        return student.run, state, time.monotonic() - began


async def lesson(server: Server, runs: Path, students: int, guests: int) -> None:
    measured, around = Measured(), Measured()
    ready = asyncio.Barrier(students)
    over = asyncio.Event()

    async def look_around(seed: int) -> None:
        while not over.is_set():
            await visit(server, seed, 10, around)

    walks = [asyncio.create_task(look_around(100 + seed)) for seed in range(guests)]
    ended = await asyncio.gather(
        *(learn(server, seed, runs, ready, measured) for seed in range(students))
    )
    over.set()
    await asyncio.gather(*walks)
    show(ended, measured, around)


def show(ended: list[tuple[str, str, float]], measured: Measured, around: Measured) -> None:
    finished = [run for run, state, _ in ended if state == "finished"]
    seconds = sorted(spent for _, _, spent in ended)
    print(
        f"{len(finished)} of {len(ended)} runs finished, {len(set(finished))} different ones; "
        f"the first after {seconds[0]:.0f} s, the last after {seconds[-1]:.0f} s\n"
    )
    print("| what | median | p95 | n |\n|---|---|---|---|")
    guests = [t for kind, times in around.times.items() if kind != "first page" for t in times]
    for kind, times in {**measured.times, "those who look around": guests}.items():
        if times:
            print(f"| {kind} | {middle(times):,.0f} ms | {p95(times):,.0f} ms | {len(times)} |")
    errors = measured.errors + around.errors
    print(f"\n{len(errors)} errors")
    for error in sorted(set(errors)):
        print(f"- {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=12)
    parser.add_argument("--guests", type=int, default=3, help="who look around meanwhile")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VIT_EXPLAINER_RUNS"] = folder
        with Server() as server:
            asyncio.run(lesson(server, Path(folder), options.students, options.guests))
            print(f"server memory: {server.most_memory():.0f} MB at most")


if __name__ == "__main__":
    main()
