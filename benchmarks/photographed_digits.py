"""How many photographed digits are read, of each kind of picture in ``digit_scenes``.

    python benchmarks/photographed_digits.py [--count 30] [--seeds 0 1 2] [--kinds sheet frame]

For each seed and kind, ``--count`` test digits become made photographs, go the way of an uploaded
file, and are read by a shipped model. The pictures are the same whenever the seed is.
``--save FOLDER`` writes those that were not read, with the preparation's steps beside them.
"""

import argparse
from io import BytesIO
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from digit_scenes import KINDS
from PIL import Image

from explainer.inputs.pictures.prepare import UnusablePictureError
from explainer.inputs.pictures.read_file import read_upload
from vit_core import load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import mnist_test, normalize


def file_of(image: Image.Image) -> bytes:
    content = BytesIO()
    image.save(content, "PNG")  # of a JPEG, the pixels that its file would give
    return content.getvalue()


def side_by_side(original: Image.Image, upload) -> Image.Image:
    shown = [original.convert("RGB")]
    if upload is not None:
        shown += [Image.fromarray(upload.ink).convert("RGB")]
        shown += [Image.fromarray(upload.pixels).convert("RGB").resize((280, 280))]
    for image in shown:
        image.thumbnail((320, 320))
    whole = Image.new("RGB", (330 * len(shown), 320), "red")
    for place, image in enumerate(shown):
        whole.paste(image, (330 * place, 0))
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--model", default="default")
    parser.add_argument("--kinds", nargs="+", help="only kinds whose name has one of these words")
    parser.add_argument("--save", type=Path)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = load_checkpoint(SHIPPED_DIR / f"{wanted.model}.safetensors")
    test = mnist_test()
    print(f"digits read of {wanted.count}, model {wanted.model}, seeds {wanted.seeds}")
    for name, scene in KINDS.items():
        if wanted.kinds and not any(word in name for word in wanted.kinds):
            continue
        row = []
        for seed in wanted.seeds:
            random, right, refused = np.random.default_rng([seed, crc32(name.encode())]), 0, 0
            for place in random.choice(10_000, wanted.count, replace=False):
                photo = scene(test.images[place, 0].numpy(), random)
                label, said, upload = int(test.labels[place]), None, None
                try:
                    upload = read_upload(file_of(photo))
                    pixels = torch.from_numpy(upload.pixels)[None, None]
                    with torch.no_grad():
                        logits = checkpoint.model(normalize(pixels, checkpoint.data))
                    said = int(logits.argmax())
                except UnusablePictureError:
                    refused += 1
                right += said == label
                if said != label and wanted.save:
                    wanted.save.mkdir(parents=True, exist_ok=True)
                    title = f"{name.replace(' ', '-')}-{seed}-{place}-{label}-as-{said}.png"
                    side_by_side(photo, upload).save(wanted.save / title)
            row.append(f"{right:3d}" + (f" ({refused} refused)" if refused else ""))
        print(f"{name:28s} {'  '.join(row)}", flush=True)


if __name__ == "__main__":
    main()
