"""Unwrap a state dict: out of a checkpoint, without prefixes, with one linear head."""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from vit_core.checks import quoted
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.fields import listed

# names of the weights in checkpoints; the teacher is the result of self-supervised training
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
DEEPEST = 4  # levels of nested containers
MARKS = (  # each model has one of these once; what stands before it is the prefix of the body
    "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.weight",
    "conv_proj.weight",
)
USUAL = ("", "vit.", "deit.", "dinov2.", "dinov2_with_registers.")  # of transformers itself
LEFTOVERS = ("n_averaged",)  # a counter of torch.optim.swa_utils
# DINO's projection head, which knows no classes, and the name of its last layer
PROJECTION, LAST = re.compile(r"(?:dino_|ibot_)?head\.(?:mlp|last_layer)\..*"), "head.last_layer."
HEAD = re.compile(r"(heads?|classifier)\.((?:head\.)?(?:\d+\.)?)(weight|bias)", re.ASCII)


def unwrapped(source: Mapping[str, object]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the tensors of a model by their plain names, and notes on what was removed.

    Raises:
        PretrainedError: there are several models, or values that are not tensors.
    """
    if not isinstance(source, Mapping):
        raise PretrainedError(
            f"a state dict is expected, names with a tensor each, not a {type(source).__name__}"
        )
    tensors, notes = out_of_containers(source)
    tensors, of_prefix = without_prefix(tensors)
    if any(LAST in name for name in tensors):
        tensors = {name: one for name, one in tensors.items() if not PROJECTION.fullmatch(name)}
        of_prefix.append("Its projection head, of self-supervised training, is left out.")
    return tensors, (*notes, *of_prefix)


def out_of_containers(source: Mapping[str, object]) -> tuple[dict[str, Tensor], list[str]]:
    """Return the state dict inside a checkpoint, and notes on where it was.

    Raises:
        PretrainedError: there are several, or values that are not tensors.
    """
    notes: list[str] = []
    for _ in range(DEEPEST):
        containers = {
            key: value for key in CONTAINERS if isinstance(value := source.get(key), Mapping)
        }
        if not containers:
            break
        if len(containers) > 1 and "teacher" not in containers:
            raise PretrainedError(
                f"this checkpoint holds several models, {' and '.join(containers)}; "
                f"give one of them"
            )
        name = "teacher" if "teacher" in containers else next(iter(containers))
        notes.append(f"The weights are those under {name!r} in the checkpoint.")
        source = containers[name]
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
    """Remove the prefixes that training scripts put before names; return notes on them, too.

    Raises:
        PretrainedError: there are several models, or a name is there with and without its prefix.
    """
    uncompiled, compiled = {}, False
    for name, value in tensors.items():
        if name in LEFTOVERS:
            continue
        pieces = name.split(".")
        compiled = compiled or "_orig_mod" in pieces
        uncompiled[".".join(piece for piece in pieces if piece != "_orig_mod")] = value
    bodies = sorted(
        {
            name.removesuffix(mark)
            for name in uncompiled
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
    # the head is next to the body, so its prefix is a part of the body's
    prefixes = [".".join(pieces[:count]) + "." for count in range(len(pieces), 0, -1)]
    plain: dict[str, Tensor] = {}
    for name, value in uncompiled.items():
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
    """Rename the head's only linear layer to ``head.weight`` and ``head.bias``.

    Raises:
        PretrainedError: the head has several layers.
    """
    layers = {match[1] + match[2] for name in tensors if (match := HEAD.fullmatch(name))}
    if len(layers) > 1:
        raise PretrainedError(
            f"this model's head has several layers ({listed(sorted(layers))}), a hidden layer or a "
            f"norm, and this project's has one linear layer"
        )
    result = {}
    for name, value in tensors.items():
        match = HEAD.fullmatch(name)
        result[f"head.{match[3]}" if match else name] = value
    index = re.search(r"(\d+)", next(iter(layers), ""))
    if index is None or index[1] == "0":
        return result, ()
    note = (
        f"The head is layer {index[1]} of a sequence; what stands before it has no weights and is "
        f"taken for dropout."
    )
    return result, (note,)


def check_head(layers: Iterable[nn.Module]) -> None:
    """Refuse a head that computes more than one linear layer.

    Raises:
        PretrainedError: there is a layer of another type; the message names it.
    """
    for layer in layers:
        if not isinstance(layer, nn.Sequential | nn.Linear | nn.Dropout | nn.Identity):
            raise PretrainedError(
                f"this model's head has a {type(layer).__name__}, and this project's is one "
                f"linear layer"
            )
