"""Training: ``fit`` yields an event for each step and epoch.

``python -m vit_core.train`` is the command line (see ``vit_core.runs.train_command``).
"""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.config import TrainConfig
from vit_core.data import Batch, ImageData, normalize
from vit_core.data.augmentation import augment, flip
from vit_core.data.mixing import mix
from vit_core.data.randaugment import rand_augment
from vit_core.data.random_view import RandomView
from vit_core.data.share import Share
from vit_core.data.streaming import BatchRequest, StreamedSplit
from vit_core.model import ViT
from vit_core.training.dropout import whole_dropout
from vit_core.training.evaluation import evaluate
from vit_core.training.events import Done, EpochEnd, Event, StepEnd, TrainingDivergedError
from vit_core.training.fitting import check_fit, step_batch_size
from vit_core.training.network import Network, as_trained
from vit_core.training.optimizers import (
    build_optimizers,
    load_optimizer_tensors,
    lr_factor,
    optimizer_tensors,
    set_lr,
)
from vit_core.training.patch_drop import kept_patches
from vit_core.training.processes import ALONE, Group
from vit_core.training.weight_average import RunningMean


class Training:
    """One run of a model over a data set; it can be put down after any epoch and taken up again.

    Everything random comes from generators that are seeded anew for each epoch with (seed, epoch):
    an epoch's order and augmentation do not depend on how the run came to it, nor on how many
    processes share it, and the caller's random state is not touched.
    """

    def __init__(
        self, model: ViT, data: ImageData, config: TrainConfig, group: Group = ALONE
    ) -> None:
        """Prepare a run from its first step.

        Args:
            model: trained in place, on its own device; ``data`` must be there too.
            group: the processes that share each batch, all of them with the same arguments.

        Raises:
            ValueError: the data's images or classes are not the model's, the model is not the one
                that ``vit_core.mistakes.build_with`` makes for ``config``, or a batch cannot be
                divided among the processes.
        """
        check_fit(model, data, config)
        self.model, self.data, self.config, self.group = model, data, config, group
        self.device = data.train.labels.device
        self.labels = data.train.labels
        if config.shuffled_labels:
            generator = torch.Generator().manual_seed(config.seed * 1_000_003)
            order = torch.randperm(len(self.labels), generator=generator)
            self.labels = self.labels[order.to(self.device)]
        self.optimizers = build_optimizers(model, config)
        self.batch_size = step_batch_size(config, len(data.train), group.size)
        self.steps_per_epoch = len(data.train) // self.batch_size
        self.total_steps = self.steps_per_epoch * config.epochs
        size = self.batch_size // group.size
        self.share = Share(self.batch_size, group.rank * size, (group.rank + 1) * size)
        self.mean = RunningMean(model, config.ema) if config.ema else None
        self.epoch = 0  # finished ones

    @property
    def shown(self) -> ViT:
        """The model that is evaluated and saved: the one that learns, or its running mean."""
        return self.mean.model if self.mean else self.model

    @cached_property
    def network(self) -> Network:
        """What a step runs; the first one, since it takes up the weights as they are then."""
        return as_trained(self.model, self.config.compile, self.group)

    def tensors(self) -> dict[str, Tensor]:
        """Return the model's and the optimizers' state after the last finished epoch."""
        state = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        if self.mean:
            shown = self.mean.model.state_dict()
            state |= {f"ema.{key}": value for key, value in shown.items()}
        return state | optimizer_tensors(self.model, self.optimizers)

    def load(self, tensors: dict[str, Tensor], epoch: int) -> None:
        """Take up a run after ``epoch`` finished epochs from what ``tensors`` returned then.

        Raises:
            KeyError, RuntimeError: the tensors are of another model or optimizer.
        """
        self.model.load_state_dict(part_of(tensors, "model."))
        if self.mean:
            self.mean.model.load_state_dict(part_of(tensors, "ema."))
        optimizers = {k: v for k, v in tensors.items() if k.startswith("optimizer.")}
        load_optimizer_tensors(self.model, self.optimizers, optimizers)
        self.epoch = epoch

    def events(self) -> Iterator[Event]:
        """Train on to the last epoch.

        Raises:
            TrainingDivergedError: the loss became infinite or not a number.
        """
        while self.epoch < self.config.epochs:
            yield from self.run_epoch(self.epoch + 1)
        test = evaluate(self.shown, self.data.test, self.data.info, group=self.group)
        yield Done(self.total_steps, self.epoch, test)

    def run_epoch(self, epoch: int) -> Iterator[Event]:
        seed = self.config.seed * 1_000_003 + epoch
        generator = torch.Generator(self.device).manual_seed(seed)
        order = torch.randperm(len(self.data.train), generator=generator, device=self.device)
        first_step = (epoch - 1) * self.steps_per_epoch
        self.model.train()
        total_loss = total_accuracy = 0.0
        for offset, batch in enumerate(self.batches(order, first_step, seed)):
            step = first_step + offset
            loss, accuracy = self.run_step(step, batch, generator)
            total_loss += loss
            total_accuracy += accuracy
            lr = self.optimizers[0].param_groups[0]["lr"]
            yield StepEnd(step + 1, epoch, loss, accuracy, lr, self.batch_size)
        validation = evaluate(
            self.shown,
            self.data.val,
            self.data.info,
            softmax_before_loss=self.config.softmax_before_loss,
            group=self.group,
        )
        self.epoch = epoch
        yield EpochEnd(
            step=first_step + self.steps_per_epoch,
            epoch=epoch,
            train_loss=total_loss / self.steps_per_epoch,
            train_accuracy=total_accuracy / self.steps_per_epoch,
            validation=validation,
        )

    def batches(self, order: Tensor, first_step: int, seed: int) -> Iterator[Batch]:
        """Return the images of this process for each step of an epoch.

        Args:
            order: of the training images in the epoch.
            seed: of the epoch.
        """
        train, config = self.data.train, self.config
        steps = range(first_step, first_step + self.steps_per_epoch)
        indices = (
            self.share_of(step).select(order[at * self.batch_size : (at + 1) * self.batch_size])
            for at, step in enumerate(steps)
        )
        if isinstance(train, StreamedSplit):
            views = (
                BatchRequest(some.tolist(), self.is_clean(step))
                for step, some in zip(steps, indices, strict=True)
            )
            yield from train.load(views, RandomView.for_epoch(config, seed))
            return
        for step, some in zip(steps, indices, strict=True):
            images = train.images[some]
            if config.randaugment and not self.is_clean(step):
                images = rand_augment(images, config.randaugment, seed, some)
            yield Batch(images, some)

    def is_clean(self, step: int) -> bool:
        """Whether a step (counted from 0) belongs to the part without augmentation."""
        return step >= (1 - self.config.clean_fraction) * self.total_steps

    def is_mixed(self, step: int) -> bool:
        return bool(self.config.mixup or self.config.cutmix) and not self.is_clean(step)

    def share_of(self, step: int) -> Share:
        """Return this process's share of a batch, and the image before it if that is mixed in."""
        if self.is_mixed(step) and self.group.size > 1:
            return Share(self.share.total, self.share.start - 1, self.share.stop)
        return self.share

    def run_step(self, step: int, batch: Batch, generator: torch.Generator) -> tuple[float, float]:
        """Take one optimizer step (``step`` counts from 0); return its loss and its accuracy."""
        config = self.config
        images, targets = self.prepare(step, batch, generator)
        dropped = 0.0 if self.is_clean(step) else config.patch_drop
        patches = None
        if dropped:
            count = self.model.config.num_patches
            patches = self.share.select(kept_patches(count, self.share.total, dropped, generator))
        parts = self.share.parts(config.grad_accumulation)
        size = len(parts[0])
        found = torch.zeros(2, device=self.device)
        for index, part in enumerate(parts):
            own = slice(index * size, (index + 1) * size)
            is_last = index == len(parts) - 1
            # gradients are summed up here, and shared with the other processes once
            with nullcontext() if is_last else self.network.no_sync():
                kept = None if patches is None else patches[own]
                logits = self.forward(images[own], kept, step, part)
                loss = F.cross_entropy(logits, targets[own], label_smoothing=config.label_smoothing)
                (loss / len(parts)).backward()
            labels = targets[own].argmax(dim=1) if targets.ndim == 2 else targets[own]
            right = (logits.detach().argmax(dim=1) == labels).float().mean()
            found += torch.stack((loss.detach(), right)) / len(parts)
        value, accuracy = (self.group.sum(found) / self.group.size).tolist()
        if not abs(value) < float("inf"):
            raise TrainingDivergedError(
                f"the loss became {value} in step {step + 1}; "
                f"a smaller lr ({config.lr:g}) or muon_lr ({config.muon_lr:g}) may help"
            )
        if config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        set_lr(self.optimizers, lr_factor(step, self.total_steps, config))
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        if self.mean:
            self.mean.update(self.model, step)
        return value, accuracy

    def prepare(self, step: int, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augment, normalise and mix; return the share's images, and labels or their mixtures."""
        config, share = self.config, self.share_of(step)
        images, targets = batch.images, self.labels[batch.indices]
        if not self.is_clean(step) and not self.is_cut_when_read:
            images = augment(images, config.augment, config.augment_strength, generator, share)
        if config.flip:
            images = flip(images, generator, share)
        images = normalize(images, self.data.info)
        if self.is_mixed(step):
            seed = config.seed * 1_000_003 + step
            classes = self.model.config.num_classes
            images, targets = mix(images, targets, config.mixup, config.cutmix, classes, seed)
        before = len(share) - len(self.share)
        return images[before:], targets[before:]

    @property
    def is_cut_when_read(self) -> bool:
        """Whether random crops are made from the files, which have more to choose from."""
        return self.config.augment == "crop" and isinstance(self.data.train, StreamedSplit)

    def forward(self, images: Tensor, kept: Tensor | None, step: int, share: Share) -> Tensor:
        """Run the network, to logits, or to probabilities where the settings mistake them.

        Dropout, which draws from the global generator, gets its own state.
        """

        def run() -> Tensor:
            bf16 = self.config.precision == "bf16"
            with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
                logits = self.network(images, kept).float()
            return logits.softmax(dim=1) if self.config.softmax_before_loss else logits

        if not self.model.config.dropout:
            return run()
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), whole_dropout(share):
            torch.manual_seed(self.config.seed * 1_000_003 + step)
            return run()


def part_of(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def fit(model: ViT, data: ImageData, config: TrainConfig) -> Iterator[Event]:
    """Train ``model`` in place on ``data`` and yield what happens: each step, each epoch, the end.

    The same model, data and configuration give the identical run on the same machine and thread
    count. A caller stops a run by no longer asking for events. Choices belong on ``val_accuracy``;
    the test set is looked at once, at the end.

    Raises:
        ValueError: the data does not fit the model.
        TrainingDivergedError: the loss became infinite or not a number.
    """
    return Training(model, data, config).events()
