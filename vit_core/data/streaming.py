"""A part of an image folder that does not fit in memory, read while it is used.

Worker processes of PyTorch's DataLoader open, decode and cut the files. What an image looks like in
an epoch depends on (seed, epoch, its place) alone, not on which worker reads it.
"""

import gc
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from vit_core.data import Batch, Split
from vit_core.data.file_list import FileList
from vit_core.data.image_file import UnreadableImageError, open_image, quiet_pillow, read_image
from vit_core.data.random_view import RandomView
from vit_core.data.skipped import Skipped, TooManySkippedError
from vit_core.errors import VitError

TRIES = 100  # files, one behind the other, that may be unreadable before a reader gives up


class ReaderLostError(VitError, RuntimeError):
    """A process that reads images is gone; the message says so in one sentence."""


class Found(NamedTuple):
    """An image, its place, and the unreadable files before it; no image if there were too many."""

    image: Tensor | None
    place: int
    unreadable: list[str]


class FoundBatch(NamedTuple):
    """The same for the images of a batch, which have become one tensor."""

    images: Tensor | None
    places: Tensor
    unreadable: list[str]


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
            found = list(threads.map(reader.read, places))
        return self.checked(gather(found)).images

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
            TooManySkippedError: too many files cannot be read.
        """
        loader = DataLoader(
            Reader(self.files, self.shape, view),
            batch_sampler=([(p, b.is_plain) for p in b.places] for b in batches),
            collate_fn=gather,
            num_workers=self.workers,
            worker_init_fn=prepare_reader,
            # its own, since each loader draws from the process's generator otherwise
            generator=torch.Generator(),
            pin_memory=self.labels.is_cuda,
        )
        try:
            for found in loader:
                yield self.checked(found)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise ReaderLostError(
                "a process that reads images was ended from outside, maybe for want of memory; "
                "fewer of them (--workers) or smaller batches need less"
            ) from None

    def checked(self, found: FoundBatch) -> Batch:
        """Count what could not be read, and move the rest to the device of the labels.

        Raises:
            TooManySkippedError: too many files cannot be read.
        """
        for file in found.unreadable:
            self.skipped.add(file)
        if found.images is None:
            raise TooManySkippedError(
                f"{TRIES} files in a row are no images, or no whole ones, among them "
                f"{found.unreadable[0]}"
            )
        device = self.labels.device
        return Batch(
            found.images.to(device, non_blocking=True), found.places.to(device, non_blocking=True)
        )


def prepare_reader(_: int) -> None:
    """Prepare a process that reads, which begins as a copy that shares all memory with the first.

    Whatever the garbage collector looked at would become its own. Signals that all processes of a
    run get are left to the first one, which then tells the others.
    """
    gc.freeze()
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_IGN)


def gather(found: list[Found]) -> FoundBatch:
    """Join single images, in the process that read them."""
    images = [one.image for one in found if one.image is not None]
    return FoundBatch(
        # which in a process that reads joins them in memory that the first one sees
        default_collate(images) if len(images) == len(found) else None,
        torch.tensor([one.place for one in found]),
        [file for one in found for file in one.unreadable],
    )


class Reader(Dataset):
    """Reads single images; a worker process has one."""

    def __init__(
        self, files: FileList, shape: tuple[int, int, int], view: RandomView | None
    ) -> None:
        self.files, self.shape, self.view = files, shape, view

    def __getitem__(self, request: tuple[int, bool]) -> Found:
        with quiet_pillow():
            return self.read(*request)

    def read(self, place: int, is_plain: bool = True) -> Found:
        """Read an image, or the next one that can be read."""
        unreadable: list[str] = []
        while len(unreadable) < TRIES:
            file = self.files.path(place)
            try:
                pixels = torch.from_numpy(self.pixels(file, place, is_plain))
                return Found(pixels, place, unreadable)
            except UnreadableImageError:
                unreadable.append(file)
            place = (place + 1) % len(self.files)
        return Found(None, place, unreadable)

    def pixels(self, file: str, place: int, is_plain: bool) -> np.ndarray:
        channels, *size = self.shape
        if is_plain or self.view is None:
            return np.ascontiguousarray(read_image(file, tuple(size), channels))
        return self.view.of(open_image(file, channels), place, tuple(size))
