"""Linear probes on a visitor's own pictures: fitted in the background, one at a time.

A probe takes seconds and little memory, unlike a run: pictures go through the backbone a few at a
time, and only their features stay. Its result is a run of the visitor with one model, "epoch 1".
"""

import base64
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Event, Lock

import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from explainer.content import load_texts
from explainer.content.strangers_words import StrangersWord, plain_format, strangers_word
from explainer.inputs.models.load import Source, load_source
from explainer.inputs.models.memory import forward_lock
from explainer.inputs.models.probe_file import FILE, LEVELS, MAX_SHOWN, Asked, ProbeResult
from explainer.inputs.pictures.batches import batch_of
from explainer.inputs.pictures.galleries import fitted
from explainer.inputs.pictures.own.collection import OwnPicture
from explainer.measuring.refusals import refused
from explainer.state.choice import by_others
from explainer.training.limits import RefusedError
from explainer.training.manager import Manager
from explainer.training.note import Note, hashed
from explainer.training.run import PROBED
from vit_core import TrainConfig, ViTConfig
from vit_core.checkpoint import save_checkpoint
from vit_core.data import DataInfo, normalize
from vit_core.data.kept import OWN_PICTURES
from vit_core.data.sample_pictures import sample_pictures
from vit_core.data.sets import Split
from vit_core.errors import VitError
from vit_core.interpret.head_file import SavedHead, save_head
from vit_core.interpret.probe import (
    Head,
    confusion_of,
    encode,
    fit_head,
    hold_out,
    neighbours,
    patch_logits,
    with_head,
)
from vit_core.runs.directory import RunConfig, RunDirectory
from vit_core.storage.atomic import write_atomically

TEXTS = load_texts("own_pictures")
SHIPPED = "cifar10"
AT_ONCE = 4  # pictures in one pass
MAX_JOBS = 6  # that wait or run on this server
MAX_PROBES = 12  # of one visitor
PATIENCE = 120.0  # seconds in which nobody asks for a job, after which it ends
SMALL = 32  # pixels of a side, at which pixels are compared
SHOWN_SIDE = 96  # pixels of a picture that is shown afterwards
LARGEST_STORED = 16 * 1024**2  # bytes of a backbone that is stored with its new head


@dataclass(frozen=True)
class Backbone:
    """A model on whose features a probe can be fitted.

    Attributes:
        name: as the result has it: "cifar10", or the name of a pretrained model.
        title: that is shown.
    """

    name: str
    title: StrangersWord

    @property
    def source(self) -> str:
        """The source, as ``Choice`` names it."""
        return self.name if self.name == SHIPPED else by_others(self.name)

    def load(self) -> Source:
        """Return the model.

        Raises:
            CheckpointError, OSError: as ``load_source`` does.
        """
        return load_source(self.source)


def backbones() -> list[Backbone]:
    """Return what this server has: pretrained models, DINOv2 first, then the CIFAR-10 model."""
    from explainer.inputs.models.pretrained import offers

    ready = [offer for offer in offers() if offer.is_ready]
    ready.sort(key=lambda offer: "dinov2" not in offer.name.lower())
    found = [Backbone(offer.name, strangers_word(offer.title)) for offer in ready]
    return [*found, Backbone(SHIPPED, strangers_word(TEXTS["backbones"][SHIPPED]))]


def title_of(name: str) -> StrangersWord:
    """Return what a backbone is called, also one that is no longer on this server."""
    return next((one.title for one in backbones() if one.name == name), strangers_word(name))


@dataclass
class Job:
    """A probe that is being fitted.

    Attributes:
        state: "waiting" | "looking" | "fitting" | "done" | "failed" | "cancelled".
        done, total: pictures that the backbone has looked at.
        message: why it failed, one sentence.
        run_id: of the result.
        asked_at: when a page asked last, by the monotonic clock.
    """

    total: int
    state: str = "waiting"
    done: int = 0
    message: str = ""
    run_id: str = ""
    asked_at: float = field(default_factory=time.monotonic)
    cancelled: Event = field(default_factory=Event)

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    def look(self) -> None:
        """Note that a page shows it."""
        self.asked_at = time.monotonic()

    def check(self) -> None:
        """Raise ``CancelledError`` if nobody wants it any more."""
        if self.cancelled.is_set() or time.monotonic() - self.asked_at > PATIENCE:
            raise CancelledError


