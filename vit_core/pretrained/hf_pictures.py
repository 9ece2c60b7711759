"""Read from ``preprocessor_config.json`` how Hugging Face's image processors prepare pictures."""

from collections.abc import Mapping
from typing import Any

from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.fields import LARGEST_SIDE, Fields, as_integer, is_number
from vit_core.pretrained.preprocessing import HALF, IMAGENET_MEAN, IMAGENET_STD, Preprocessing

RESAMPLING = {  # Pillow's numbers
    0: "nearest",
    1: "lanczos",
    2: "bilinear",
    3: "bicubic",
    4: "box",
    5: "hamming",
}
USUAL_SCALE = 1 / 255
# processors that do the steps that their fields name, in this order
PROCESSORS = tuple(
    f"{name}{end}"
    for name in ("ViT", "DeiT", "Bit", "CLIP")
    for end in ("ImageProcessor", "ImageProcessorFast", "ImageProcessorPil", "FeatureExtractor")
)
NO_EFFECT = (
    "do_convert_rgb",  # pictures always have the model's channels here
    "do_reduce_labels",  # of labels, not of pictures
    "return_tensors",
    "data_format",
    "input_data_format",
    "device",
    "disable_grouping",
    "default_to_square",
    "processor_class",
    "auto_map",
    "size_divisor",  # of sizes that the fields do not fix
    "image_seq_length",
)
BY_SHORTER = ("Bit", "CLIP")  # for these, a single number is the shorter side
# the processor of each kind of model, if preprocessor_config.json does not name one
USUAL_PROCESSOR = {"vit": "ViT", "deit": "DeiT", "dinov2": "Bit", "dinov2_with_registers": "Bit"}
CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
# defaults of each processor: (mean, standard deviation), number of the resampling filter
LEFT_OUT = {
    "ViT": ((HALF, HALF), 2),
    "DeiT": ((HALF, HALF), 3),
    "Bit": (CLIP, 3),
    "CLIP": (CLIP, 3),
}
# pixels; DINOv2's positions were learned at the second size, with 1,369 patches
DINO_SIZE, DINO_OWN = 224, (518, 518)
LEAST_STD = 1e-8


def pictures_of(
    kind: str,
    values: Mapping[str, Any] | None,
    model_hw: tuple[int, int],
    channels: int,
    image_size: int | None,
    source: str,
) -> Preprocessing:
    """Return how the source prepares pictures. What no field says is usual for the kind of model.

    Args:
        kind: ``model_type`` of ``config.json``.
        values: ``preprocessor_config.json``, None if there is none.
        model_hw: height and width of the model's images in pixels.
        channels: 1 for grey, 3 for colour.
        image_size: height and width of a square in pixels, to be used instead; None for the usual.
        source: name of the model, for people.

    Raises:
        PretrainedError: a field is unknown or has a value that is not allowed.
    """
    fields = Fields(values or {}, "preprocessor_config.json")
    notes: tuple[str, ...] = ()
    if values is None:
        notes = ("There is no preprocessor_config.json; pictures are prepared as its kind's are.",)
    processor = fields.text("image_processor_type", PROCESSORS)
    processor = fields.text("feature_extractor_type", PROCESSORS) or processor or ""
    is_dino = kind.startswith("dinov2")
    processor = processor or USUAL_PROCESSOR[kind]
    by_shorter = processor.startswith(BY_SHORTER)
    whole, shortest = size_of(fields, by_shorter)
    crops = fields.flag("do_center_crop")
    crop = fields.pair("crop_size")
    if crops is None:
        crops = not processor.startswith("ViT") and (values is not None or is_dino)
    usual = (DINO_SIZE, DINO_SIZE) if is_dino and model_hw == DINO_OWN else model_hw
    crop = (crop or usual) if crops else None
    resizes = fields.flag("do_resize") is not False
    if not resizes:
        notes += ("Its source takes pictures in the right size; here they are resized.",)
        whole, shortest = None, None
    size = crop or whole or ((shortest, shortest) if shortest else usual)
    # without a shorter side to aim at, these libraries squeeze the picture
    squeeze = resizes and not shortest and (whole is not None or not by_shorter)
    resize = (shortest, shortest) if shortest else whole or size
    needed = [name for name, is_needed in (("size", resizes), ("crop_size", crops)) if is_needed]
    if values is not None and (missing := [name for name in needed if name not in fields]):
        notes += (
            f"preprocessor_config.json has no {' and no '.join(missing)}; the size of the model's "
            f"images was taken.",
        )
    if shortest and crop is None:
        notes += ("Its source keeps a picture's proportions; here the middle is cut out.",)
    if image_size:
        size = (image_size, image_size)
        if crop:
            factor = image_size / crop[0]
            height, width = (max(1, round(side * factor)) for side in resize)
            resize = (height, width)
        else:
            resize = size
    usual_norm, usual_filter = left_out(kind, values is not None, processor, channels)
    filter_ = interpolation(fields, usual_filter)
    mean, std = normalisation(fields, channels, usual_norm)
    for name in ("do_pad", "do_flip_channel_order", "do_thumbnail", "do_align_long_axis"):
        fields.only(name, False, because="pictures are not prepared so here")
    fields.only("rescale_offset", False, because="pixels are not shifted here")
    fields.only("offset", False, 0, because="pixels are not shifted here")
    fields.get("pad_size")
    fields.without_effect(NO_EFFECT)
    fields.refuse_others()
    return Preprocessing(
        size=plain(size),
        resize=plain(resize),
        squeeze=squeeze,
        interpolation=filter_,
        mean=mean,
        std=std,
        source=f"{source}, in Hugging Face's format",
        notes=(*notes, *fields.notes),
    )


