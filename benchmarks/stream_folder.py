"""A folder of 100,000 small images: how soon training can start, how fast it reads, what it holds.

The folder is made in a temporary place and removed. Every image is a file of its own; most of them
are links to a few contents, so that making them does not take longer than reading them.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from timing import hardware

from vit_core.config import TrainConfig
from vit_core.data.image_folder import list_folder, read_folder
from vit_core.data.random_view import RandomView
from vit_core.data.streaming import BatchRequest
from vit_core.torchvision_import import import_transforms

CLASSES, CONTENTS, SIDE = 1000, 200, 64
BATCH = 256


def make_folder(root: Path, count: int) -> None:
    """Make ``count`` training images in 1,000 classes, and one of each class to test with."""
    random = np.random.default_rng(0)
    kept = root / "contents"
    kept.mkdir()
    for index in range(CONTENTS):
        # smooth, as photographs are, and not noise, which takes JPEG longest
        coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
        image = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        image.save(kept / f"{index}.jpg", quality=90)
    names = [f"n{index:08d}" for index in range(CLASSES)]
    for part, of_class in (("train", count // CLASSES), ("val", 1), ("test", 1)):
        for label, name in enumerate(names):
            folder = root / part / name
            folder.mkdir(parents=True)
            for index in range(of_class):
                content = kept / f"{(label + index * 7) % CONTENTS}.jpg"
                os.link(content, folder / f"{name}_{index:05d}.JPEG")


def megabytes(process: int | str = "self") -> tuple[float, float]:
    """Return a process's own memory and its share of what it has in common with others."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines[1:]}
    return found["Private_Clean"] + found["Private_Dirty"], found["Pss"]


def workers() -> list[str]:
    """Return the processes that read for this one."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="stream-folder-"))
    try:
        began = time.perf_counter()
        make_folder(root, options.count)
        print(f"made {options.count:,} files in {time.perf_counter() - began:.1f} s", flush=True)
        measure(root, options.workers, options.size)
    finally:
        shutil.rmtree(root)


def measure(root: Path, processes: int, size: int) -> None:
    began = time.perf_counter()
    folder = list_folder(root)
    listed = time.perf_counter() - began
    files = folder.train
    kept = len(files.names) + files.starts.nbytes + files.lengths.nbytes + files.labels.nbytes
    print(f"listed {len(folder):,} files in {listed:.2f} s; {kept / len(files):.0f} bytes a file")
    began = time.perf_counter()
    data = read_folder(root, size, memory=0, workers=processes)
    opened = time.perf_counter() - began
    print(f"opened, with the listing and the mean of a sample, in {opened:.2f} s")

    order = np.random.default_rng(0).permutation(len(data.train)).tolist()
    batches = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    import_transforms()  # as a training does, before there are other processes
    view = RandomView.for_epoch(TrainConfig(augment="crop"), seed=1)
    began = time.perf_counter()
    views = (BatchRequest(places, is_clean=False) for places in batches)
    print("| images | seconds | this process, MB | a worker's own, MB | all together, MB |")
    print("|---|---|---|---|---|")
    done = 0
    for index, batch in enumerate(data.train.load(views, view)):
        done += len(batch.indices)
        if index % (len(batches) // 5) == 0:
            children = [megabytes(child) for child in workers()]
            own, share = megabytes()
            most = max(private for private, _ in children)
            total = share + sum(pss for _, pss in children)
            seconds = time.perf_counter() - began
            print(
                f"| {done:,} | {seconds:.1f} | {own:.0f} | {most:.0f} | {total:.0f} |", flush=True
            )
    seconds = time.perf_counter() - began
    print(f"\n{done / seconds:,.0f} images a second, read and cropped by {processes} processes")
    print(hardware())


if __name__ == "__main__":
    main()
