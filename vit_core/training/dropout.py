"""Dropout that does not depend on how many processes share a batch.

Each process has only its own images, but draws the mask of the whole batch and uses its part of it.
PyTorch's own dropout would draw as many numbers as the process has images, and every process would
get the same ones.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from vit_core.data.share import Share


@contextmanager
def whole_dropout(share: Share) -> Iterator[None]:
    """Let dropout draw its mask for the whole batch and apply the part of ``share``.

    It lasts as long as the context. A process that has the whole batch needs none of it.
    """
    if len(share) == share.total:
        yield
        return
    with ShareOfDropout(share):
        yield


class ShareOfDropout(TorchFunctionMode):
    """Replaces calls of ``F.dropout`` while it is active.

    ``F.dropout`` of ones for the whole batch gives the scaled mask; the share's part of it is
    multiplied in. Replacing the function leaves the model file as it is.
    """

    def __init__(self, share: Share) -> None:
        super().__init__()
        self.share = share

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if function is not F.dropout:
            return function(*args, **kwargs)
        values, *rest = args
        ones = values.new_ones((self.share.total, *values.shape[1:]))
        with torch._C.DisableTorchFunction():
            return values * self.share.select(F.dropout(ones, *rest, **kwargs))
