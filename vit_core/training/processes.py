"""Several processes that train one model together, each on its share of every batch.

``torchrun`` starts them and tells each its rank through environment variables. They communicate by
PyTorch's process groups: gloo between CPUs, NCCL between GPUs.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from vit_core.errors import VitError

DEVICES = ("auto", "cpu", "cuda")
T = TypeVar("T")


class MainProcessFailedError(VitError):
    """The main process failed and has said why, so that the others need not say it again."""


@dataclass(frozen=True)
class Group:
    """The processes of a run.

    Attributes:
        rank: of this process, from 0; only process 0, the main one, writes files.
        size: number of processes.
        local_rank, local_size: the same, counting only the processes of this machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @classmethod
    def from_environment(cls) -> "Group":
        """Read the environment variables of torchrun; without them the process is alone."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        if any(name not in os.environ for name in names):
            return cls()
        return cls(*(int(os.environ[name]) for name in names))

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    @contextmanager
    def joined(self, device: str) -> Iterator[torch.device]:
        """Join the other processes while the context lasts, and return the device to compute on.

        Args:
            device: one of ``DEVICES``; "auto" takes a GPU where there is one.

        Raises:
            ValueError: there is no such device for this process.
        """
        chosen = choose_device(device, self.local_rank)
        if self.size == 1:
            yield chosen
            return
        # Python objects such as the settings always go between CPUs
        backend = "gloo" if chosen.type == "cpu" else "cpu:gloo,cuda:nccl"
        dist.init_process_group(backend, rank=self.rank, world_size=self.size)
        yield chosen
        dist.destroy_process_group()  # not after an error: the others may be gone

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of the processes' tensors, in every process."""
        if self.size > 1:
            tensor = tensor.clone()
            dist.all_reduce(tensor)
        return tensor

    def wait(self) -> None:
        """Wait until all processes have called this."""
        self.sum(torch.zeros(1))

    def from_main(self, make: Callable[[], T]) -> T:
        """Call ``make`` in the main process and return its result in every process.

        Raises:
            MainProcessFailedError: in the other processes, if ``make`` failed.
        """
        if self.size == 1:
            return make()
        message: list[tuple[T] | None] = [None]  # None after a failure
        failure: BaseException | None = None
        if self.is_main:
            try:
                message = [(make(),)]
            except BaseException as error:
                failure = error
        dist.broadcast_object_list(message, src=0, device=torch.device("cpu"))
        if failure is not None:
            raise failure
        if message[0] is None:
            raise MainProcessFailedError
        return message[0][0]

    def tensors_from_main(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the main process's tensors in every process, on the CPU."""
        shapes = self.from_main(lambda: {k: (v.shape, v.dtype) for k, v in tensors.items()})
        if self.is_main:
            copies = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        else:
            copies = {key: torch.empty(shape, dtype=kind) for key, (shape, kind) in shapes.items()}
        for copy in copies.values():
            dist.broadcast(copy, src=0)
        return copies


ALONE = Group()


def choose_device(device: str, local_rank: int) -> torch.device:
    """Return the device on which a process computes.

    Args:
        device: one of ``DEVICES``.
        local_rank: of the process among those of its machine; each takes a GPU of its own.

    Raises:
        ValueError: there is no GPU for this process.
    """
    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ValueError("device cuda: PyTorch finds no GPU here; --device cpu trains without")
    if local_rank >= torch.cuda.device_count():
        raise ValueError(
            f"process {local_rank + 1} of this machine has no GPU, there are "
            f"{torch.cuda.device_count()}; start one process for each, or use --device cpu"
        )
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)


def leave(code: int) -> NoReturn:
    """End this process with an exit code.

    If it is one of several, it ends without Python's usual shutdown, during which a thread of gloo
    may release a tensor and so abort the process (https://github.com/pytorch/pytorch/pull/179291).
    """
    if Group.from_environment().size == 1:
        sys.exit(code)
    for reader in multiprocessing.active_children():
        reader.terminate()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def is_lost_process(error: RuntimeError) -> bool:
    """Whether an error means that another process of the group no longer answers."""
    # gloo raises a plain RuntimeError
    return isinstance(error, dist.DistError) or "gloo" in str(error).lower()
