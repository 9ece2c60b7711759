"""Read from ``pretrained_cfg`` how timm prepares pictures and names classes."""

import math
from collections.abc import Mapping

from vit_core.pretrained.class_names import names_of
from vit_core.pretrained.fields import Fields
from vit_core.pretrained.preprocessing import (
    HALF,
    IMAGENET_MEAN,
    IMAGENET_STD,
    INTERPOLATIONS,
    Preprocessing,
)

CROP_PCT = 0.875  # timm's default for a configuration without it
USUAL_CROP_PCT = 0.9  # of most of its ViTs, used if there is no configuration
# fields of pretrained_cfg and config.json about the origin of the weights or other uses of them
NO_EFFECT_ON_PICTURES = (
    "url",
    "file",
    "hf_hub_filename",
    "source",
    "tag",
    "custom_load",
    "test_input_size",  # used only on request, like the next
    "test_crop_pct",
    "min_input_size",
    "fixed_input_size",
    "num_classes",  # in pretrained_cfg: of the model before fine-tuning
    "num_features",  # the weights say it
    "pool_size",
    "test_pool_size",
    "first_conv",
    "classifier",
    "license",
    "description",
    "origin_url",
    "paper_name",
    "paper_ids",
    "notes",
    "model_name",
    "model_card",
    "tags",
    "library_name",
    "timm_version",
)


def preprocessing_of(
    config: Fields | None,
    cfg: Fields | None,
    image_size: tuple[int, int],
    channels: int,
    classes: int,
    layer_scale: float | None,
) -> Preprocessing:
    """Return how timm prepares pictures. What no field says is usual for its ViTs.

    Args:
        config: the whole ``config.json``, None if there is none.
        cfg: its ``pretrained_cfg``, None if there is none.
        image_size: height and width of the model's images in pixels.
        channels, classes, layer_scale: of the model.

    Raises:
        PretrainedError: a field is unknown or has a value that is not allowed.
    """
    notes: tuple[str, ...] = ()
    has_config = cfg is not None
    if cfg is None:
        cfg = Fields({}, "no configuration")
        notes = ("There is no configuration, so pictures are prepared as timm's ViTs mostly are.",)
    mode = cfg.text("crop_mode", ("center", "squash")) or "center"
    share = cfg.number("crop_pct", 0.0, 1.0) or (CROP_PCT if has_config else USUAL_CROP_PCT)
    # ImageNet's with a configuration and for DINOv2 (LayerScale), else pixels from -1 to 1
    imagenet = has_config or layer_scale is not None
    mean: tuple[float, ...] = IMAGENET_MEAN if imagenet else HALF
    std: tuple[float, ...] = IMAGENET_STD if imagenet else HALF
    if channels == 1:
        mean, std = HALF[:1], HALF[:1]
    found_mean = cfg.numbers("mean", channels, -1e6, 1e6)
    found_std = cfg.numbers("std", channels, 1e-8, 1e6)
    if has_config and (found_mean is None or found_std is None):
        missing = " and ".join(
            name for name, one in (("mean", found_mean), ("std", found_std)) if one is None
        )
        notes += (f"Its configuration has no {missing}; timm's usual values were taken.",)
    size = image_size[0] if image_size[0] == image_size[1] else image_size
    height, width = (math.floor(side / share) for side in image_size)
    names, of_names = labels_of(config, cfg, classes)
    hub, architecture = cfg.text("hf_hub_id"), cfg.text("architecture")
    interpolation = cfg.text("interpolation", INTERPOLATIONS) or "bicubic"
    cfg.only("label_offset", 0, because="its classes are counted from another number than 0")
    cfg.get("input_size")
    cfg.without_effect((*NO_EFFECT_ON_PICTURES, "state_dict"))
    cfg.refuse_others()
    return Preprocessing(
        size=size,
        resize=height if height == width else (height, width),
        squeeze=mode == "squash",
        interpolation=interpolation,
        mean=found_mean or mean,
        std=found_std or std,
        class_names=names,
        source=f"timm, {hub or architecture or 'a state dict'}",
        notes=(*notes, *cfg.notes, *of_names),
    )


def labels_of(
    config: Fields | None, cfg: Fields, count: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a name for each class, and notes: its description, or else its label."""
    labels = descriptions = None
    for fields in (config, cfg):
        if fields is not None:
            for name in ("label_names", "labels", "id2label"):
                labels = labels or fields.get(name)
            descriptions = descriptions or fields.get("label_descriptions")
    if isinstance(descriptions, Mapping) and isinstance(labels, Mapping | list | tuple):
        numbers = labels.items() if isinstance(labels, Mapping) else enumerate(labels)
        labels = {
            number: descriptions.get(label, label) if isinstance(label, str) else label
            for number, label in numbers
        }
    return names_of(labels, count, "config.json")