class CancelledError(VitError, RuntimeError):
    """A probe that nobody wants any more; it ends between two pictures."""


@dataclass(frozen=True)
class Order:
    """What a visitor wants a probe of.

    Attributes:
        classes: name → pictures.
        guess: what the visitor expects of 10; -1 for nothing.
    """

    backbone: Backbone
    classes: dict[str, tuple[OwnPicture, ...]]
    guess: int = -1

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return sum(map(len, self.classes.values()))


class Jobs:
    """Fits probes one after another, for all visitors."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="probe")
        self._lock = Lock()
        self._active: list[Job] = []

    def start(self, manager: Manager, visitor: str, order: Order) -> Job:
        """Put a probe in line.

        Raises:
            RefusedError: too many wait, or the visitor has too many already; one sentence.
        """
        if trouble := manager.storage_problem():
            raise RefusedError(trouble, "disk")
        if sum(run.status == PROBED for run in manager.runs_of(visitor)) >= MAX_PROBES:
            raise RefusedError(TEXTS["job"]["many"].format(most=MAX_PROBES), "visitor_limit")
        job = Job(order.count)
        with self._lock:
            self._active = [one for one in self._active if not one.is_over]
            if len(self._active) >= MAX_JOBS:
                raise RefusedError(TEXTS["job"]["busy"], "server_full")
            self._active.append(job)
        self._pool.submit(carry_out, job, manager, visitor, order)
        return job


@st.cache_resource
def jobs() -> Jobs:
    return Jobs()


def carry_out(job: Job, manager: Manager, visitor: str, order: Order) -> None:
    """Fit a probe and keep it as a run; the job says how it ended."""
    try:
        job.check()
        fitted_probe = fit(job, order)
        job.check()
        job.run_id = keep(manager, visitor, order, fitted_probe)
        job.state = "done"
    except CancelledError:
        job.state = "cancelled"
    except (VitError, OSError) as error:
        if isinstance(error, RefusedError):
            refused(error.kind)
        job.message, job.state = str(error), "failed"
    except Exception as error:  # of any kind: the visitor waits for an answer
        job.message, job.state = type(error).__name__, "failed"
        raise


@dataclass(frozen=True)
class Fitted:
    """A fitted probe.

    Attributes:
        config: of the backbone with the new head.
        info: of the data that it was fitted to.
        pictures: held-out ones, in the model's size, as ``Split``.
    """

    head: Head
    config: ViTConfig
    info: DataInfo
    pictures: Split
    result: ProbeResult


def fit(job: Job, order: Order) -> Fitted:
    """Encode the pictures, fit the head on most of them, and ask it about the others.

    Raises:
        CancelledError: nobody wants it any more.
        VitError, OSError: the backbone or the pictures cannot be used.
    """
    job.state, began = "looking", time.monotonic()
    pictures = [picture for kind in order.classes.values() for picture in kind]
    labels = torch.tensor(
        [place for place, kind in enumerate(order.classes.values()) for _ in kind]
    )
    classes, held = len(order.classes), hold_out(labels)
    learn = (~held).nonzero()[:, 0].tolist()
    check = held.nonzero()[:, 0].tolist()
    known, known_pixels = encoded(job, order.backbone, [pictures[place] for place in learn])
    looked = time.monotonic() - began
    job.state, began = "fitting", time.monotonic()
    head = fit_head(known, labels[learn], classes)
    seconds = time.monotonic() - began
    job.state, began = "looking", time.monotonic()
    asker = Asker(order.backbone, head)
    asked, asked_pixels = encoded(job, order.backbone, [pictures[i] for i in check], asker)
    looked += time.monotonic() - began
    source = order.backbone.load()
    answers = head.logits(asked).argmax(dim=1)
    truth, learned = labels[check], labels[learn]
    nearest = learned[neighbours(known, asked)]
    nearest_pixels = learned[neighbours(known_pixels, asked_pixels, is_cosine=False)]
    shown = chosen_for_show(truth, answers)
    trained_on = {name.casefold() for name in source.info.class_names}
    result = ProbeResult(
        backbone=order.backbone.name,
        names=tuple(order.classes),
        known=tuple(name for name in order.classes if name.casefold() in trained_on),
        pool=source.model.config.pool,
        width=source.model.config.embed_dim,
        learned=tuple(torch.bincount(learned, minlength=classes).tolist()),
        confusion=tuple(map(tuple, confusion_of(truth, answers, classes).tolist())),
        neighbour=int((nearest == truth).sum()),
        pixels=int((nearest_pixels == truth).sum()),
        checked=-1.0 if head.checked is None else head.checked,
        penalty=head.penalty,
        features_seconds=round(looked, 2),
        fitted_seconds=round(seconds, 2),
        guess=order.guess,
        asked=tuple(
            replace(
                asker.answers[place],
                label=int(truth[place]),
                picture=small_file(pictures[check[place]]),
            )
            for place in shown
        ),
    )
    few = shown[: MAX_SHOWN // 2]
    own = torch.cat([image_of(pictures[check[place]], source) for place in few])
    info = source.info
    return Fitted(
        head,
        replace(source.model.config, num_classes=classes),
        DataInfo(OWN_PICTURES, "", info.mean, info.std, tuple(order.classes)),
        Split(own, truth[few]),
        result,
    )


class Asker:
    """Asks a head about pictures, and about each of their patches."""

    def __init__(self, backbone: Backbone, head: Head) -> None:
        self.backbone, self.head = backbone, head
        self.answers: list[Asked] = []

    def __call__(self, source: Source, pooled_BD: Tensor, patches_BPD: Tensor) -> None:
        model = with_head(source.model, self.head)
        shares = self.head.logits(pooled_BD).softmax(dim=1)
        for share, patches_PD in zip(shares, patches_BPD, strict=True):
            predicted = int(share.argmax())
            spoken = patch_logits(model, patches_PD)[:, predicted]
            most = float(spoken.abs().max()) or 1.0
            levels = (spoken / most * LEVELS).round().int().tolist()
            columns = source.model.config.grid_size[1]
            answer = Asked(0, predicted, float(share[predicted]), "", tuple(levels), columns)
            self.answers.append(answer)


def encoded(
    job: Job,
    backbone: Backbone,
    pictures: Sequence[OwnPicture],
    ask: Callable[[Source, Tensor, Tensor], None] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return features (n, D) and small pixels (n, channels · 32 · 32), a few pictures at a time.

    The backbone is asked for again for each few, so that visitors take turns in the memory.

    Raises:
        CancelledError: nobody wants it any more.
        VitError, OSError: the backbone cannot be read.
    """
    features, pixels = [], []
    for start in range(0, len(pictures), AT_ONCE):
        job.check()
        source = backbone.load()
        images = torch.cat([image_of(one, source) for one in pictures[start : start + AT_ONCE]])
        with forward_lock(source.model.config):
            pooled_BD, patches_BPD = encode(source.model, normalize(images, source.info))
        if ask is not None:
            ask(source, pooled_BD, patches_BPD)
        features.append(pooled_BD)
        small = torch.nn.functional.adaptive_avg_pool2d(images.float(), SMALL)
        pixels.append(small.flatten(1))
        job.done += len(images)
    return torch.cat(features), torch.cat(pixels)


