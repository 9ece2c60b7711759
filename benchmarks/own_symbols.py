"""How many drawings a model needs of symbols that it has never seen: from scratch and fine-tuned.

    python benchmarks/own_symbols.py --record

Five unlike symbols are drawn by a trembling pen (``pen_symbols.py``), which is never twice the
same. Some drawings of each symbol are given. Every fifth is kept back, as in the app, and the model
learns from the others as the page Train lets it: from the weights of the digits' model, or from
random ones. Then it is asked about new drawings, 40 of each symbol. Every seed has its own
drawings, new drawings and first weights. The settings were chosen with five other symbols
(``--others``).
"""

import argparse
import datetime
import json
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from pen_symbols import OTHERS, UNLIKE, pictures

from explainer.inputs.pictures.symbols import KEPT_BACK_EVERY
from explainer.training.symbols import WAYS, init_of, settings
from vit_core.data import Split
from vit_core.data.kept import OWN_SYMBOLS, kept_data
from vit_core.mistakes import build_with
from vit_core.training.evaluation import evaluate
from vit_core.training.initial import checkpoint_of, start_from
from vit_core.training.loop import Training

FILE = Path(__file__).parents[1] / "explainer/views/train/symbols/recorded.json"
EACH = (2, 3, 5, 10, 20)
NEW = 40  # of each symbol


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--each", type=int, nargs="+", default=EACH)
    parser.add_argument("--others", action="store_true", help="five other symbols")
    parser.add_argument("--record", action="store_true", help="write the table of the app")
    options = parser.parse_args()
    torch.set_num_threads(1)
    symbols = OTHERS if options.others else UNLIKE
    shares: dict[str, list[float]] = {way: [] for way in WAYS}
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    print("| drawings of each | way | right, mean | each seed | CPU seconds |")
    print("|---|---|---|---|---|", flush=True)
    for each in options.each:
        for way in WAYS:
            runs = [train(symbols, each, way, seed) for seed in range(options.seeds)]
            right, taken = zip(*runs, strict=True)
            shares[way].append(round(statistics.mean(right), 4))
            seconds[way] += taken
            seeds = ", ".join(f"{100 * share:.1f}" for share in right)
            mean = 100 * statistics.mean(right)
            print(f"| {each} | {way} | {mean:.1f} % | {seeds} | {statistics.mean(taken):.1f} |")
    if options.record:
        record(options, list(symbols), shares, seconds)


def train(symbols: dict, each: int, way: str, seed: int) -> tuple[float, float]:
    """Return the share of new drawings that a model reads right, and the CPU seconds it took."""
    drawn, labels = pictures(symbols, each, seed)
    is_back = np.arange(len(labels)) % each % KEPT_BACK_EVERY == KEPT_BACK_EVERY - 1
    learned, back = split(drawn, labels, ~is_back), split(drawn, labels, is_back)
    new = split(*pictures(symbols, NEW, 1_000 + seed), slice(None))
    data = kept_data(OWN_SYMBOLS, tuple(symbols), learned, back if len(back) else learned, new)
    model_config, config = settings(way, len(symbols), len(learned))
    model = build_with(model_config, config, seed)
    if init := init_of(way):
        start_from(model, checkpoint_of(init))
    training = Training(model, data, type(config)(**{**vars(config), "seed": seed}))
    began = time.process_time()
    for epoch in range(1, config.epochs + 1):
        for _ in training.run_epoch(epoch):
            pass
    taken = time.process_time() - began
    return evaluate(training.eval_model, data.test, data.info).accuracy, taken


def split(images: np.ndarray, labels: np.ndarray, chosen: np.ndarray | slice) -> Split:
    return Split(torch.tensor(images[chosen])[:, None], torch.tensor(labels[chosen]))


def record(
    options: argparse.Namespace,
    symbols: list[str],
    shares: dict[str, list[float]],
    seconds: dict[str, list[float]],
) -> None:
    """Write what the page Train shows."""
    *first, last = symbols
    values = {
        "command": "python benchmarks/own_symbols.py --record",
        "date": f"{datetime.date.today():%Y-%m-%d}",
        "symbols": f"{', '.join(first)} and {last}",
        "seeds": options.seeds,
        "new": NEW * len(symbols),
        "drawings": list(options.each),
        "shares": shares,
        "seconds": {way: round(statistics.mean(all_of)) for way, all_of in seconds.items()},
    }
    FILE.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
