"""Dropout of a whole batch, of which a process has a part."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from vit_core.data.share import Share


@contextmanager
def whole_dropout(share: Share) -> Iterator[None]:
    """Draw what dropout zeroes for the whole batch, and apply the share's part of it."""
    if len(share) == share.total:
        yield
        return
    with ShareOfDropout(share):
        yield


class ShareOfDropout(TorchFunctionMode):
    """Runs ``F.dropout`` on a tensor of ones as long as the batch, and multiplies by a part."""

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
