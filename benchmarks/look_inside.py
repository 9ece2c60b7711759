"""Score the maps that say what a model relied on, and time them.

    python benchmarks/look_inside.py areas --archive ../shared/data/cifar10-jpeg.tar
    python benchmarks/look_inside.py checks --pictures 12 --models default
    python benchmarks/look_inside.py times
    PYTHONPATH=FOLDER python benchmarks/look_inside.py peers

"areas": the area under deletion (less is better) and insertion (more is better) for the predicted
class of test pictures, mean over the pictures, for every method and for two or three fillings.
Random is the mean of three seeds. CIFAR-10 needs its archive; without it, that model is left out.

"checks": Spearman's rank correlation of each method's maps with those of a model whose weights are
drawn anew from the head down (0: the map needs what was learned; 1: it does not). Then the share of
its positive values in the right quarter of four pictures in one, at full size and shrunk (chance
1/4), and the model's probability for the four classes together. Use fewer pictures: --pictures 12.

"times": every method for one picture, and all of them together, beside one plain pass.

"peers": captum's integrated gradients and torchcam's Grad-CAM, if they are installed (pip install
--target FOLDER --no-deps captum torchcam): the largest difference of the maps, and their time
divided by ours.
"""

import argparse
import copy
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from timing import hardware, milliseconds, print_table, ratio, side_by_side
from torch import Tensor, nn

from vit_core import ViT, load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR, Checkpoint
from vit_core.data import mnist_test, normalize
from vit_core.interpret import METHODS, attribute, deletion_insertion
from vit_core.interpret.deletion import FILLS, black_pixel
from vit_core.interpret.pointing import for_four, pointing_game
from vit_core.interpret.sanity import TRAINED, sanity_check
from vit_core.model import patchify

MODELS = ("default", "best", "cifar10")
SEEDS = 3
AT_ONCE = 100
TOLERANCE = 1e-4  # of the largest value of a map


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=("areas", "checks", "times", "peers"))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--fills", nargs="+", choices=FILLS, default=["drop", "black"])
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--archive", type=Path, help="cifar10-jpeg.tar")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.models:
        checkpoint = load_checkpoint(SHIPPED_DIR / f"{name}.safetensors")
        assert checkpoint.data is not None, name
        seen = options.what in ("areas", "checks")  # times do not depend on what is seen
        if name == "cifar10" and seen and options.archive is None:
            print("cifar10 is left out: --archive says where its test pictures are\n")
            continue
        pixels, labels = pictures_of(name, options)
        images = normalize(pixels, checkpoint.data)
        if options.what == "areas":
            print_areas(name, checkpoint, images, options.methods, options.fills)
        elif options.what == "checks":
            print_checks(name, checkpoint.model, images, labels, options.methods)
        elif options.what == "times":
            print_times(name, checkpoint.model, images[:1], options.rounds)
        else:
            print_peers(name, checkpoint.model, images[:8], options.rounds)


def pictures_of(name: str, options: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Return test pictures, uint8, and labels: the first digits, or the first of each class."""
    if name != "cifar10":
        digits = mnist_test()
        return digits.images[: options.pictures], digits.labels[: options.pictures]
    if options.archive is None:
        return torch.randint(256, (8, 3, 32, 32), dtype=torch.uint8), torch.arange(8)
    found = sorted(of_archive(options.archive, -(-options.pictures // 10)), key=lambda one: one[0])
    classes = sorted({folder for _, folder, _ in found})
    return (
        torch.stack([picture for _, _, picture in found])[: options.pictures],
        torch.tensor([classes.index(folder) for _, folder, _ in found])[: options.pictures],
    )


def of_archive(archive: Path, of_each: int) -> Iterator[tuple[int, str, Tensor]]:
    """Yield number, class and pixels of the first pictures of each class of the test part."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = Path(member.name)
            if path.parts[0] == "test" and path.suffix == ".jpg" and int(path.stem) < of_each:
                content = tar.extractfile(member)
                assert content is not None, member.name
                picture = np.array(Image.open(BytesIO(content.read())).convert("RGB"))
                yield int(path.stem), path.parts[1], torch.from_numpy(picture).permute(2, 0, 1)


def print_areas(
    name: str, checkpoint: Checkpoint, images: Tensor, methods: list[str], fills: list[str]
) -> None:
    """Print a table: a row for each method, deletion and insertion for each filling."""
    assert checkpoint.data is not None
    model, black = checkpoint.model, black_pixel(checkpoint.data)
    with torch.no_grad():
        predicted = torch.cat([model(some).argmax(dim=1) for some in images.split(100)])
    header = [f"`{name}`, {len(images)} pictures"]
    for fill in fills:
        header += [f"deletion ↓, {fill}", f"insertion ↑, {fill}"]
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header), flush=True)
    largest_error, began = 0.0, time.perf_counter()
    for method in methods:
        chosen = [{"seed": seed} for seed in range(SEEDS)] if method == "random" else [{}]
        maps = [maps_of(model, images, predicted, method, **options) for options in chosen]
        cells = [method]
        for fill in fills:
            areas = [areas_of(model, images, predicted, one, fill, black) for one in maps]
            for index in range(2):
                means = [float(area[index].mean()) for area in areas]
                error = float(areas[0][index].std()) / len(images) ** 0.5
                largest_error = max(largest_error, error)
                cells.append(f"{sum(means) / len(means):.3f}")
                if len(means) > 1:
                    cells[-1] += f" ({min(means):.3f}–{max(means):.3f})"
        print("| " + " | ".join(cells) + " |", flush=True)
    print(f"\nlargest standard error of a mean: {largest_error:.3f}")
    print(f"{time.perf_counter() - began:.0f} s; {hardware()}\n", flush=True)