def image_of(picture: OwnPicture, source: Source) -> Tensor:
    """Return a picture in the model's size, (1, channels, height, width) uint8."""
    return batch_of(fitted(picture.open(), source.model.config))


def chosen_for_show(truth: Tensor, answers: Tensor) -> list[int]:
    """Choose held-out pictures: by turns from each class, wrong ones first."""
    wrong = (truth != answers).tolist()
    turns: dict[int, list[int]] = {}
    for place in sorted(range(len(truth)), key=lambda place: (not wrong[place], place)):
        turns.setdefault(int(truth[place]), []).append(place)
    rounds = max(map(len, turns.values()))
    order = [
        kind[turn]
        for turn in range(rounds)
        for _, kind in sorted(turns.items())
        if turn < len(kind)
    ]
    return order[:MAX_SHOWN]


def small_file(picture: OwnPicture) -> str:
    """Return a small copy of a picture as base64 of a PNG or JPEG file."""
    image = picture.open()
    if max(image.size) <= SHOWN_SIDE // 2:
        return base64.b64encode(picture.content).decode()
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.BOX)
    file = BytesIO()
    image.save(file, "JPEG", quality=85)
    return base64.b64encode(file.getvalue()).decode()


def keep(manager: Manager, visitor: str, order: Order, probe: Fitted) -> str:
    """Write a probe as a run of this visitor, and return its id.

    Raises:
        RefusedError: there is no room, or the folder cannot be written.
    """
    store, run_id = manager.store, ""
    note = Note(hashed(visitor), PROBED, "", run_title(order), time.time())
    source = order.backbone.load()
    size = 4 * source.model.config.num_parameters
    is_stored = size <= LARGEST_STORED
    with manager.reserve_upload_space(size + FILE_BYTES if is_stored else FILE_BYTES):
        try:
            run_id = store.new_id()
            finish = partial(store.write, run_id, note)
            write(store.folder(run_id), source, order.backbone, probe, is_stored, finish)
        except OSError as error:
            with suppress(OSError):
                store.delete(run_id)
            why = error.strerror or error
            raise RefusedError(TEXTS["job"]["no_disk"].format(why=why), "disk") from None
    return run_id


