"""The network that a training step runs: compiled or not, in one process or in several."""

from contextlib import AbstractContextManager, nullcontext

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vit_core.mistakes import flaws_of
from vit_core.model import ViT
from vit_core.training.patch_drop import forward_with_part
from vit_core.training.processes import Group


class Network(nn.Module):
    """Images → logits, from all patches or from some of them.

    It wraps the model, so that the names of the model's weights are the same however it runs.
    """

    def __init__(self, model: ViT) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, kept: Tensor | None = None) -> Tensor:
        """Return logits (B, num_classes).

        Args:
            images: (B, channels, height, width), normalised.
            kept: (B, kept) indices of the patches to use; None for all.
        """
        if kept is None:
            logits: Tensor = self.model(images)
            return logits
        return forward_with_part(self.model, images, kept)

    def no_sync(self) -> AbstractContextManager[None]:
        """Do nothing: a single process has no others to share its gradients with."""
        return nullcontext()


def as_trained(model: ViT, is_compiled: bool, group: Group) -> Network | DistributedDataParallel:
    """Return a network that runs ``model`` as the settings say, with the model's own weights."""
    network = Network(model)
    if is_compiled:
        network.compile()
    if group.size == 1:
        return network
    return DistributedDataParallel(
        network,
        forward_sync_buffers=False,
        # weights that a flaw leaves out of the forward pass get no gradient
        find_unused_parameters=bool(flaws_of(model)),
    )
