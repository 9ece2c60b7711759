"""How fast a run trains; ``vit_core.training.measure_speed`` finds it out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Speed:
    """What a run needs on one machine.

    Attributes:
        epoch_seconds: seconds of one epoch with its validation.
        test_seconds: seconds of the test after the last epoch.
        images_per_second: training images in a second of optimizer steps.
    """

    epoch_seconds: float
    test_seconds: float
    images_per_second: float

    def seconds(self, epochs: int) -> float:
        """Return the seconds of a whole run."""
        return epochs * self.epoch_seconds + self.test_seconds
