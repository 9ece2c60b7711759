"""How others wrap a state dict: nested in a checkpoint, behind prefixes, with a head replaced."""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from vit_core.checks import quoted
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.fields import listed

# what checkpoints call the weights; the teacher is what self-supervised training is after
CONTAINERS = (
    "model",
    "state_dict",
    "model_state_dict",
    "model_state",
    "module",
    "net",
    "network",
    "weights",
    "teacher",
    "student",
    "model_ema",
    "state_dict_ema",
    "ema",
)
DEEPEST = 4  # containers in one another
MARKS = (  # each is once in a model, and what stands before it stands before the whole body
    "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.weight",
    "conv_proj.weight",
)
USUAL = ("", "vit.", "deit.", "dinov2.", "dinov2_with_registers.")  # of transformers itself
LEFTOVERS = ("n_averaged",)  # how often torch.optim.swa_utils has averaged
# DINO's own head, whose last layer has this name; it tells no classes apart
PROJECTION, LAST = re.compile(r"(?:dino_|ibot_)?head\.(?:mlp|last_layer)\..*"), "head.last_layer."
HEAD = re.compile(r"(heads?|classifier)\.((?:head\.)?(?:\d+\.)?)(weight|bias)", re.ASCII)


def unwrapped(source: Mapping[str, object]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the tensors of a model's body and head by their plain names, and what was done.

    Raises:
        PretrainedError: there are the tensors of several models, or other things.
    """
    if not isinstance(source, Mapping):
        raise PretrainedError(
            f"a state dict is expected, names with a tensor each, not a {type(source).__name__}"
        )
    tensors, notes = out_of_containers(source)
    tensors, found = without_prefix(tensors)
    if any(LAST in name for name in tensors):
        tensors = {name: one for name, one in tensors.items() if not PROJECTION.fullmatch(name)}
        found.append("Its projection head, of self-supervised training, is left out.")
    return tensors, (*notes, *found)


def out_of_containers(source: Mapping[str, object]) -> tuple[dict[str, Tensor], list[str]]:
    """Return the state dict that a checkpoint holds among other things."""
    notes: list[str] = []
    for _ in range(DEEPEST):
        held = {key: value for key in CONTAINERS if isinstance(value := source.get(key), Mapping)}
        if not held:
            break
        if len(held) > 1 and "teacher" not in held:
            raise PretrainedError(
                f"this checkpoint holds several models, {' and '.join(held)}; give one of them"
            )
        name = "teacher" if "teacher" in held else next(iter(held))
        notes.append(f"The weights are those under {name!r} in the checkpoint.")
        source = held[name]
    tensors = {}
    for name, value in source.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise PretrainedError(
                f"a state dict is expected, names with a tensor each; {quoted(name)} is of type "
                f"{type(value).__name__}"
            )
        if value.is_sparse or value.is_quantized or value.is_meta:
            raise PretrainedError(f"{quoted(name)} is no plain tensor with values")
        tensors[name] = value
    return tensors, notes


def without_prefix(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Take off what training scripts put before every name of the body, and before the head's."""
    found, compiled = {}, False
    for name, value in tensors.items():
        if name in LEFTOVERS:
            continue
        pieces = name.split(".")
        compiled = compiled or "_orig_mod" in pieces
        found[".".join(piece for piece in pieces if piece != "_orig_mod")] = value
    bodies = sorted(
        {
            name.removesuffix(mark)
            for name in found
            for mark in MARKS
            if name == mark or name.endswith(f".{mark}")
        }
    )
    if len(bodies) > 1:
        raise PretrainedError(
            f"these weights hold several models, behind {listed(map(quoted, bodies))}"
        )
    body = bodies[0] if bodies else ""
    pieces = body.split(".")[:-1]
    # a head stands beside the body: behind a part of what stands before the body
    prefixes = [".".join(pieces[:count]) + "." for count in range(len(pieces), 0, -1)]
    plain: dict[str, Tensor] = {}
    for name, value in found.items():
        prefix = next((one for one in prefixes if name.startswith(one)), "")
        short = name.removeprefix(prefix)
        if short in plain:
            raise PretrainedError(
                f"these weights have {quoted(short)} twice, with and without {quoted(prefix)}"
            )
        plain[short] = value
    notes = []
    if body not in USUAL:
        notes.append(f"The prefix {quoted(body)} was taken off the names of the tensors.")
    if compiled:
        notes.append("The prefix '_orig_mod.' of torch.compile was taken off.")
    return plain, notes


def one_head(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the tensors with the one linear layer of the head as ``head.weight`` and its bias.

    Raises:
        PretrainedError: the head has several layers.
    """
    places = {match[1] + match[2] for name in tensors if (match := HEAD.fullmatch(name))}
    if len(places) > 1:
        raise PretrainedError(
            f"this model's head has several layers ({listed(sorted(places))}), a hidden layer or a "
            f"norm, and this project's has one linear layer"
        )
    found = {}
    for name, value in tensors.items():
        match = HEAD.fullmatch(name)
        found[f"head.{match[3]}" if match else name] = value
    place = re.search(r"(\d+)", next(iter(places), ""))
    if place is None or place[1] == "0":
        return found, ()
    note = (
        f"The head is layer {place[1]} of a sequence; what stands before it has no weights and is "
        f"taken for dropout."
    )
    return found, (note,)


def check_head(layers: Iterable[nn.Module]) -> None:
    """Refuse a module's head that computes more than one linear layer.

    Raises:
        PretrainedError: it names what else there is.
    """
    for layer in layers:
        if not isinstance(layer, nn.Sequential | nn.Linear | nn.Dropout | nn.Identity):
            raise PretrainedError(
                f"this model's head has a {type(layer).__name__}, and this project's is one "
                f"linear layer"
            )
