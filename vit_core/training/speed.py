"""How fast a run trains; ``vit_core.training.measure_speed`` finds it out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Speed:
    """What a run needs on one machine.

    Attributes:
        epoch_seconds: seconds of one epoch with its validation.
        test_seconds: seconds of the test after the last epoch.
        images_per_second: training images in a second of optimizer steps.
        slowdown: how many times as long it took as the processor worked on it, at least 1: other
            programs had the processor for the rest of the time.
    """

    epoch_seconds: float
    test_seconds: float
    images_per_second: float
    slowdown: float = 1.0

    def seconds(self, epochs: int) -> float:
        """Return the seconds of a whole run."""
        return epochs * self.epoch_seconds + self.test_seconds
