"""Whether a model, its data and the settings fit together."""

from vit_core.checks import nearest_multiples
from vit_core.config import TrainConfig
from vit_core.data import ImageData
from vit_core.data.streaming import StreamedSplit
from vit_core.mistakes import Flaws, flaws_of
from vit_core.model import ViT
from vit_core.torchvision_import import import_transforms


def check_fit(model: ViT, data: ImageData, config: TrainConfig) -> None:
    """Refuse a model that does not fit the data or the settings.

    Raises:
        ValueError: the message says what does not fit what.
    """
    if flaws_of(model) != Flaws.from_config(config):
        raise ValueError(
            f"the model runs with {flaws_of(model)} and the settings say "
            f"{Flaws.from_config(config)}; build it with vit_core.mistakes.build_with"
        )
    if config.patch_drop and flaws_of(model) != Flaws():
        raise ValueError("patch_drop and a mistake in the forward pass cannot be combined")
    if config.compile and model.config.dropout:
        raise ValueError("compile and dropout cannot be combined; leave one of them out")
    crops_files = config.augment == "crop" and isinstance(data.train, StreamedSplit)
    if config.randaugment or config.mixup or config.cutmix or crops_files:
        try:
            import_transforms()  # before the readers are forked, which then share it
        except ImportError:
            raise ValueError(
                "randaugment, mixup, cutmix and crops of files need torchvision: "
                "pip install torchvision"
            ) from None
    expected = (model.config.in_channels, *model.config.image_hw)
    if data.train.image_shape != expected:
        raise ValueError(
            f"images of {data.train.image_shape} (channels, height, width) "
            f"do not fit a model for {expected}"
        )
    if len(data.info.class_names) != model.config.num_classes:
        raise ValueError(
            f"{len(data.info.class_names)} classes do not fit a model "
            f"for {model.config.num_classes}"
        )


def step_batch_size(config: TrainConfig, images: int, processes: int) -> int:
    """Return the number of images in a step: the setting, or all images where there are fewer.

    Args:
        images: number of training images, each of which counts as often as an epoch uses it.
        processes: number of processes that share a batch.

    Raises:
        ValueError: the batch cannot be divided evenly among the processes.
    """
    parts = processes * config.grad_accumulation
    divided = f"{processes} processes and {config.grad_accumulation} parts (grad-accumulation)"
    if config.batch_size % parts:
        raise ValueError(
            f"a batch of {config.batch_size} cannot be divided evenly among {divided}; "
            f"nearest batch-size that can: {nearest_multiples(config.batch_size, parts)}"
        )
    used = images * config.repeats
    if used < parts:
        raise ValueError(f"{used} training images cannot be divided among {divided}")
    return min(config.batch_size, used // parts * parts)
