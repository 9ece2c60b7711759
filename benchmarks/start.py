"""How long a cold server takes until its first page is sent, beside what nobody could do without.

    python benchmarks/start.py

In turns: a process that imports Streamlit and PyTorch, a server of a one-line app, and the
explainer's. Each first page is asked for over a websocket, as a browser does, so the browser's own
time is in neither.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from pathlib import Path

from served import HOME, Server, middle
from visitors import Measured, Visitor, join

FLOOR = Path(__file__).with_name("floor_app.py")


async def open_first(server: Server) -> None:
    async with join(server) as socket:
        await Visitor(socket, 1, Measured()).rerun("first page")


def first_page(app: Path) -> float:
    """Return the seconds from the start of a server to its whole first page."""
    began = time.perf_counter()
    with Server(app) as server:
        asyncio.run(open_first(server))
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    ratios = []
    print("| imports | one-line app | explainer | ratio |\n|---|---|---|---|")
    for _ in range(options.rounds):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import streamlit, torch"], check=True)
        imports = time.perf_counter() - began
        floor, ours = first_page(FLOOR), first_page(HOME)
        ratios.append(ours / (imports + floor))
        print(f"| {imports:.2f} s | {floor:.2f} s | {ours:.2f} s | {ratios[-1]:.2f} |")
    print(f"\nmedian ratio: {middle(ratios):.2f}")


if __name__ == "__main__":
    main()
