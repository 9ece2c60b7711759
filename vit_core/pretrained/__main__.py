"""``python -m vit_core.pretrained NAME IMAGE``: classify a picture with a pretrained model."""

import argparse
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from vit_core.data import normalize
from vit_core.data.image_file import UnreadableImageError, open_image, quiet_pillow, to_array
from vit_core.pretrained import PretrainedError, load
from vit_core.pretrained.errors import one_line
from vit_core.storage.plain_text import let_output_write_anything, plain, program

SHOWN = 5  # classes


def main(arguments: list[str] | None = None) -> int:
    """Print the most probable classes, or the length of the features; return the exit code."""
    let_output_write_anything()
    parser = argparse.ArgumentParser(
        prog=program("vit-pretrained", "vit_core.pretrained"),
        description="Try a pretrained model on a picture.",
    )
    parser.add_argument("name", help="hf/…, timm/…, torchvision/…, or a folder")
    parser.add_argument("image", type=Path, help="a picture that Pillow can open")
    options = parser.parse_args(arguments)
    try:
        with tqdm(unit="B", unit_scale=True, delay=1.0) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            model, preprocessing = load(options.name, progress)
        with quiet_pillow():
            image = open_image(options.image, preprocessing.channels)
            pixels = preprocessing.prepare(image)
    except (PretrainedError, UnreadableImageError, OSError) as error:
        print(f"error: {one_line(str(error))}", file=sys.stderr)  # the last line, below the bar
        return 2
    for note in preprocessing.notes:
        print(f"note: {note}", file=sys.stderr)
    batch = torch.from_numpy(to_array(pixels).copy())[None]
    with torch.no_grad():
        output = model(normalize(batch, preprocessing.info))[0]
    config = model.config
    print(f"{config.num_parameters:,} parameters, {config.num_tokens} tokens")
    if not config.num_classes:
        print(f"no classes: {len(output)} features for the image, of length {output.norm():.2f}")
        return 0
    if config.num_classes == 1:  # its probability is always 1
        print(f"a single class, {plain(preprocessing.class_names[0])}: logit {output[0]:.3f}")
        return 0
    shares = output.softmax(dim=0)
    for index in shares.argsort(descending=True)[:SHOWN].tolist():
        print(f"{shares[index]:7.2%}  {plain(preprocessing.class_names[index])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
