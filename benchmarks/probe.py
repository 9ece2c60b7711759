"""How good is a linear probe on twelve pictures of each class, beside the nearest neighbour?

python benchmarks/probe.py ../shared/data/cifar10-jpeg.tar --backbone cifar10 --seeds 5
python benchmarks/probe.py ../shared/data/cifar10-jpeg.tar --backbone ../shared/weights/dinov2-small

Three classes of CIFAR-10's test part, three others that look alike, and three digits of MNIST as
pictures in colour, 112 of each class. Each seed draws other twelve to learn from; the remaining 100
of each class check. The times are CPU seconds of one probe.
"""

import argparse
import tarfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vit_core import ViT
from vit_core.data import DataInfo, mnist_test, normalize
from vit_core.data.image_file import as_shown, middle, to_array
from vit_core.interpret.probe import encode, fit_head, hold_out, neighbours
from vit_core.probe import SMALL, load_backbone

LEARNED, CHECKED = 12, 100  # pictures of each class
SETS = {
    "cat, frog, ship": ("cat", "frog", "ship"),
    "cat, deer, dog": ("cat", "deer", "dog"),
    "digits 3, 5, 8": (3, 5, 8),
}
AT_ONCE = 16


def pictures_of(
    archive: Path, classes: tuple[str | int, ...], checked: int = CHECKED
) -> tuple[list[Image.Image], Tensor]:
    """Return the first pictures of each class, with their labels.

    Args:
        checked: pictures of each class besides those to learn from.
    """
    count, found = LEARNED + checked, []
    files: dict[str, bytes] = {}
    wanted = tuple(f"test/{name}/" for name in classes if isinstance(name, str))
    if wanted:
        with tarfile.open(archive) as tar:
            for member in tar:  # once through the archive, since each look-up reads all of it
                folder, _, file = member.name.rpartition("/")
                if f"{folder}/".endswith(wanted) and int(Path(file).stem) < count:
                    content = tar.extractfile(member)
                    assert content is not None, member.name
                    files[f"{Path(folder).name}/{file}"] = content.read()
    for name in classes:
        if isinstance(name, int):
            digits = mnist_test()
            places = (digits.labels == name).nonzero()[:count, 0]
            found += [Image.fromarray(digits.images[place, 0].numpy()) for place in places]
            continue
        names = sorted(one for one in files if one.startswith(f"{name}/"))
        found += [Image.open(BytesIO(files[one])) for one in names]
    labels = torch.arange(len(classes)).repeat_interleave(count)
    return [as_shown(image, 3) for image in found], labels


def looked_at(model: ViT, info: DataInfo, pictures: list[Image.Image]) -> tuple[Tensor, Tensor]:
    """Return features (n, D) and small pixels (n, …) of pictures."""
    features, pixels = [], []
    for start in range(0, len(pictures), AT_ONCE):
        arrays = [
            np.ascontiguousarray(to_array(middle(one, model.config.image_hw)))
            for one in pictures[start : start + AT_ONCE]
        ]
        images = torch.from_numpy(np.stack(arrays))
        features.append(encode(model, normalize(images, info))[0])
        pixels.append(torch.nn.functional.adaptive_avg_pool2d(images.float(), SMALL).flatten(1))
    return torch.cat(features), torch.cat(pixels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path, help="cifar10-jpeg.tar")
    parser.add_argument("--backbone", default="cifar10", help="as vit_core.probe takes it")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    model, info = load_backbone(options.backbone)
    size, threads = model.config.num_parameters, torch.get_num_threads()
    print(f"{options.backbone}: {size:,} parameters, {threads} threads")
    for name, classes in SETS.items():
        pictures, labels = pictures_of(options.archive, classes)
        began = time.process_time()
        features, pixels = looked_at(model, info, pictures)
        each = (time.process_time() - began) / len(pictures)
        rows, seconds = [], []
        for seed in range(options.seeds):
            held = hold_out(labels, seed, LEARNED)
            truth = labels[held]
            began = time.process_time()
            head = fit_head(features[~held], labels[~held], len(classes), seed=seed)
            seconds.append(time.process_time() - began)
            answers = (
                head.logits(features[held]).argmax(dim=1),
                labels[~held][neighbours(features[~held], features[held])],
                labels[~held][neighbours(pixels[~held], pixels[held], is_cosine=False)],
            )
            rows.append([float((answer == truth).double().mean()) for answer in answers])
        means, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
        probe, nearest, bare = (
            f"{100 * mean:.1f} ± {100 * std:.1f} %" for mean, std in zip(means, spread, strict=True)
        )
        learned = LEARNED * len(classes)
        print(
            f"{name:16}  probe {probe}   nearest {nearest}   nearest on pixels {bare}   "
            f"{each * learned:.1f} CPU s for features of {learned} pictures, "
            f"{np.mean(seconds):.1f} for the head",
            flush=True,
        )


if __name__ == "__main__":
    main()
