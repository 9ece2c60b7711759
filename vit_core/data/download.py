"""``python -m vit_core.data.download NAME``: have a data set on this machine, with right hashes."""

import argparse
import sys

from vit_core.data.torchvision_sets import cifar10, fashion_mnist
from vit_core.storage.plain_text import let_output_write_anything, plain

OPENERS = {"fashion-mnist": fashion_mnist, "cifar10": cifar10}


def main(arguments: list[str] | None = None) -> int:
    """Download a data set, unless it is there, and return 0; 2 for a fault that is named."""
    let_output_write_anything()
    parser = argparse.ArgumentParser(
        prog="python -m vit_core.data.download",
        description="Download a data set, unless it is there, and check its hashes.",
    )
    parser.add_argument("name", choices=OPENERS)
    try:
        data = OPENERS[parser.parse_args(arguments).name]()
    except (ValueError, OSError) as error:
        print(plain(error), file=sys.stderr)
        return 2
    print(f"{data.info.name}: {len(data.train):,} training images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
