"""What a training step runs: the model, compiled or not, for one process or for many."""

from contextlib import AbstractContextManager, nullcontext

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vit_core.mistakes import flaws_of
from vit_core.model import ViT
from vit_core.training.patch_drop import forward_with_part
from vit_core.training.processes import Group


class Network(nn.Module):
    """Images → logits, from all patches or from some.

    It holds the model without being it, so that the model's names stay what they are however it
    runs.
    """

    def __init__(self, model: ViT) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, kept: Tensor | None = None) -> Tensor:
        if kept is None:
            return self.model(images)
        return forward_with_part(self.model, images, kept)

    def no_sync(self) -> AbstractContextManager[None]:
        """Sum gradients up without sharing them; alone there is nobody to share with."""
        return nullcontext()


def as_trained(model: ViT, is_compiled: bool, group: Group) -> Network:
    """Return a network that runs ``model`` as the settings say; its weights are the model's."""
    network = Network(model)
    if is_compiled:
        network.compile()
    if group.size == 1:
        return network
    return DistributedDataParallel(  # type: ignore[return-value]
        network,
        forward_sync_buffers=False,
        # what a mistake leaves out of the forward pass gets no gradient
        find_unused_parameters=bool(flaws_of(model)),
    )
