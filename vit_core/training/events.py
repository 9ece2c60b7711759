"""What a training reports while it runs."""

from dataclasses import dataclass

from vit_core.errors import VitError
from vit_core.training.evaluation import Evaluation


@dataclass(frozen=True)
class StepEnd:
    """One optimizer step is done.

    Attributes:
        step, epoch: counted from 1.
        train_loss: mean cross-entropy of the step's images in nats, with the weights before the
            step.
        train_accuracy: share of the step's images, as augmented, whose highest logit is the label,
            with the same weights.
        lr: learning rate of Adam or AdamW in the step.
        images: number of images in the step.
    """

    step: int
    epoch: int
    train_loss: float
    train_accuracy: float
    lr: float
    images: int


@dataclass(frozen=True)
class EpochEnd:
    """One pass over the training images is done.

    Attributes:
        step, epoch: that are done, counted from 1.
        train_loss, train_accuracy: means over the epoch's steps.
        validation: of the model after the epoch.
    """

    step: int
    epoch: int
    train_loss: float
    train_accuracy: float
    validation: Evaluation

    @property
    def val_loss(self) -> float:
        """Mean cross-entropy of the validation images in nats."""
        return self.validation.loss

    @property
    def val_accuracy(self) -> float:
        """Share of the validation images whose highest logit is the label."""
        return self.validation.accuracy


@dataclass(frozen=True)
class Done:
    """The last epoch is done, and the test images were evaluated for the first and only time."""

    step: int
    epoch: int
    test: Evaluation

    @property
    def test_accuracy(self) -> float:
        """Share of the test images whose highest logit is the label."""
        return self.test.accuracy


Event = StepEnd | EpochEnd | Done


class TrainingDivergedError(VitError, RuntimeError):
    """The loss is no longer a finite number."""