def maps_of(model: ViT, images: Tensor, targets: Tensor, method: str, **options: object) -> Tensor:
    """Return a method's map of each picture, (n, P)."""
    chunks = zip(images.split(AT_ONCE), targets.split(AT_ONCE), strict=True)
    return torch.cat([attribute(model, *some, method=method, **options).patches for some in chunks])


def areas_of(
    model: ViT, images: Tensor, targets: Tensor, maps: Tensor, fill: str, black: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the area under deletion and insertion of each picture, (n,) each."""
    chunks = zip(*(one.split(AT_ONCE) for one in (images, targets, maps)), strict=True)
    curves = [deletion_insertion(model, *some, fill, black=black) for some in chunks]
    return (
        torch.cat([curve.deletion_area for curve in curves]),
        torch.cat([curve.insertion_area for curve in curves]),
    )


def print_checks(name: str, model: ViT, images: Tensor, labels: Tensor, methods: list[str]) -> None:
    """Print how maps fare with random weights, and with four pictures in one."""
    with torch.no_grad():
        predicted = model(images).argmax(dim=1)
    games, asked = games_of(images, labels)
    sizes = {"full size": for_four(model), "shrunk": None}
    answers: dict[str, float] = {}
    parts: list[str] = []
    rows = []
    for method in methods:

        def maps(altered: ViT, method: str = method) -> Tensor:
            return attribute(altered, images, predicted, method=method).patches

        stages = [stage for stage in sanity_check(model, maps) if stage.name != TRAINED]
        parts = [stage.name for stage in stages]
        cells = [method, *(f"{float(stage.correlation.nanmean()):.2f}" for stage in stages)]
        for size, wide in sizes.items():

            def of_four(
                pictures: Tensor, classes: Tensor, method: str = method, asked: ViT = wide or model
            ) -> Tensor:
                return attribute(asked, pictures, classes, method=method).patches

            game = pointing_game(model, games, asked, of_four, wide)
            cells.append(f"{float(game.right.nanmean()):.2f}")
            answers[size] = float(game.answers.sum(dim=1).mean())
        rows.append(cells)
    header = [f"`{name}`, {len(images)} pictures, random down to", *parts]
    print_table([*header, *(f"right quarter, {size}" for size in sizes)], rows)
    for size, answer in answers.items():
        print(f"probability of the four classes together, {size}: {answer:.2f}")
    print()


def games_of(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return a game for each picture: it and the next ones of three other classes."""
    games, classes = [], []
    for first in range(len(images)):
        chosen: dict[int, int] = {}
        for offset in range(len(images)):
            index = (first + offset) % len(images)
            chosen.setdefault(int(labels[index]), index)
        four = list(chosen.values())[:4]
        games.append(images[four])
        classes.append(labels[four])
    return torch.stack(games), torch.stack(classes)


def print_times(name: str, model: ViT, image: Tensor, rounds: int) -> None:
    """Print what each method takes for one picture, beside one plain pass."""
    with torch.no_grad():
        target = model(image).argmax(dim=1)

    def plain() -> None:
        with torch.no_grad():
            model(image)

    def method_alone(method: str) -> Callable[[], object]:
        return lambda: attribute(model, image, target, method=method)

    def everything() -> None:
        for method in METHODS:
            attribute(model, image, target, method=method)

    candidates: dict[str, Callable[[], object]] = {"plain pass": plain}
    candidates |= {method: method_alone(method) for method in METHODS}
    candidates["all methods"] = everything
    times = side_by_side(candidates, rounds)
    rows = [
        [one, milliseconds(times[one]), f"{ratio(times, one, 'plain pass'):.1f}"]
        for one in candidates
    ]
    print_table([f"`{name}`, one picture", "ms", "÷ plain pass"], rows)
    print()


def print_peers(name: str, model: ViT, images: Tensor, rounds: int) -> None:
    """Print how far the peers' maps are from ours, and their time divided by ours."""
    with torch.no_grad():
        targets = model(images).argmax(dim=1)
    rows = []
    for method, peer in (
        ("integrated_gradients", captum_map(model)),
        ("grad_cam", torchcam_map(model)),
    ):
        if peer is None:
            print(f"{method}: its peer is not installed", file=sys.stderr)
            continue
        ours = attribute(model, images, targets, method=method).patches
        theirs = peer(images, targets)
        apart = float((ours - theirs).abs().max() / ours.abs().max())
        assert apart < TOLERANCE, f"{method}: {apart}"
        cells = [method, f"{apart:.0e}"]
        for batch in (1, len(images)):
            some, asked = images[:batch], targets[:batch]
            times = side_by_side(
                {
                    "ours": with_map(attribute, model, some, asked, method=method),
                    "theirs": with_map(peer, some, asked),
                },
                rounds,
            )
            cells.append(f"{ratio(times, 'theirs', 'ours'):.2f}")
        rows.append(cells)
    header = [f"`{name}`", "largest difference ÷ largest value", "time ÷ ours, 1 picture"]
    print_table([*header, f"{len(images)} pictures"], rows)
    print()


def with_map(
    run: Callable[..., object], *arguments: object, **options: object
) -> Callable[[], object]:
    return lambda: run(*arguments, **options)


def captum_map(model: ViT) -> Callable[[Tensor, Tensor], Tensor] | None:
    """Return captum's integrated gradients from the mean pixel, by our rule; None without it."""
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        return None
    explain = IntegratedGradients(model)

    def maps(images: Tensor, targets: Tensor) -> Tensor:
        pixels = explain.attribute(
            images, baselines=0.0, target=targets, n_steps=50, method="gausslegendre"
        )
        return patchify(pixels, model.config.patch_hw).sum(dim=2)

    return maps


class Grid(nn.Module):
    """The last block's first LayerNorm, with the patches' tokens as a grid that can be hooked."""

    def __init__(self, norm: nn.Module, model: ViT) -> None:
        super().__init__()
        self.norm, self.watched = norm, nn.Identity()
        self.prefix, self.size = model.config.num_prefix_tokens, model.config.grid_size

    def forward(self, x_BND: Tensor) -> Tensor:
        normed_BND = self.norm(x_BND)
        grid = normed_BND[:, self.prefix :].transpose(1, 2).unflatten(2, self.size)
        patches_BPD = self.watched(grid).flatten(2).transpose(1, 2)
        return torch.cat((normed_BND[:, : self.prefix], patches_BPD), dim=1)


def torchcam_map(model: ViT) -> Callable[[Tensor, Tensor], Tensor] | None:
    """Return torchcam's Grad-CAM at the last block's ``norm1``; None without it."""
    try:
        from torchcam.methods import GradCAM
    except ImportError:
        return None
    hooked = copy.deepcopy(model)
    hooked.blocks[-1].norm1 = Grid(hooked.blocks[-1].norm1, hooked)
    shape = (model.config.in_channels, *model.config.image_hw)
    explain = GradCAM(hooked, hooked.blocks[-1].norm1.watched, input_shape=shape)

    def maps(images: Tensor, targets: Tensor) -> Tensor:
        output = hooked(images)
        (cam,) = explain(targets.tolist(), output, normalized=False)
        return cam.flatten(1)

    return maps


if __name__ == "__main__":
    main()
