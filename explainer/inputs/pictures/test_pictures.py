"""Many pictures of the kind that a model is for, and how each is taken to every page."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from explainer.caching import remember
from explainer.content import load_texts
from explainer.inputs.models.load import Source, find_run, source_of
from explainer.inputs.pictures import link_code
from explainer.inputs.pictures.batches import batch_of
from explainer.inputs.pictures.galleries import label_of, photo_store, samples
from explainer.inputs.pictures.test_digits import digit_indices
from explainer.state.choice import DIGITS, Choice, read_saved, takes_drawings
from explainer.training import visitor
from vit_core.data.kept import IMAGES, KEPT, KeptImagesError, load_images
from vit_core.data.packed import packed_mnist_test
from vit_core.runs.directory import RunError

OWN, SHOWN = "own", "shown"  # kinds of pictures beside ``DIGITS``
MOST_BYTES = 8 * 1024**2  # of the pictures of a run
UNKNOWN = -1  # stands for a class that nobody has noted
IN_NO_GALLERY = -1


@dataclass(frozen=True)
class TestPictures:
    """Pictures for a model, read-only.

    Attributes:
        kind: ``DIGITS`` for MNIST's test digits, ``OWN`` for those on which the model's run was
            validated, ``SHOWN`` for the few that the app shows for the model.
        gallery: to which they belong.
        images: (n, channels, height, width) uint8, as the model takes them before normalisation;
            none of the choice's edits is in them. Index 0 is the first picture.
        labels: (n,) int64, the true classes; ``UNKNOWN`` where nobody has noted one.
        class_names: of the model's data, which strangers may have written; index 0 names class 0.
            Empty where the classes have no names.
        places: (n,) int64 index of each among all that there are.
        total: how many there are.
        samples: (n,) int64 index in the gallery; ``IN_NO_GALLERY`` for those that it has not.
    """

    __test__ = False  # of nothing that pytest should collect

    kind: str
    gallery: str
    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    places: np.ndarray
    total: int
    samples: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    @property
    def are_labelled(self) -> bool:
        """Whether the true class of every picture is known."""
        return bool((self.labels != UNKNOWN).all())

    @property
    def words(self) -> str:
        """Which pictures these are and how many, as a sentence names them after a verb."""
        count, total = len(self), self.total
        number = "all" if count == total else "some"
        number = "one" if total == 1 else number
        text = load_texts("test_pictures")[f"{self.kind}_{number}"]
        return str(text.format(count=f"{count:,}", total=f"{total:,}"))

    def values(self, index: int) -> dict[str, Any]:
        """Return what ``session.change`` takes to show a picture on every page.

        Only where a visitor clicks, in the visitor's own run: a picture that no gallery has is kept
        as the visitor's own, in a drawing's 16 levels of grey or as a photograph. The pages then do
        not know its class.
        """
        if self.kind == DIGITS:
            label = int(self.labels[index])
            place = int(np.searchsorted(digit_indices()[label], self.places[index]))
            return {"digit": label, "index": place, "picture": ""}
        own = "picture" if takes_drawings(self.gallery) else "photo"
        if (sample := int(self.samples[index])) != IN_NO_GALLERY:
            return {"sample": sample, own: ""}
        pixels = self.images[index]
        if own == "picture":
            return {own: link_code.encode(pixels[0])}
        colour = np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0)
        return {own: photo_store.keep(np.ascontiguousarray(colour), visitor.current())}


def test_pictures(choice: Choice, most: int) -> TestPictures:
    """Return pictures on which a model can be tried, spread evenly over all that there are.

    Args:
        most: how many at most, at least 1.

    Raises:
        CheckpointError: the model cannot be read.
    """
    if choice.gallery == DIGITS:
        return remember(("test digits", most), lambda: digits(most))
    source = source_of(choice)
    if (folder := kept_folder(choice)) is not None and source.preprocessing is None:
        config = source.model.config
        shape = (config.in_channels, *config.image_hw)
        try:
            status = (folder / IMAGES).stat()
            key = "kept pictures", choice.source, choice.gallery, status.st_mtime_ns, most
            if found := remember(key, lambda: kept(folder, choice.gallery, shape, most)):
                return found
        except (OSError, KeptImagesError):
            pass  # they are gone or damaged, and the gallery is left
    few = "gallery's pictures", choice.source, choice.gallery, most
    return remember(few, lambda: shown(choice.gallery, source, most))


def digits(most: int) -> TestPictures:
    """Return MNIST's test digits."""
    test = packed_mnist_test()
    places = spread(len(test), most)
    return TestPictures(
        DIGITS,
        DIGITS,
        frozen(test.at(places.tolist()).numpy()),
        frozen(test.labels[places].numpy()),
        tuple(map(str, range(10))),
        frozen(places),
        len(test),
        frozen(np.full(len(places), IN_NO_GALLERY)),
    )


def kept_folder(choice: Choice) -> Path | None:
    """Return the folder of the model's run if that keeps the images that it learned from."""
    saved = read_saved(choice.source)
    run = find_run(saved[0]) if saved else None
    try:
        return run.history.path if run and run.history.config.dataset == KEPT else None
    except RunError:
        return None


def kept(folder: Path, gallery: str, shape: tuple[int, int, int], most: int) -> TestPictures | None:
    """Return the pictures on which a run was validated; None if they do not fit its model.

    Args:
        shape: of a picture that the model takes.

    Raises:
        KeptImagesError: the file is missing or damaged.
    """
    data = load_images(folder)
    if data.val.image_shape != shape:
        return None
    places = spread(len(data.val), min(most, max(1, MOST_BYTES // prod(shape))))
    images = data.val.at(places.tolist()).numpy()
    in_gallery = {
        sample_bytes(np.asarray(sample.open()), shape): index
        for index, sample in enumerate(samples(gallery))
    }
    return TestPictures(
        OWN,
        gallery,
        frozen(images),
        frozen(data.val.labels[places].numpy().astype(np.int64)),
        data.info.class_names,
        frozen(places),
        len(data.val),
        frozen(np.array([in_gallery.get(one.tobytes(), IN_NO_GALLERY) for one in images])),
    )


def sample_bytes(pixels: np.ndarray, shape: tuple[int, int, int]) -> bytes:
    """Return a picture of a gallery as the bytes of one that a run keeps."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[: shape[0]]).tobytes()


def shown(gallery: str, source: Source, most: int) -> TestPictures:
    """Return the pictures that the app shows for a model."""
    found, names = samples(gallery), source.info.class_names
    places = spread(len(found), most)
    labels = [label_of(found[place], names) for place in places]
    images = [batch_of(source.prepare(found[place].open()))[0].numpy() for place in places]
    return TestPictures(
        SHOWN,
        gallery,
        frozen(np.stack(images)),
        frozen(np.array([UNKNOWN if label is None else label for label in labels])),
        names,
        frozen(places),
        len(found),
        frozen(places),
    )


def spread(total: int, most: int) -> np.ndarray:
    """Return indices that are spread evenly, in order, (n,) int64."""
    count = min(total, most)
    return np.arange(count) * total // count


def frozen(array: np.ndarray) -> np.ndarray:
    """Return an array that nobody can write to."""
    array = array.view()
    array.flags.writeable = False
    return array
