"""Everything that the story's screens show of one picture, as one block of bytes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from explainer.caching import remember
from explainer.components.packing import as_image, pack, picture_header
from explainer.content.token_names import prefix_names
from explainer.figures import theme
from explainer.inputs.models.for_browser import fits_browser
from explainer.inputs.models.load import source_of
from explainer.inputs.models.memory import is_large
from explainer.inputs.pictures.galleries import DIGITS
from explainer.inputs.pictures.test_digits import test_digit
from explainer.observation.learning.lesson import can_learn
from explainer.observation.lens import lens
from explainer.observation.look.map import key_of
from explainer.observation.observe import Observation
from explainer.shell.picker.pad import pad_texts
from explainer.shell.saved import in_browser
from explainer.shell.story.claims import claims_of, first_claim
from explainer.shell.story.learned import Learned, learned
from explainer.shell.story.pictures import gallery_pictures
from explainer.shell.story.wording import facts_for, screens_of, texts_for
from explainer.state.choice import Choice, takes_drawings
from explainer.state.link import CLASSES
from vit_core.interpret.lens import stream_keys

MOST_STAGES = 13  # of a large model's stream
MOST_WEIGHTS = 2_000_000  # attention weights of a large model
CODED = "/scale"  # ends the name of the scales of a tensor that is sent in 255ths of them


def pack_story(choice: Choice, seen: Observation) -> bytes:
    """Return what the browser needs, made once for all visitors."""
    return remember(("story", choice), lambda: packed(choice, seen))


def packed(choice: Choice, seen: Observation) -> bytes:
    config, run = seen.config, learned()
    texts, present = (
        texts_for(choice, seen, fits_browser(config), page) for page in ("story", "present")
    )
    arrays, claims = trace_arrays(seen), claims_of(choice, seen)
    header = {
        **picture_header("story", as_image(seen.pixels), config.grid_size, prefix_names(config)),
        "context": short_name(choice),
        "model": short_name((choice.source, choice.config, choice.seed)),
        "shapes": {name: list(array.shape) for name, array in arrays.items()},
        "frame": texts["frame"],
        "pad": pad_texts(choice),
        "present": present["frame"],
        "save": in_browser("story", "", choice),
        "screens": screens_of(texts, present["screens"]),
        "facts": facts_for(seen, run, texts, first_claim(claims)),
        "is_digits": seen.gallery == DIGITS,
        "takes_drawings": takes_drawings(seen.gallery),
        "has_head": seen.has_head,
        "can_learn": can_learn(config),
        "class_names": [str(name) for name in seen.class_names],
        "claims": list(claims),
        "map_name": short_name(key_of(choice)),
        "palette": [list(shade) for shade in theme.CLASSES],
        "label": seen.label,
        "pool": config.pool,
        "position": "none" if choice.edits.no_position else config.pos_embed,
        "depth": config.depth,
        "heads": config.num_heads,
        "width": config.embed_dim,
        "patch_height": config.patch_hw[0],
        "patch_width": config.patch_hw[1],
        "telling": seen.telling_patch,
        "learned": learned_header(run),
        "pictures": gallery_pictures(seen.gallery),
    }
    maps = {f"claim_{name}": values for name, values in claims.items()}
    images = {"image": as_image(seen.pixels), "learned_digits": run.digits}
    if seen.gallery == DIGITS:
        images["digits"] = np.stack([test_digit(digit, 0) for digit in range(CLASSES)])
    shares = {"learned_shares": run.shares, "steps": run.steps, "accuracies": run.accuracies}
    if seen.has_head:
        shares["lens"] = lens(choice, seen).probabilities.astype(np.float32)
    return pack(header, {**images, **shares, **maps, **weight_arrays(choice), **arrays})


def short_name(value: object) -> str:
    """Return a name under which a browser keeps answers about something."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]


def learned_header(run: Learned) -> dict[str, Any]:
    return {"truths": run.truths, "right": run.right, "stops": len(run.shares)}


def trace_arrays(seen: Observation) -> dict[str, np.ndarray]:
    """Return the tensors of the trace that the screens draw, under their names.

    Those of a large model are sent in 255ths of each row's largest value, and not all of them.
    """
    config, tensors = seen.config, seen.tensors
    names = [
        "patches",
        "patch_embed",
        "tokens",
        *some(stream_keys(config), MOST_STAGES),
        "final_norm",
    ]
    arrays: dict[str, np.ndarray] = {name: tensors[name] for name in names if name in tensors}
    arrays["pooled"] = tensors["pooled"]
    if seen.has_head:
        arrays["logits"] = seen.logits
    if not is_large(config):
        return arrays | {name: tensors[name] for name in pattern_names(range(config.depth))}
    cells = config.num_tokens**2
    heads = min(config.num_heads, max(1, MOST_WEIGHTS // cells))
    blocks = some(range(config.depth), min(3, max(1, MOST_WEIGHTS // (heads * cells))))
    return coded(arrays | {name: tensors[name][:heads] for name in pattern_names(blocks)})


def pattern_names(blocks: Iterable[int]) -> list[str]:
    return [f"blocks.{block}.attn.pattern" for block in blocks]


def some(names: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many of a sequence, evenly spread, its first and last among them."""
    if len(names) <= most:
        return list(names)
    places = np.linspace(len(names) - 1, 0, most).round().astype(int)
    return [names[place] for place in sorted(set(places.tolist()))]


def coded(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return tensors as bytes, 128 for 0, with the largest size of each row as its scale."""
    result: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.ndim < 2:
            result[name] = array
            continue
        scales = np.abs(array).max(axis=-1)
        steps = 127 * (array / np.where(scales > 0, scales, 1)[..., None])
        result[name] = (np.rint(steps) + 128).astype(np.uint8)
        result[name + CODED] = scales.astype(np.float32)
    return result


def weight_arrays(choice: Choice) -> dict[str, np.ndarray]:
    """Return the weights and biases that make a patch's row, (D, values of a patch) and (D,)."""
    project = source_of(choice).model.patch_embed.proj
    weight = project.weight.detach().numpy()
    arrays = {"weight": weight}
    if is_large(choice.config):
        arrays = coded(arrays)
    bias = project.bias
    zeros = np.zeros(len(weight), np.float32)
    return arrays | {"bias": zeros if bias is None else bias.detach().numpy()}
