"""Two hundred pupils answer within five seconds: how long the class's line takes, and what is lost.

    python benchmarks/class_line.py
    python benchmarks/class_line.py --servers 3

One server keeps its classes in SQLite. Several share a PostgreSQL, which this starts, and the
pupils are spread over them. Each pupil has a websocket, as a browser has, and answers every
question once, at a moment of the five seconds. Noted is the time until the server has said that the
answer is kept, and until the teacher's line has told of it.
"""

import argparse
import asyncio
import json
import os
import random
import runpy
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from served import ROOT, Server, middle, p95
from websockets.asyncio.client import ClientConnection, connect

from explainer.classroom import VARIABLE, Asked, the_classrooms
from explainer.classroom.store import Classrooms

ANSWERS_SECONDS = 5.0  # in which all pupils answer a question
PATIENCE = 60  # seconds
TEACHER = "teacher".ljust(32, "-")
OPTIONS = ("the corner", "the middle", "nowhere")


def question(number: int) -> Asked:
    return Asked(f"question {number}", "Where?", OPTIONS, right=0)


class Times:
    """Seconds from each answer until it was kept, and until the teacher's line told of it."""

    def __init__(self) -> None:
        self.kept: list[float] = []
        self.told: list[float] = []
        self.sent: list[float] = []  # of the question that is asked now, by the monotonic clock


async def enter(server: Server, rooms: Classrooms, code: str, visitor: str) -> ClientConnection:
    """Return a line that the server has let in."""
    address = f"{server.url.replace('http', 'ws')}/classroom/{code}"
    socket = await connect(address, max_size=None, max_queue=None, open_timeout=PATIENCE)
    await socket.send(json.dumps({"ticket": rooms.ticket(code, visitor)}))
    while "welcome" not in json.loads(await socket.recv()):
        pass
    return socket


async def answer(socket: ClientConnection, number: int, times: Times) -> None:
    await asyncio.sleep(random.uniform(0, ANSWERS_SECONDS))
    began = time.monotonic()
    times.sent.append(began)
    order = {"id": number, "do": "answer", "question": f"question {number}"}
    await socket.send(json.dumps({**order, "choice": random.randrange(len(OPTIONS))}))
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
        if message.get("id") == number:
            if "error" in message:
                raise SystemExit(message["error"])
            times.kept.append(time.monotonic() - began)
            return


async def watch(socket: ClientConnection, number: int, pupils: int, times: Times) -> None:
    """Note when the teacher's line tells of each answer; those that came first are told first."""
    known = 0
    while known < pupils:
        message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
        poll = message.get("seen", {}).get("polls", {}).get(f"question {number}", {})
        now, answered = time.monotonic(), poll.get("answered", 0)
        order = sorted(times.sent)
        times.told += [now - order[at] for at in range(known, answered)]
        known = max(known, answered)


async def lesson(servers: Sequence[Server], rooms: Classrooms, pupils: int, questions: int) -> None:
    code, times = rooms.open(TEACHER), Times()
    teacher = await enter(servers[0], rooms, code, TEACHER)
    lines = [
        await enter(servers[at % len(servers)], rooms, code, f"pupil {at}".ljust(32, "-"))
        for at in range(pupils)
    ]
    for number in range(questions):
        times.sent = []
        rooms.steer(code, TEACHER, screen=number + 1, asked=question(number))
        watching = asyncio.create_task(watch(teacher, number, pupils, times))
        await asyncio.sleep(1)  # until all have heard of the question
        await asyncio.gather(*(answer(line, number, times) for line in lines))
        await watching
    seen = rooms.seen(code)
    kept = sum(sum(seen.polls[f"question {number}"].counts) for number in range(questions))
    print(f"{pupils} pupils, {len(servers)} servers, {questions} questions")
    print(f"answers: {pupils * questions}, kept: {kept}, lost: {pupils * questions - kept}")
    for name, seconds in (("kept", times.kept), ("told to the teacher", times.told)):
        print(f"{name}: median {1000 * middle(seconds):.0f} ms, p95 {1000 * p95(seconds):.0f} ms")
    for line in (teacher, *lines):
        await line.close()
    rooms.end(code, TEACHER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pupils", type=int, default=200)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--questions", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.servers > 1:
            tools = runpy.run_path(str(ROOT / "tests" / "postgresql.py"))
            url = stack.enter_context(tools["postgresql"]())
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{Path(folder) / 'classrooms.sqlite'}"
        os.environ[VARIABLE] = url
        rooms = the_classrooms()
        servers = [stack.enter_context(Server()) for _ in range(options.servers)]
        try:
            asyncio.run(lesson(servers, rooms, options.pupils, options.questions))
        finally:
            rooms.close()


if __name__ == "__main__":
    main()
