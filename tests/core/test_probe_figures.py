"""What a probe on twelve pictures of each class is worth, on real photographs.

``benchmarks/probe.py`` measures it on more classes, with more seeds.
"""

from pathlib import Path

import pytest
import torch
from probe import looked_at, pictures_of

from vit_core.interpret.probe import fit_head, hold_out, neighbours
from vit_core.probe import load_backbone

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "cifar10-jpeg.tar"


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="needs ../shared with CIFAR-10's pictures")
def test_twelve_of_each_are_enough_for_classes_that_the_backbone_knows() -> None:
    """It was trained on these classes, on other pictures; pixels alone are much worse."""
    pictures, labels = pictures_of(ARCHIVE, ("cat", "frog", "ship"), checked=40)
    model, info = load_backbone("cifar10")
    features, pixels = looked_at(model, info, pictures)
    held = hold_out(labels, limit=12)
    truth = labels[held]
    head = fit_head(features[~held], labels[~held], 3)
    right = float((head.logits(features[held]).argmax(dim=1) == truth).double().mean())
    nearest = labels[~held][neighbours(pixels[~held], pixels[held], is_cosine=False)]
    bare = float((nearest == truth).double().mean())
    assert len(truth) == 120 and torch.equal(truth.bincount(), torch.tensor([40, 40, 40]))
    assert right >= 0.85 and right > bare + 0.2, (right, bare)
