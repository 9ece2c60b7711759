"""A part of an image folder that does not fit in memory and is read during training.

Worker processes of PyTorch's DataLoader open, decode and crop the files. What an image looks like
in an epoch depends on the seed, the epoch and the image's index alone, not on which worker reads
it.
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

MOST_TRIES = 100  # unreadable files in a row after which a reader gives up


class ReaderLostError(VitError, RuntimeError):
    """A process that reads images has died; the message says so in one sentence."""


@dataclass(frozen=True)
class BatchRequest:
    """The images of one batch.

    Attributes:
        indices: of the images in their split.
        is_clean: whether they are read unchanged, without random crops and the like.
    """

    indices: list[int]
    is_clean: bool = True


@dataclass(frozen=True)
class LoadedImage:
    """What a reader returns for one index.

    Attributes:
        image: (channels, height, width) uint8; None after ``MOST_TRIES`` unreadable files.
        index: of the image, which is a later one than was asked for if files were unreadable.
        unreadable: paths of the files that were tried before it.
    """

    image: Tensor | None
    index: int
    unreadable: list[str]


class LoadedBatch(NamedTuple):
    """The same for a batch: images (B, channels, height, width), indices (B,).

    The DataLoader pins the tensors of a named tuple, but not those of a dataclass.
    """

    images: Tensor | None
    indices: Tensor
    unreadable: list[str]


class StreamedSplit:
    """Images that are read from their files when they are needed; see ``vit_core.data.Images``.

    If a file cannot be read, the next readable one takes its place, with its own label.
    """

    def __init__(
        self, files: FileList, shape: tuple[int, int, int], skipped: Skipped, workers: int
    ) -> None:
        """Prepare; no image is read yet.

        Args:
            shape: channels, height and width of an image.
            skipped: counts the files that cannot be read.
            workers: number of reading processes; 0 reads in the caller's own process.
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

    def at(self, indices: list[int]) -> Tensor:
        reader = Reader(self.files, self.shape, None)
        with quiet_pillow(), ThreadPoolExecutor() as threads:
            loaded = list(threads.map(reader.read, indices))
        return self.checked(gather(loaded)).images

    def first(self, count: int) -> Split:
        indices = list(range(min(count, len(self))))
        return Split(self.at(indices), self.labels[: len(indices)])

    def in_order(self, batch_size: int, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        starts = range(part * batch_size, len(self), parts * batch_size)
        batches = (list(range(s, min(s + batch_size, len(self)))) for s in starts)
        return self.load(map(BatchRequest, batches))

    def load(
        self, requests: Iterable[BatchRequest], view: RandomView | None = None
    ) -> Iterator[Batch]:
        """Yield the requested batches; the readers work ahead of the caller.

        Args:
            view: how images that are not clean are changed at random.

        Raises:
            TooManySkippedError: too many files cannot be read.
            ReaderLostError: a reading process has died.
        """
        loader = DataLoader(
            Reader(self.files, self.shape, view),
            batch_sampler=([(index, r.is_clean) for index in r.indices] for r in requests),
            collate_fn=gather,
            num_workers=self.workers,
            worker_init_fn=prepare_reader,
            # a generator of its own, since a loader otherwise draws from the global one
            generator=torch.Generator(),
            pin_memory=self.labels.is_cuda,
        )
        try:
            for loaded in loader:
                yield self.checked(loaded)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise ReaderLostError(
                "a process that reads images was ended from outside, maybe for want of memory; "
                "fewer of them (--workers) or smaller batches need less"
            ) from None

    def checked(self, loaded: LoadedBatch) -> Batch:
        """Count the unreadable files, and move the images to the device of the labels.

        Raises:
            TooManySkippedError: too many files cannot be read.
        """
        for file in loaded.unreadable:
            self.skipped.add(file)
        if loaded.images is None:
            raise TooManySkippedError(
                f"{MOST_TRIES} files in a row are no images, or no whole ones, among them "
                f"{loaded.unreadable[0]}"
            )
        device = self.labels.device
        return Batch(
            loaded.images.to(device, non_blocking=True),
            loaded.indices.to(device, non_blocking=True),
        )


def prepare_reader(_: int) -> None:
    """Set up a reading process, which starts as a copy that shares its memory with the parent.

    The garbage collector would write into shared pages and so copy them; frozen objects are spared.
    Signals to all processes of a run are left to the parent, which then ends its readers.
    """
    gc.freeze()
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_IGN)


def gather(loaded: list[LoadedImage]) -> LoadedBatch:
    """Join single images to a batch, in the process that read them."""
    images = [one.image for one in loaded if one.image is not None]
    return LoadedBatch(
        # in a reading process default_collate writes into memory that it shares with the parent
        default_collate(images) if len(images) == len(loaded) else None,
        torch.tensor([one.index for one in loaded]),
        [file for one in loaded for file in one.unreadable],
    )


class Reader(Dataset[LoadedImage]):
    """Reads single images; each worker process has one."""

    def __init__(
        self, files: FileList, shape: tuple[int, int, int], view: RandomView | None
    ) -> None:
        self.files, self.shape, self.view = files, shape, view

    def __getitem__(self, request: tuple[int, bool]) -> LoadedImage:
        with quiet_pillow():
            return self.read(*request)

    def read(self, index: int, is_clean: bool = True) -> LoadedImage:
        """Read the image at ``index``, or the next one that can be read."""
        unreadable: list[str] = []
        while len(unreadable) < MOST_TRIES:
            file = self.files.path(index)
            try:
                pixels = torch.from_numpy(self.pixels(file, index, is_clean))
                return LoadedImage(pixels, index, unreadable)
            except UnreadableImageError:
                unreadable.append(file)
            index = (index + 1) % len(self.files)
        return LoadedImage(None, index, unreadable)

    def pixels(self, file: str, index: int, is_clean: bool) -> np.ndarray:
        """Return (channels, height, width) uint8."""
        channels, height, width = self.shape
        if is_clean or self.view is None:
            return np.ascontiguousarray(read_image(file, (height, width), channels))
        return self.view.apply(open_image(file, channels), index, (height, width))
