"""The training loop: ``fit`` yields an event for each step and each epoch.

``python -m vit_core.train`` is its command line (see ``vit_core.runs.train_command``).
"""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from vit_core.config import TrainConfig
from vit_core.data import Batch, ImageData, Split, normalize
from vit_core.data.augmentation import augment, flip
from vit_core.data.mixing import mix
from vit_core.data.packed import PackedSplit
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
from vit_core.training.parts import parts_of_step
from vit_core.training.patch_drop import kept_patches
from vit_core.training.processes import ALONE, Group
from vit_core.training.weight_average import RunningMean


class Training:
    """One run of a model over a data set; it can be stopped after any epoch and resumed.

    All random numbers come from generators that are seeded for each epoch with (seed, epoch). So
    the order and the augmentation of an epoch depend neither on earlier interruptions nor on the
    number of processes, and the caller's random state stays as it was.
    """

    def __init__(
        self, model: ViT, data: ImageData, config: TrainConfig, group: Group = ALONE
    ) -> None:
        """Prepare a run from its first step.

        Args:
            model: trained in place, on its own device; ``data`` must be there too.
            group: the processes that share each batch; all have the same other arguments.

        Raises:
            ValueError: the images or classes of the data do not fit the model, the model is not of
                the kind that ``vit_core.mistakes.build_with`` makes for ``config``, or a batch
                cannot be divided among the processes.
        """
        check_fit(model, data, config)
        self.model, self.data, self.config, self.group = model, data, config, group
        self.device = data.train.labels.device
        self.labels = data.train.labels
        if config.shuffled_labels:
            generator = torch.Generator().manual_seed(self.seed_at(0))
            order = torch.randperm(len(self.labels), generator=generator)
            self.labels = self.labels[order.to(self.device)]
        self.optimizers = build_optimizers(model, config)
        self.batch_size = step_batch_size(config, len(data.train), group.size)
        self.steps_per_epoch = config.repeats * len(data.train) // self.batch_size
        self.total_steps = self.steps_per_epoch * config.epochs
        size = self.batch_size // group.size
        self.share = Share(self.batch_size, group.rank * size, (group.rank + 1) * size)
        self.mean = RunningMean(model, config.ema) if config.ema else None
        self.epoch = 0  # number of finished epochs

    @property
    def eval_model(self) -> ViT:
        """The model that is evaluated and saved: the one in training, or its running mean."""
        return self.mean.model if self.mean else self.model

    @cached_property
    def network(self) -> Network | DistributedDataParallel:
        """What a step runs. It is made by the first step, after ``load`` has set the weights."""
        return as_trained(self.model, self.config.compile, self.group)

    def tensors(self) -> dict[str, Tensor]:
        """Return the state of the model, its running mean and the optimizers, by name."""
        state = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        if self.mean:
            mean = self.mean.model.state_dict()
            state |= {f"ema.{key}": value for key, value in mean.items()}
        return state | optimizer_tensors(self.model, self.optimizers)

    def load(self, tensors: dict[str, Tensor], epoch: int) -> None:
        """Resume a run after ``epoch`` finished epochs.

        Args:
            tensors: what ``tensors`` returned then.

        Raises:
            KeyError, IndexError, RuntimeError: the tensors belong to another model or optimizer.
        """
        self.model.load_state_dict(part_of(tensors, "model."))
        if self.mean:
            self.mean.model.load_state_dict(part_of(tensors, "ema."))
        optimizers = {k: v for k, v in tensors.items() if k.startswith("optimizer.")}
        load_optimizer_tensors(self.model, self.optimizers, optimizers)
        self.epoch = epoch

    def events(self) -> Iterator[Event]:
        """Train up to the last epoch and test the model.

        Raises:
            TrainingDivergedError: the loss became infinite or not a number.
        """
        while self.epoch < self.config.epochs:
            yield from self.run_epoch(self.epoch + 1)
        test = evaluate(self.eval_model, self.data.test, self.data.info, group=self.group)
        yield Done(self.total_steps, self.epoch, test)

    def seed_at(self, number: int) -> int:
        """Return a seed that depends on the run's seed and the number of an epoch or step."""
        return self.config.seed * 1_000_003 + number

    def run_epoch(self, epoch: int) -> Iterator[Event]:
        """Train for one epoch and validate.

        Args:
            epoch: counted from 1.

        Raises:
            TrainingDivergedError: the loss became infinite or not a number.
        """
        seed = self.seed_at(epoch)
        generator = torch.Generator(self.device).manual_seed(seed)
        order = torch.cat([self.one_order(generator) for _ in range(self.config.repeats)])
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
            self.eval_model,
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

    def one_order(self, generator: torch.Generator) -> Tensor:
        """Return the indices of all training images in the order of one pass over them.

        Args:
            generator: draws the order; also where the images are not shuffled, so that what it
                draws afterwards is the same.
        """
        count = len(self.data.train)
        shuffled = torch.randperm(count, generator=generator, device=self.device)
        return shuffled if self.config.shuffle else self.labels.argsort(stable=True)

    def batches(self, order: Tensor, first_step: int, seed: int) -> Iterator[Batch]:
        """Yield the images of this process for each step of an epoch.

        Args:
            order: indices of the training images, each as often as the epoch uses it.
            first_step: of the epoch, counted from 0 over the whole run.
            seed: of the epoch.
        """
        train, config = self.data.train, self.config
        steps = range(first_step, first_step + self.steps_per_epoch)
        indices_by_step = (
            self.share_of(step).select(order[i * self.batch_size : (i + 1) * self.batch_size])
            for i, step in enumerate(steps)
        )
        if isinstance(train, StreamedSplit):
            requests = (
                BatchRequest(indices.tolist(), self.is_clean(step))
                for step, indices in zip(steps, indices_by_step, strict=True)
            )
            yield from train.load(requests, RandomView.for_epoch(config, seed))
            return
        assert isinstance(train, Split | PackedSplit), "there are no other kinds of images"
        for step, indices in zip(steps, indices_by_step, strict=True):
            images = train.select(indices)
            if config.randaugment and not self.is_clean(step):
                images = rand_augment(images, config.randaugment, seed, indices)
            yield Batch(images, indices)

    def is_clean(self, step: int) -> bool:
        """Whether a step belongs to the last part of the run, which has no augmentation.

        Args:
            step: counted from 0.
        """
        return step >= (1 - self.config.clean_fraction) * self.total_steps

    def is_mixed(self, step: int) -> bool:
        """Whether the images of a step (counted from 0) are mixed by MixUp or CutMix."""
        return bool(self.config.mixup or self.config.cutmix) and not self.is_clean(step)

    def share_of(self, step: int) -> Share:
        """Return which images of a batch this process reads in a step.

        In a mixed step that is one more: the image before its first, which is mixed into that.
        """
        if self.is_mixed(step) and self.group.size > 1:
            return Share(self.share.total, self.share.start - 1, self.share.stop)
        return self.share

    def run_step(self, step: int, batch: Batch, generator: torch.Generator) -> tuple[float, float]:
        """Take one optimizer step.

        Args:
            step: counted from 0.
            batch: the images that this process reads, as ``batches`` yields them.
            generator: of the augmentation, on the device of the images.

        Returns:
            The loss in nats and the accuracy, means over the whole batch.

        Raises:
            TrainingDivergedError: the loss became infinite or not a number.
        """
        config = self.config
        images, targets = self.prepare(step, batch, generator)
        dropped = 0.0 if self.is_clean(step) else config.patch_drop
        patches = None
        if dropped:
            count = self.model.config.num_patches
            patches = self.share.select(kept_patches(count, self.share.total, dropped, generator))
        parts = self.share.parts(self.part_count(0 if patches is None else patches.shape[1]))
        sums = torch.zeros(2, device=self.device)  # of loss and accuracy
        for index, part in enumerate(parts):
            rows = slice(part.start - self.share.start, part.stop - self.share.start)
            weight = len(part) / len(self.share)  # so that the sum is the mean over the images
            is_last = index == len(parts) - 1
            # gradients add up over the parts; only the last part shares them with other processes
            with nullcontext() if is_last else self.network.no_sync():
                kept = None if patches is None else patches[rows]
                logits = self.forward(images[rows], kept, step, part)
                loss = F.cross_entropy(
                    logits, targets[rows], label_smoothing=config.label_smoothing
                )
                torch.autograd.backward(loss * weight)
            labels = targets[rows].argmax(dim=1) if targets.ndim == 2 else targets[rows]
            right = (logits.detach().argmax(dim=1) == labels).float().mean()
            sums += torch.stack((loss.detach(), right)) * weight
        value, accuracy = (self.group.sum(sums) / self.group.size).tolist()
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

    def part_count(self, kept: int) -> int:
        """Return the number of parts in which this process computes its share of a batch.

        Args:
            kept: number of patches of each image that are not dropped; 0 if all are used.
        """
        if self.group.size > 1:
            return self.config.grad_accumulation
        model = self.model.config
        tokens = model.num_prefix_tokens + (kept or model.num_patches)
        return parts_of_step(model, self.config, len(self.share), tokens, self.device)

    def prepare(self, step: int, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augment, normalise and mix the images of a step.

        Returns:
            The images of this process (B, channels, height, width), and their labels (B,) or,
            where they are mixed, the share of each class (B, num_classes).
        """
        config, share = self.config, self.share_of(step)
        images, targets = batch.images, self.labels[batch.indices]
        if not self.is_clean(step) and not self.is_cropped_when_read:
            images = augment(images, config.augment, config.augment_strength, generator, share)
        if config.flip:
            images = flip(images, generator, share)
        images = normalize(images, self.data.info)
        if self.is_mixed(step):
            seed = self.seed_at(step)
            classes = self.model.config.num_classes
            images, targets = mix(images, targets, config.mixup, config.cutmix, classes, seed)
        before = len(share) - len(self.share)
        return images[before:], targets[before:]

    @property
    def is_cropped_when_read(self) -> bool:
        """Whether random crops come from the files, whose images are larger than the model's."""
        return self.config.augment == "crop" and isinstance(self.data.train, StreamedSplit)

    def forward(self, images: Tensor, kept: Tensor | None, step: int, share: Share) -> Tensor:
        """Run the network and return logits, or probabilities with ``softmax_before_loss``.

        Dropout draws from PyTorch's global generator, so that is seeded for the step and restored.

        Args:
            images: (B, channels, height, width), normalised.
            kept: (B, kept) indices of the patches that are not dropped; None for all.
            step: counted from 0.
            share: which images of the whole batch these are.
        """

        def run() -> Tensor:
            bf16 = self.config.precision == "bf16"
            with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
                logits: Tensor = self.network(images, kept).float()
            return logits.softmax(dim=1) if self.config.softmax_before_loss else logits

        if not self.model.config.dropout:
            return run()
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), whole_dropout(share):
            torch.manual_seed(self.seed_at(step))
            return run()


def part_of(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with ``prefix``, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def fit(model: ViT, data: ImageData, config: TrainConfig) -> Iterator[Event]:
    """Train ``model`` in place on ``data``; yield each step's end, each epoch's end, and the end.

    The same model, data and configuration give the identical run on the same machine with the same
    number of threads. To stop a run, ask for no more events. Make choices by ``val_accuracy``: the
    test images are evaluated only once, at the end.

    Raises:
        ValueError: the data does not fit the model.
        TrainingDivergedError: the loss became infinite or not a number.
    """
    return Training(model, data, config).events()
