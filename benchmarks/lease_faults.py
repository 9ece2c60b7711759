"""Three servers on one folder of runs, and what happens when one dies, freezes or errs in time.

    python benchmarks/lease_faults.py --rounds 20

Each round begins two runs on each of three servers (``lease_server.py``): one trains, one waits.
Then something happens to the servers. Visitors resume interrupted runs on any other server. Lost is
a run that does not finish, or in which an epoch is missing, stands twice, or is not whole. Prints a
row of a table for each kind of fault.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lease_server import EPOCHS, content_of

from explainer.training.store import Note, RunStore
from vit_core.runs.directory import parse_line

PROJECT = Path(__file__).parents[1]
PATIENCE = 120.0  # seconds, after which a run that has not finished counts as lost
HOUR = 3600.0


class Server:
    """A process of ``lease_server.py``."""

    def __init__(self, root: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, PROJECT / "benchmarks" / "lease_server.py", root, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            cwd=PROJECT,
        )
        self.is_ready = False

    def wait(self) -> None:
        """Wait until it has begun."""
        assert self.process.stdout
        while not self.is_ready:
            self.is_ready = "ready" in json.loads(self.process.stdout.readline())

    def ask(self, *words: str) -> dict[str, str]:
        """Send a line and return the answer."""
        assert self.process.stdin and self.process.stdout
        self.wait()
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def close(self) -> None:
        """Let it end by itself, and wait for that."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@dataclass
