"""Training: ``fit`` yields an event for each step and epoch.

``python -m vit_core.train`` is the command line (see ``vit_core.train_command``).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.augment import augment, flip
from vit_core.config import TrainConfig
from vit_core.data import ImageData, normalize
from vit_core.evaluate import Evaluation, evaluate
from vit_core.mistakes import Flaws, flaws_of
from vit_core.model import ViT
from vit_core.optim import (
    build_optimizers,
    load_optimizer_tensors,
    lr_factor,
    optimizer_tensors,
    set_lr,
)
from vit_core.patch_drop import forward_with_part


@dataclass(frozen=True)
class StepEnd:
    """One optimizer step is done. ``step`` and ``epoch`` count from 1; the loss is in nats.

    ``train_accuracy`` is the share of the step's images, as augmented, whose highest logit is the
    label; both come from the weights before the step.
    """

    step: int
    epoch: int
    train_loss: float
    train_accuracy: float
    lr: float
    images: int


@dataclass(frozen=True)
class EpochEnd:
    """One pass over the training images is done; the training values are means over its steps."""

    step: int
    epoch: int
    train_loss: float
    train_accuracy: float
    validation: Evaluation

    @property
    def val_loss(self) -> float:
        return self.validation.loss

    @property
    def val_accuracy(self) -> float:
        return self.validation.accuracy


@dataclass(frozen=True)
class Done:
    """The last epoch is done, and the test set was looked at for the first time."""

    step: int
    epoch: int
    test: Evaluation

    @property
    def test_accuracy(self) -> float:
        return self.test.accuracy


Event = StepEnd | EpochEnd | Done


class TrainingDiverged(RuntimeError):
    """The loss is no longer a finite number."""


class Training:
    """One run of a model over a data set; it can be put down after any epoch and taken up again.

    Everything random comes from generators that are seeded anew for each epoch with (seed, epoch):
    an epoch's order and augmentation do not depend on how the run came to it, and the caller's
    random state is not touched.
    """

    def __init__(self, model: ViT, data: ImageData, config: TrainConfig) -> None:
        """Prepare a run from its first step.

        Args:
            model: trained in place, on its own device; ``data`` must be there too.

        Raises:
            ValueError: the data's images or classes are not the model's, or the model is not the
                one that ``vit_core.mistakes.build_with`` makes for ``config``.
        """
        if flaws_of(model) != Flaws.of(config):
            raise ValueError(
                f"the model runs with {flaws_of(model)} and the settings say {Flaws.of(config)}; "
                f"build it with vit_core.mistakes.build_with"
            )
        if config.patch_drop and flaws_of(model) != Flaws():
            raise ValueError("patch_drop and a mistake in the forward pass cannot be combined")
        expected = (model.config.in_channels, *model.config.image_hw)
        if tuple(data.train.images.shape[1:]) != expected:
            raise ValueError(
                f"images of {tuple(data.train.images.shape[1:])} (channels, height, width) "
                f"do not fit a model for {expected}"
            )
        if len(data.info.class_names) != model.config.num_classes:
            raise ValueError(
                f"{len(data.info.class_names)} classes do not fit a model "
                f"for {model.config.num_classes}"
            )
        self.model, self.data, self.config = model, data, config
        self.device = data.train.labels.device
        self.labels = data.train.labels
        if config.shuffled_labels:
            generator = torch.Generator().manual_seed(config.seed * 1_000_003)
            order = torch.randperm(len(self.labels), generator=generator)
            self.labels = self.labels[order.to(self.device)]
        self.optimizers = build_optimizers(model, config)
        self.batch_size = min(config.batch_size, len(data.train))
        self.steps_per_epoch = len(data.train) // self.batch_size
        self.total_steps = self.steps_per_epoch * config.epochs
        self.epoch = 0  # finished ones

    def tensors(self) -> dict[str, Tensor]:
        """Return the model's and the optimizers' state after the last finished epoch."""
        state = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        return state | optimizer_tensors(self.model, self.optimizers)

    def load(self, tensors: dict[str, Tensor], epoch: int) -> None:
        """Take up a run after ``epoch`` finished epochs from what ``tensors`` returned then.

        Raises:
            KeyError, RuntimeError: the tensors are of another model or optimizer.
        """
        model = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        self.model.load_state_dict(model)
        optimizers = {k: v for k, v in tensors.items() if k.startswith("optimizer.")}
        load_optimizer_tensors(self.model, self.optimizers, optimizers)
        self.epoch = epoch

    def events(self) -> Iterator[Event]:
        """Train on to the last epoch.

        Raises:
            TrainingDiverged: the loss became infinite or not a number.
        """
        while self.epoch < self.config.epochs:
            yield from self.run_epoch(self.epoch + 1)
        test = evaluate(self.model, self.data.test, self.data.info)
        yield Done(self.total_steps, self.epoch, test)

    def run_epoch(self, epoch: int) -> Iterator[Event]:
        generator = torch.Generator(self.device).manual_seed(self.config.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.data.train), generator=generator, device=self.device)
        first_step = (epoch - 1) * self.steps_per_epoch
        self.model.train()
        total_loss = total_accuracy = 0.0
        for offset in range(self.steps_per_epoch):
            indices = order[offset * self.batch_size : (offset + 1) * self.batch_size]
            step = first_step + offset
            loss, accuracy = self.run_step(step, indices, generator)
            total_loss += loss
            total_accuracy += accuracy
            lr = self.optimizers[0].param_groups[0]["lr"]
            yield StepEnd(step + 1, epoch, loss, accuracy, lr, self.batch_size)
        validation = evaluate(
            self.model,
            self.data.val,
            self.data.info,
            softmax_before_loss=self.config.softmax_before_loss,
        )
        self.epoch = epoch
        yield EpochEnd(
            step=first_step + self.steps_per_epoch,
            epoch=epoch,
            train_loss=total_loss / self.steps_per_epoch,
            train_accuracy=total_accuracy / self.steps_per_epoch,
            validation=validation,
        )

    def run_step(
        self, step: int, indices: Tensor, generator: torch.Generator
    ) -> tuple[float, float]:
        """Take one optimizer step (``step`` counts from 0); return its loss and its accuracy."""
        config = self.config
        images, labels = self.data.train.images[indices], self.labels[indices]
        is_clean = step >= (1 - config.clean_fraction) * self.total_steps
        if not is_clean:
            images = augment(images, config.augment, config.augment_strength, generator)
        if config.flip:
            images = flip(images, generator)
        images = normalize(images, self.data.info)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            logits = self.forward(images, step, 0.0 if is_clean else config.patch_drop, generator)
        logits = logits.float()
        if config.softmax_before_loss:
            logits = logits.softmax(dim=1)
        loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
        right = (logits.detach().argmax(dim=1) == labels).float().mean()
        value, accuracy = torch.stack((loss.detach(), right)).tolist()
        if not abs(value) < float("inf"):
            raise TrainingDiverged(
                f"the loss became {value} in step {step + 1}; "
                f"a smaller lr ({config.lr:g}) or muon_lr ({config.muon_lr:g}) may help"
            )
        loss.backward()
        set_lr(self.optimizers, lr_factor(step, self.total_steps, config))
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return value, accuracy

    def forward(
        self, images: Tensor, step: int, patch_drop: float, generator: torch.Generator
    ) -> Tensor:
        """Run the model; dropout, which draws from the global generator, gets its own state."""

        def run() -> Tensor:
            if patch_drop:
                return forward_with_part(self.model, images, patch_drop, generator)
            return self.model(images)

        if not self.model.config.dropout:
            return run()
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(self.config.seed * 1_000_003 + step)
            return run()


def fit(model: ViT, data: ImageData, config: TrainConfig) -> Iterator[Event]:
    """Train ``model`` in place on ``data`` and yield what happens: each step, each epoch, the end.

    The same model, data and configuration give the identical run on the same machine and thread
    count. A caller stops a run by no longer asking for events. Choices belong on ``val_accuracy``;
    the test set is looked at once, at the end.

    Raises:
        ValueError: the data does not fit the model.
        TrainingDiverged: the loss became infinite or not a number.
    """
    return Training(model, data, config).events()


if __name__ == "__main__":
    from vit_core.train_command import main

    sys.exit(main())