FILE_BYTES = 512 * 1024  # about what a run takes beside its weights


def run_title(order: Order) -> str:
    names = [str(strangers_word(name)) for name in order.classes]
    classes = ", ".join(names)
    if len(classes) > 36:
        classes = plain_format(TEXTS["job"]["title_more"], first=names[0], count=len(names) - 1)
    return plain_format(TEXTS["job"]["title"], classes=classes)


def write(
    folder: Path,
    source: Source,
    backbone: Backbone,
    probe: Fitted,
    is_stored: bool,
    finish: Callable[[], None],
) -> None:
    """Write a run's folder: a small backbone with its new head, or the head of a large one.

    Args:
        finish: called at the end, while the folder is still locked.

    Raises:
        OSError: the folder cannot be written.
    """
    config = RunConfig(
        preset=None,
        model=probe.config,
        train=TrainConfig(),
        threads=1,
        data="",
        command="",
        dataset=OWN_PICTURES,
        images=sum(probe.result.learned),
        val_images=probe.result.held_out,
    )
    right = probe.result.right / probe.result.held_out
    line = {"epoch": 1, "step": 0, "val_accuracy": right}
    seconds = probe.result.features_seconds + probe.result.fitted_seconds
    pictures = sample_pictures(probe.pictures)
    run = RunDirectory.create(folder, config)
    try:
        run.append_metrics({"seconds": seconds, **line})
        path = folder / "epoch-001.safetensors"
        if is_stored:
            save_checkpoint(
                with_head(source.model, probe.head),
                path,
                metrics=line,
                data=probe.info,
                pictures=pictures,
            )
        else:
            head = probe.head
            saved = SavedHead(
                backbone.name, probe.config, head.weight, head.bias, probe.info, line, pictures
            )
            save_head(path, saved)
        write_atomically(folder / FILE, probe.result.to_json().encode())
        finish()
    finally:
        run.close()
