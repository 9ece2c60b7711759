"""``python -m vit_core.probe BACKBONE FOLDER``: a new linear head on a trained model's features.

The backbone stays as it is. The head is fitted to its optimum on a few pictures of each class, in
seconds, and checked on pictures that were held out; the nearest neighbour is there to compare.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from vit_core.checkpoint import SHIPPED_DIR, save_checkpoint
from vit_core.data import DataInfo, normalize
from vit_core.data.class_folders import ClassFolders, list_classes
from vit_core.data.file_list import FileList
from vit_core.data.image_file import UnreadableImageError, quiet_pillow, read_image
from vit_core.data.kept import OWN_PICTURES
from vit_core.data.sample_pictures import sample_pictures
from vit_core.data.skipped import Skipped
from vit_core.data.streaming import StreamedSplit
from vit_core.errors import VitError
from vit_core.interpret.probe import (
    Head,
    check_backbone,
    confusion_of,
    encode,
    fit_head,
    hold_out,
    neighbours,
    with_head,
)
from vit_core.model import ViT
from vit_core.pretrained import load
from vit_core.pretrained.errors import one_line
from vit_core.storage.plain_text import let_output_write_anything, plain, program

AT_ONCE = 16  # pictures in one pass
SMALL = 32  # pixels of a side, at which pixels are compared


@dataclass(frozen=True)
class Pictures:
    """Pictures as a probe sees them; those themselves are not kept.

    Attributes:
        features: (n, D).
        pixels: (n, channels · 32 · 32), the pictures made small.
        labels: (n,) int64.
        files: that could be read, in the same order.
    """

    features: Tensor
    pixels: Tensor
    labels: Tensor
    files: FileList

    def select(self, mask: Tensor) -> "Pictures":
        files = self.files.select(mask.numpy())
        return Pictures(self.features[mask], self.pixels[mask], self.labels[mask], files)


def main(arguments: list[str] | None = None) -> int:
    """Fit a probe and print what it reaches; return the exit code."""
    let_output_write_anything()
    parser = argparse.ArgumentParser(
        prog=program("vit-probe", "vit_core.probe"),
        description="Fit a linear head on a trained model's features of a few pictures.",
    )
    parser.add_argument(
        "backbone",
        help="a model of this project (cifar10), a checkpoint's file, or hf/…, timm/…, "
        "torchvision/…, or a folder as python -m vit_core.pretrained takes it",
    )
    parser.add_argument("folder", type=Path, help="has a folder of pictures for each class")
    parser.add_argument(
        "--limit-per-class",
        type=positive,
        metavar="N",
        help="learn from so many pictures of each class, and check with all others "
        "(three quarters, unless the folder has parts train and test)",
    )
    parser.add_argument("--seed", type=int, default=0, help="chooses the held-out pictures (0)")
    parser.add_argument("--output", type=Path, help="file for the model with its new head")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except (VitError, OSError) as error:
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        return 2
    return 0


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def run(options: argparse.Namespace) -> None:
    """Fit a probe as the options say.

    Raises:
        VitError: the backbone or the folder cannot be used.
        OSError: the output cannot be written.
    """
    folders = list_classes(options.folder)
    model, info = load_backbone(options.backbone)
    began = time.monotonic()
    learn, check = read_both(folders, model, info, options)
    seconds = time.monotonic() - began
    for line in str(folders.skipped).splitlines():
        print(f"note: {line}", file=sys.stderr)
    names = folders.learn.classes
    began = time.monotonic()
    head = fit_head(learn.features, learn.labels, len(names))
    fitted = time.monotonic() - began
    report(head, learn, check, names)
    print(
        f"features of {len(learn.labels) + len(check.labels)} pictures in {seconds:.1f} s, ", end=""
    )
    print(f"head in {fitted:.1f} s (L2 penalty {head.penalty:.2g}, chosen by cross-validation)")
    if options.output is not None:
        write(options.output, with_head(model, head), info, head, check, folders.skipped)


def load_backbone(name: str) -> tuple[ViT, DataInfo]:
    """Return a model by the name of a shipped one, or as ``vit_core.pretrained`` finds it.

    Raises:
        VitError: there is none, or it runs with a mistake.
    """
    shipped = SHIPPED_DIR / f"{name}.safetensors"
    is_shipped = Path(name).name == name and shipped.is_file()
    model, preprocessing = load(shipped if is_shipped else name)
    check_backbone(model)
    return model, preprocessing.info


def read_both(
    folders: ClassFolders, model: ViT, info: DataInfo, options: argparse.Namespace
) -> tuple[Pictures, Pictures]:
    """Return the pictures to learn from and those to check with.

    Raises:
        VitError: there are too few of them.
    """
    learn = read(folders.learn, model, info, folders.skipped)
    if folders.check is None:
        mask = hold_out(learn.labels, options.seed, options.limit_per_class)
        return learn.select(~mask), learn.select(mask)
    if options.limit_per_class is not None:
        chosen = torch.zeros(len(learn.labels), dtype=torch.bool)
        generator = torch.Generator().manual_seed(options.seed)
        for label in sorted(set(learn.labels.tolist())):
            places = (learn.labels == label).nonzero()[:, 0]
            order = torch.randperm(len(places), generator=generator)[: options.limit_per_class]
            chosen[places[order]] = True
        learn = learn.select(chosen)
    return learn, read(folders.check, model, info, folders.skipped)


def read(files: FileList, model: ViT, info: DataInfo, skipped: Skipped) -> Pictures:
    """Read pictures a few at a time, and keep what the model makes of them.

    Raises:
        TooManySkippedError: too many of them cannot be read.
    """
    config = model.config
    features, pixels, sound = [], [], []
    with quiet_pillow():
        for start in tqdm(range(0, len(files), AT_ONCE), unit_scale=AT_ONCE, delay=1.0):
            images = []
            for index in range(start, min(start + AT_ONCE, len(files))):
                path = files.path(index)
                try:
                    image = read_image(path, config.image_hw, config.in_channels)
                except UnreadableImageError:
                    skipped.add(path)
                    continue
                images.append(torch.from_numpy(np.ascontiguousarray(image)))
                sound.append(index)
            if images:
                batch = torch.stack(images)
                features.append(encode(model, normalize(batch, info))[0])
                small = torch.nn.functional.adaptive_avg_pool2d(batch.float(), SMALL)
                pixels.append(small.flatten(1))
    if not features:
        raise UnreadableImageError(f"none of the images in {plain(files.folder)} can be read")
    found = files.select(np.array(sound))
    labels = torch.from_numpy(found.labels.copy())
    return Pictures(torch.cat(features), torch.cat(pixels), labels, found)


def report(head: Head, learn: Pictures, check: Pictures, names: tuple[str, ...]) -> None:
    """Print the accuracy on the held-out pictures, of all and of each class."""
    predicted = head.logits(check.features).argmax(dim=1)
    confusion = confusion_of(check.labels, predicted, len(names))
    counts = torch.bincount(learn.labels, minlength=len(names))
    print(
        f"{len(learn.labels)} pictures of {len(names)} classes to learn from, "
        f"{len(check.labels)} held out to check"
    )
    print(f"probe              {share(predicted, check):7.2%} of the held-out pictures right")
    for is_cosine, what in ((True, "features"), (False, "pixels")):
        known, asked = (getattr(one, what) for one in (learn, check))
        nearest = learn.labels[neighbours(known, asked, is_cosine)]
        print(f"nearest, {what:9} {share(nearest, check):7.2%}")
    for label, name in enumerate(names):
        total = int(confusion[label].sum())
        right = f"{confusion[label, label] / total:7.2%}" if total else "      –"
        print(f"  {right}  {plain(name)} ({total} held out, {counts[label]} to learn from)")


def share(predicted: Tensor, check: Pictures) -> float:
    return float((predicted == check.labels).double().mean())


def write(
    path: Path, model: ViT, info: DataInfo, head: Head, check: Pictures, skipped: Skipped
) -> None:
    """Write the model with its new head as a checkpoint, which all pages can show.

    Raises:
        OSError: the file cannot be written.
    """
    shape = (model.config.in_channels, *model.config.image_hw)
    save_checkpoint(
        model,
        path,
        metrics={
            "epoch": 1,
            "step": 0,
            "val_accuracy": share(head.logits(check.features).argmax(dim=1), check),
        },
        data=DataInfo(OWN_PICTURES, "", info.mean, info.std, check.files.classes),
        pictures=sample_pictures(StreamedSplit(check.files, shape, skipped, 0)),
    )
    print(f"written: {plain(path)}")


if __name__ == "__main__":
    sys.exit(main())
