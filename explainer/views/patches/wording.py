"""What the page on patches says and shares between its parts."""

from collections.abc import Mapping

from explainer.content import load_texts
from explainer.content.token_names import patch_names
from explainer.inputs.models import load
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core.data import DataInfo

TEXTS = load_texts("patches")


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config = seen.config
    (image_height, image_width), (height, width) = config.image_hw, config.patch_hw
    channels = config.in_channels
    return {
        "image_height": image_height,
        "image_width": image_width,
        "channels": TEXTS["shape"]["one_channel" if channels == 1 else "channels"].format(
            channels=channels
        ),
        "height": height,
        "width": width,
        "rows": config.grid_size[0],
        "columns": config.grid_size[1],
        "count": config.num_patches,
        "values": config.patch_dim,
        "pixels": f"{image_height * image_width * channels:,}",
        "patch": patch_names(config)[patch_of(choice, seen, place)],
    }


def patch_of(choice: Choice, seen: Observation, place: Place) -> int:
    return place.patch(seen.telling_patch)


def info_of(choice: Choice) -> DataInfo:
    return load.source_of(choice).info
