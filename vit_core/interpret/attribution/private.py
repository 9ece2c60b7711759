"""A model for one's own use, which shares all its numbers with another and changes nothing of it.

Models are shared by threads, and by callers who train them. So no method here touches the model
that it is given: neither its mode, nor a gradient, nor whether a parameter asks for one.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from vit_core.model import ViT


def private(model: ViT) -> ViT:
    """Return a model with the same pass in evaluation mode, whose parameters ask for no gradient.

    All weights are the given model's own memory, nothing is copied. A graph of a pass of it reaches
    from the pictures to the output only; so it is smaller, and no parameter can get a ``.grad``.
    A model with changes in its pass (``vit_core.interpret.changed``, ``vit_core.mistakes``) keeps
    them.
    """
    made: dict[int, nn.Module] = {}
    alone = twin(model, made)
    assert isinstance(alone, ViT)
    return alone


def twin(module: nn.Module, made: dict[int, nn.Module]) -> nn.Module:
    """Return a module that shares the tensors of another; ``made`` has those that exist already."""
    if id(module) in made:
        return made[id(module)]
    made[id(module)] = other = module.__class__.__new__(module.__class__)
    parts = {
        name: twin(part, made) if isinstance(part, nn.Module) else part
        for name, part in module.__dict__.items()
    }
    parts["_parameters"] = without_graph(module._parameters)
    parts["_modules"] = {
        name: None if part is None else twin(part, made) for name, part in module._modules.items()
    }
    parts["training"] = False
    other.__dict__.update(parts)
    return other


def without_graph(tensors: Mapping[str, Tensor | None]) -> dict[str, Tensor | None]:
    return {name: None if one is None else one.detach() for name, one in tensors.items()}