def plain(size: tuple[int, ...]) -> Any:
    """Return (height, width) as one number if it is a square."""
    return size[0] if size[0] == size[1] else size


def size_of(fields: Fields, by_shorter: bool) -> tuple[tuple[int, int] | None, int | None]:
    """Return (height, width) to resize to, or the length of the shorter side; one is None.

    Raises:
        PretrainedError: the value is not allowed.
    """
    value = fields.get("size")
    if isinstance(value, Mapping) and "shortest_edge" in value:
        side = as_integer(value["shortest_edge"], 1, LARGEST_SIDE)
        if side is None or set(value) != {"shortest_edge"}:
            raise fields.refused("size", f"a shortest_edge from 1 to {LARGEST_SIDE}, alone")
        return None, side
    sides = fields.pair("size")
    if sides is not None and by_shorter and is_number(value):
        return None, sides[0]
    return sides, None


def interpolation(fields: Fields, usual: int) -> str:
    """Return the name of the resampling filter.

    Raises:
        PretrainedError: its number is not known.
    """
    number = fields.integer("resample", 0, max(RESAMPLING))
    return RESAMPLING[usual if number is None else number]


def left_out(
    kind: str, has_file: bool, processor: str, channels: int
) -> tuple[tuple[tuple[float, ...], tuple[float, ...]], int]:
    """Return the default mean and standard deviation, and the number of the default filter."""
    if channels == 1:
        norm = HALF, HALF
    elif has_file:
        norm = next(one for name, (one, _) in LEFT_OUT.items() if processor.startswith(name))
    else:  # most models of a kind were trained with these
        norm = (HALF, HALF) if kind == "vit" else (IMAGENET_MEAN, IMAGENET_STD)
    if not has_file:
        return norm, 3 if kind.startswith("dinov2") else 2
    return norm, next(one for name, (_, one) in LEFT_OUT.items() if processor.startswith(name))


def normalisation(
    fields: Fields, channels: int, usual: tuple[tuple[float, ...], tuple[float, ...]]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation for pixels scaled to 0..1, for any scale of the source.

    The source computes (x · factor - mean) / std of pixels x from 0 to 255, which is
    (x / 255 - mean / (255 · factor)) / (std / (255 · factor)).
    """
    mean, std = usual[0][:channels], usual[1][:channels]
    mean = fields.numbers("image_mean", channels, -1e6, 1e6) or mean
    std = fields.numbers("image_std", channels, LEAST_STD, 1e6) or std
    if fields.flag("do_normalize") is False:
        mean, std = (0.0,) * channels, (1.0,) * channels
    factor = fields.number("rescale_factor", 0.0, 1e6)
    if fields.flag("do_rescale") is False:
        factor = 1.0
    if factor is None or abs(factor * 255 - 1) < 1e-6:
        return mean, std
    scale = 255 * factor
    if not all(1e-30 < value / scale < 1e30 for value in std):
        raise PretrainedError(f"{fields.where} has rescale_factor {factor}, which is out of reach")
    return tuple(value / scale for value in mean), tuple(value / scale for value in std)