class Farm:
    """Servers on one folder, and the runs that were begun there.

    Attributes:
        options: of each server.
        runs: run id → its visitor.
        frozen: the servers that are stopped now.
        resumed: number of runs that were resumed.
    """

    root: Path
    moments: random.Random
    options: list[list[str]]
    servers: list[Server] = field(default_factory=list)
    runs: dict[str, str] = field(default_factory=dict)
    frozen: set[int] = field(default_factory=set)
    resumed: int = 0

    def __post_init__(self) -> None:
        self.root.mkdir(exist_ok=True)
        self.store = RunStore(self.root)
        self.servers = [Server(self.root, *one) for one in self.options]

    def begin(self, number: int) -> str:
        """Begin a run of a new visitor on one server."""
        visitor = f"visitor-{len(self.runs)}"
        answer = self.servers[number].ask("start", visitor)
        self.runs[answer["run"]] = visitor
        return answer["run"]

    def note(self, run_id: str) -> Note:
        note = self.store.read(run_id)
        assert note is not None, f"{run_id} was cleaned away"
        return note

    def restart(self, number: int) -> None:
        self.servers[number] = Server(self.root, *self.options[number])

    def settle(self, runs: list[str]) -> int:
        """Resume what ended early until all is finished; return how many runs are lost."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            states = {run_id: self.note(run_id).state for run_id in runs}
            if set(states.values()) == {"finished"} and not any(map(self.leases_of, runs)):
                break  # a lease goes a moment after the note is written
            for run_id, state in states.items():
                server = self.moments.choice(self.servers)
                if state in ("interrupted", "stopped", "failed"):
                    answer = server.ask("resume", self.runs[run_id], run_id)
                    self.resumed += "run" in answer
                elif state == "paused":
                    server.ask("unpause", self.runs[run_id], run_id)
            time.sleep(0.1)
        faults = [fault for run_id in runs if (fault := self.fault(run_id))]
        for fault in faults:
            print(fault, file=sys.stderr)
        return len(faults)

    def leases_of(self, run_id: str) -> list[str]:
        return [path.name for path in self.store.folder(run_id).glob("lease-*")]

    def fault(self, run_id: str) -> str:
        """Return what is wrong with a run that should be finished; empty if nothing is."""
        folder, note = self.store.folder(run_id), self.note(run_id)
        lines = (folder / "metrics.jsonl").read_bytes().splitlines()
        epochs = [line["epoch"] if (line := parse_line(text)) else None for text in lines]
        if note.state != "finished" or epochs != list(range(1, EPOCHS + 1)):
            return f"{note.state}, epochs {epochs}"
        for epoch in range(1, EPOCHS + 1):
            if (folder / f"epoch-{epoch:03d}.safetensors").read_bytes() != content_of(epoch):
                return f"epoch {epoch} is not whole"
        return f"a lease is left: {left}" if (left := self.leases_of(run_id)) else ""

    def close(self) -> None:
        for number in list(self.frozen):
            self.wake(number)
        for server in self.servers:
            server.close()

    def freeze(self, number: int) -> None:
        self.servers[number].send(signal.SIGSTOP)
        self.frozen.add(number)

    def wake(self, number: int) -> None:
        self.servers[number].send(signal.SIGCONT)
        self.frozen.discard(number)


def begun(farm: Farm) -> list[str]:
    """Begin two runs on each server, and wait for a random moment of their training."""
    for server in farm.servers:
        server.wait()
    runs = [farm.begin(number) for number in range(len(farm.servers)) for _ in range(2)]
    time.sleep(farm.moments.uniform(0.0, 0.8))
    return runs


def killed(farm: Farm) -> tuple[int, int]:
    """End a server with ``kill -9``; return the numbers of runs and of those that are lost."""
    runs, number = begun(farm), farm.moments.randrange(len(farm.servers))
    farm.servers[number].kill()
    farm.restart(number)
    return len(runs), farm.settle(runs)


def frozen(farm: Farm) -> tuple[int, int]:
    """Freeze a server until its runs are taken over, then let it continue."""
    runs, number = begun(farm), farm.moments.randrange(len(farm.servers))
    server = farm.note(runs[2 * number]).server
    farm.freeze(number)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        notes = [farm.note(run_id) for run_id in runs]
        if not any(one.server == server and one.state in ("queued", "running") for one in notes):
            break
        time.sleep(0.1)
    farm.wake(number)
    again = farm.begin(number)  # it works on, with new runs
    return len(runs) + 1, farm.settle([*runs, again])


def wrong_clocks(farm: Farm) -> tuple[int, int]:
    """Train on servers whose clocks are an hour off; an interruption counts as lost."""
    runs, before = begun(farm), farm.resumed
    lost = farm.settle(runs)
    return len(runs), lost + farm.resumed - before


def storm(farm: Farm) -> tuple[int, int]:
    """Begin, stop, pause, kill, freeze and restart at random, then let all finish."""
    runs = begun(farm)
    moments = farm.moments
    for _ in range(12):
        awake = [number for number in range(len(farm.servers)) if number not in farm.frozen]
        number, run_id = moments.choice(awake), moments.choice(runs)
        match moments.choice(("start", "stop", "pause", "unpause", "resume", "kill", "freeze")):
            case "start":
                runs.append(farm.begin(number))
            case "kill":
                farm.servers[number].kill()
                farm.restart(number)
            case "freeze" if hasattr(signal, "SIGSTOP") and len(awake) > 1:
                farm.freeze(number)
            case "stop" | "pause" | "unpause" | "resume" as do:
                farm.servers[number].ask(do, farm.runs[run_id], run_id)
        time.sleep(moments.uniform(0.0, 0.4))
        if farm.frozen and moments.random() < 0.3:
            farm.wake(moments.choice(sorted(farm.frozen)))
    for number in list(farm.frozen):
        farm.wake(number)
    return len(runs), farm.settle(runs)


RIGHT = [["--lease", "2"]] * 3
CLOCKS = [
    ["--lease", "2", "--ahead", str(HOUR)],
    ["--lease", "2", "--ahead", str(-HOUR)],
    ["--lease", "2", "--ahead", str(HOUR), "--jumps"],
]
FAULTS: dict[str, tuple[str, Callable[[Farm], tuple[int, int]], list[list[str]]]] = {
    "kill": ("a server is killed (`kill -9`)", killed, RIGHT),
    "freeze": ("a server is frozen (SIGSTOP), taken over, and goes on", frozen, RIGHT),
    "clock": ("clocks an hour ahead, an hour behind, and jumping", wrong_clocks, CLOCKS),
    "storm": ("random starts, stops, pauses, resumes, kills and freezes", storm, RIGHT),
}


def measure(farm: Farm, kind: str, rounds: int) -> tuple[str, int]:
    """Return a row of the table, and how many runs are lost."""
    said, act, _ = FAULTS[kind]
    before, counts = farm.resumed, [act(farm) for _ in range(rounds)]
    runs, lost = (sum(column) for column in zip(*counts, strict=True))
    return f"| {said} | {rounds} | {runs} | {farm.resumed - before} | {lost} |", lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--only", choices=FAULTS, action="append")
    options = parser.parse_args()
    print("| what | how often | runs | resumed | lost |\n|---|---|---|---|---|")
    for kind in options.only or FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            farm = Farm(Path(folder) / "runs", random.Random(options.seed), FAULTS[kind][2])
            try:
                print(measure(farm, kind, options.rounds)[0], flush=True)
            finally:
                farm.close()


if __name__ == "__main__":
    main()
