"""A part of an image folder that does not fit in memory, read while it is used.

Worker processes of PyTorch's DataLoader open, decode and cut the files. What an image looks like in
an epoch depends on (seed, epoch, its place) alone, not on which worker reads it.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vit_core.data import Batch, Split
from vit_core.file_list import FileList
from vit_core.image_file import (
    UnreadableImage,
    open_image,
    quiet_pillow,
    read_image,
)
from vit_core.random_view import RandomView
from vit_core.skipped import Skipped, TooManySkipped

TRIES = 100  # files, one behind the other, that may be unreadable before a reader gives up
# an image, its place, and the unreadable files before it; no image where there were too many
Item = tuple[Tensor | None, int, list[str]]


@dataclass(frozen=True)
class Views:
    """What a reader is asked for: the places of a batch, and whether they are shown unchanged."""

    places: list[int]
    is_plain: bool = True


class StreamedSplit:
    """Images that are read from their files; see ``vit_core.data.Images``.

    In the place of a file that cannot be read stands the next one that can, with its own label.
    """

    def __init__(
        self, files: FileList, shape: tuple[int, int, int], skipped: Skipped, workers: int
    ) -> None:
        """Read nothing yet.

        Args:
            shape: channels, height and width of an image.
            skipped: counts the files that cannot be read.
            workers: processes that read; with 0 it is done by the caller's own.
        """
        self.files, self.shape, self.skipped, self.workers = files, shape, skipped, workers
        self.labels = torch.from_numpy(files.labels.copy())

    def __len__(self) -> int:
        return len(self.files)

    @property
    def image_shape(self) -> tuple[int, ...]:
        return self.shape

    def to(self, device: torch.device | str) -> "StreamedSplit":
        moved = StreamedSplit(self.files, self.shape, self.skipped, self.workers)
        moved.labels = self.labels.to(device)
        return moved

    def at(self, places: list[int]) -> Tensor:
        reader = Reader(self.files, self.shape, None)
        with quiet_pillow(), ThreadPoolExecutor() as threads:
            items = list(threads.map(reader.read, places))
        return self.gathered(items).images

    def first(self, count: int) -> Split:
        places = list(range(min(count, len(self))))
        return Split(self.at(places), self.labels[: len(places)])

    def in_order(self, batch_size: int, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        starts = range(part * batch_size, len(self), parts * batch_size)
        batches = (list(range(s, min(s + batch_size, len(self)))) for s in starts)
        return self.load(map(Views, batches))

    def load(self, batches: Iterable[Views], view: RandomView | None = None) -> Iterator[Batch]:
        """Read batch after batch, ahead of when they are asked for.

        Args:
            view: changes the images that are not plain.

        Raises:
            TooManySkipped: too many files cannot be read.
        """
        loader = DataLoader(
            Reader(self.files, self.shape, view),
            batch_sampler=([(p, b.is_plain) for p in b.places] for b in batches),
            collate_fn=list,
            num_workers=self.workers,
            # its own, since each loader draws from the process's generator otherwise
            generator=torch.Generator(),
            pin_memory=self.labels.is_cuda,
        )
        for items in loader:
            yield self.gathered(items)

    def gathered(self, items: list[Item]) -> Batch:
        """Put single images into a batch on the device of the labels."""
        for image, _, unreadable in items:
            for file in unreadable:
                self.skipped.add(file)
            if image is None:
                raise TooManySkipped(
                    f"{TRIES} files in a row are no images, or no whole ones: {unreadable[0]} and "
                    f"those behind it"
                )
        device = self.labels.device
        images = torch.stack([image for image, _, _ in items]).to(device, non_blocking=True)
        return Batch(images, torch.tensor([place for _, place, _ in items], device=device))


class Reader(Dataset):
    """Reads single images; a worker process has one."""

    def __init__(
        self, files: FileList, shape: tuple[int, int, int], view: RandomView | None
    ) -> None:
        self.files, self.shape, self.view = files, shape, view

    def __getitem__(self, request: tuple[int, bool]) -> Item:
        with quiet_pillow():
            return self.read(*request)

    def read(self, place: int, is_plain: bool = True) -> Item:
        """Read an image, or the next one that can be read."""
        unreadable: list[str] = []
        while len(unreadable) < TRIES:
            file = self.files.path(place)
            try:
                return torch.from_numpy(self.pixels(file, place, is_plain)), place, unreadable
            except UnreadableImage:
                unreadable.append(file)
            place = (place + 1) % len(self.files)
        return None, place, unreadable

    def pixels(self, file: str, place: int, is_plain: bool) -> np.ndarray:
        channels, *size = self.shape
        if is_plain or self.view is None:
            return np.ascontiguousarray(read_image(file, tuple(size), channels))
        return self.view.of(open_image(file, channels), place, tuple(size))
