"""Data sets: the embedded MNIST, torchvision's, image folders, and what training sees of them."""

from vit_core.data.embedded_mnist import (
    MNIST_DIR,
    MNIST_TRAINING,
    mnist,
    mnist_info,
    mnist_test,
    mnist_validation,
    read_idx,
)
from vit_core.data.sets import Batch, DataInfo, ImageData, Images, Split, normalize

__all__ = [
    "MNIST_DIR",
    "MNIST_TRAINING",
    "Batch",
    "DataInfo",
    "ImageData",
    "Images",
    "Split",
    "mnist",
    "mnist_info",
    "mnist_test",
    "mnist_validation",
    "normalize",
    "read_idx",
]
