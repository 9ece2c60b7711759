"""One forward pass with every intermediate tensor kept, and edited on demand."""

import difflib
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from vit_core.config import ViTConfig
from vit_core.model import ViT

Edit = Callable[[Tensor], Tensor]

# These may share memory with the model (the position) or with the caller's images (the patches, if
# one patch is the whole image). They are copied, so that a change of the trace cannot reach those.
BORROWED = ("patches", "pos_embed")


class Trace(Mapping[str, Tensor]):
    """The named tensors of one forward pass, in the order in which they were computed; read-only.

    The first axis of every tensor is the image; ``pos_embed``, which all images share, has length 1
    there. Tensors are not copied, so two names may have the same tensor if nothing happens between
    them: ``resid_post`` of a block is ``resid_pre`` of the next.
    """

    def __init__(self, tensors: dict[str, Tensor], config: ViTConfig) -> None:
        self._tensors = dict(tensors)
        self.config = config

    def __getitem__(self, key: str) -> Tensor:
        try:
            return self._tensors[key]
        except (KeyError, TypeError):
            raise KeyError(unknown_key(key, list(self._tensors))) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __repr__(self) -> str:
        return f"Trace({len(self)} tensors, {len(self.output)} images)"

    @property
    def logits(self) -> Tensor:
        """Logits (B, num_classes), unnormalised log-probabilities in nats.

        Raises:
            KeyError: the model is a backbone, which has no head.
        """
        if not self.config.num_classes:
            raise KeyError("this model has no head and gives no logits; it gives 'pooled'")
        return self._tensors["logits"]

    @property
    def output(self) -> Tensor:
        """What the model returned: logits (B, num_classes), or pooled features (B, D)."""
        return self._tensors["logits" if self.config.num_classes else "pooled"]

    @property
    def probabilities(self) -> Tensor:
        """Softmax of the logits, (B, num_classes); each row sums to 1.

        Raises:
            KeyError: the model is a backbone, which has no head.
        """
        return self.logits.softmax(dim=-1)


def trace(
    model: ViT,
    images: Tensor,
    edits: Mapping[str, Edit] | None = None,
    gradients: bool = False,
) -> Trace:
    """Run ``model`` on ``images`` and return every named tensor of that run.

    Args:
        model: used as it is, in its training or evaluation mode; nothing is stored on it.
        images: (B, channels, height, width), normalised as for the model.
        edits: trace key → function of that tensor. What the function returns, of the same shape and
            dtype, replaces the tensor in the rest of the pass and in the trace. The function may
            change its argument in place.
        gradients: keep the graph, so that a later ``backward`` fills ``.grad`` of every tensor that
            its argument depends on.

    Raises:
        ValueError: an edit's key is not in the pass, its result has another shape or dtype, or the
            images do not fit.
    """
    edits = dict(edits or {})
    tensors: dict[str, Tensor] = {}

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name in edits:
            tensor = apply_edit(name, edits[name], tensor)
        elif name in BORROWED:
            tensor = tensor.clone()
        if gradients:
            if not tensor.requires_grad:  # no parameter comes before it, or an edit cut the graph
                tensor = tensor.clone().requires_grad_()
            tensor.retain_grad()
        tensors[name] = tensor
        return tensor

    def keep(name: str, tensor: Tensor) -> Tensor:
        tensors[name] = tensor = tensor.clone() if name in BORROWED else tensor
        return tensor

    with torch.set_grad_enabled(gradients):
        model(images, tap if edits or gradients else keep)
    if unused := [key for key in edits if key not in tensors]:
        raise ValueError(unknown_key(unused[0], list(tensors)))
    return Trace(tensors, model.config)


@torch.no_grad()
def output_with(model: ViT, images: Tensor, edits: Mapping[str, Edit] | None = None) -> Tensor:
    """Return ``trace(model, images, edits).output`` without keeping the tensors on the way.

    The tensors of one image in a large model take more than a hundred megabytes; here only those of
    one block are in memory.

    Raises:
        ValueError: as ``trace`` does.
    """
    edits = dict(edits or {})
    seen: list[str] = []

    def tap(name: str, tensor: Tensor) -> Tensor:
        seen.append(name)
        return apply_edit(name, edits[name], tensor) if name in edits else tensor

    output: Tensor = model(images, tap)
    if unused := [key for key in edits if key not in seen]:
        raise ValueError(unknown_key(unused[0], seen))
    return output


def apply_edit(name: str, edit: Edit, tensor: Tensor) -> Tensor:
    """Return what ``edit`` makes of a copy of ``tensor``.

    Raises:
        ValueError: the result has another shape or dtype, or is no tensor.
    """
    edited = edit(tensor.clone())
    if not isinstance(edited, Tensor):
        got = f"a {type(edited).__name__}"
    elif edited.shape != tensor.shape or edited.dtype != tensor.dtype:
        got = f"{tuple(edited.shape)} and {edited.dtype}"
    else:
        return edited
    raise ValueError(
        f"the edit of {name} must return a tensor of shape {tuple(tensor.shape)} "
        f"and {tensor.dtype}, not {got}"
    )


def unknown_key(key: object, keys: list[str]) -> str:
    """Return a message that names the keys that are most like ``key``."""
    near = difflib.get_close_matches(str(key), keys, n=3, cutoff=0.4)
    hint = f"; nearest: {', '.join(near)}" if near else f"; it starts with {', '.join(keys[:5])}"
    return f"no tensor {key!r} in this trace{hint}"
