"""Train on fewer images: the first ones of each class."""

from dataclasses import replace

import torch
from torch import Tensor

from vit_core.data.packed import PackedSplit
from vit_core.data.sets import ImageData, Images, Split
from vit_core.data.streaming import StreamedSplit


def limited(data: ImageData, per_class: int | None) -> ImageData:
    """Return a data set with fewer training images; validation and test stay whole.

    The name, the fingerprint, the mean and the standard deviation stay those of the whole data set,
    so that results with different limits can be compared.

    Args:
        per_class: the first so many of each class are kept, in the order of the set; None for all.
    """
    if per_class is None:
        return data
    return replace(data, train=first_of_each(data.train, per_class))


def first_of_each(images: Images, count: int) -> Images:
    """Return the first ``count`` images of each class, in their order.

    Raises:
        TypeError: the images are of another kind than those of this package.
    """
    chosen = places_of_first(images.labels.cpu(), count)
    if isinstance(images, Split | PackedSplit):
        return Split(images.select(chosen), images.labels[chosen])
    if isinstance(images, StreamedSplit):
        files = images.files.select(chosen.numpy())
        return StreamedSplit(files, images.shape, images.skipped, images.workers).to(
            images.labels.device
        )
    raise TypeError(f"images of type {type(images).__name__} cannot be limited")


def places_of_first(labels: Tensor, count: int) -> Tensor:
    """Return the indices of the first ``count`` images of each class, in order.

    Args:
        labels: (n,) int64.
    """
    order = torch.argsort(labels, stable=True)  # class by class, each in the set's order
    counts = torch.bincount(labels)
    starts = counts.cumsum(0) - counts
    ranks = torch.arange(len(labels)) - starts[labels[order]]  # within their class
    return order[ranks < count].sort().values
