"""torchvision's and timm's Vision Transformer in the shape and with the weights of one of ours."""

import torch
from torch import Tensor, nn

from vit_core import ViT
from vit_core.torchvision_import import import_torchvision

TORCHVISION_NAMES = (
    ("norm1", "ln_1"),
    ("norm2", "ln_2"),
    ("attn.qkv.", "self_attention.in_proj_"),
    ("attn.proj", "self_attention.out_proj"),
    ("mlp.fc1", "mlp.0"),
    ("mlp.fc2", "mlp.3"),
    ("cls_token", "class_token"),
    ("pos_embed", "encoder.pos_embedding"),
    ("patch_embed.proj", "conv_proj"),
    ("norm", "encoder.ln"),
    ("head", "heads.head"),
)


def torchvision_key(key: str) -> str:
    """Name our parameter as torchvision does."""
    place, rest = "", key
    if key.startswith("blocks."):
        _, index, rest = key.split(".", 2)
        place = f"encoder.layers.encoder_layer_{index}."
    ours, theirs = next(pair for pair in TORCHVISION_NAMES if rest.startswith(pair[0]))
    return place + rest.replace(ours, theirs, 1)


def torchvision_twin(model: ViT) -> nn.Module:
    """Return torchvision's model with our weights.

    It knows square images, a class token, learned positions and a final norm alone.
    """
    import_torchvision()
    from torchvision.models.vision_transformer import VisionTransformer

    config = model.config
    twin = VisionTransformer(
        image_size=config.image_hw[0],
        patch_size=config.patch_hw[0],
        num_layers=config.depth,
        num_heads=config.num_heads,
        hidden_dim=config.embed_dim,
        mlp_dim=config.mlp_dim,
        num_classes=config.num_classes,
    )
    # it takes colour images alone; another convolution is all that grey ones need
    twin.conv_proj = nn.Conv2d(
        config.in_channels, config.embed_dim, config.patch_hw, stride=config.patch_hw
    )
    return filled(
        twin, {torchvision_key(key): value for key, value in model.state_dict().items()}, model
    )


def timm_twin(model: ViT, **options: object) -> nn.Module:
    """Return timm's model with our weights; its keys are ours.

    Args:
        options: more arguments for timm, such as ``no_embed_class``, with which no prefix token has
            a position: ours must then have zeros there.
    """
    import_torchvision()
    from timm.models.vision_transformer import VisionTransformer

    config = model.config
    twin = VisionTransformer(
        img_size=config.image_hw,
        patch_size=config.patch_hw,
        in_chans=config.in_channels,
        num_classes=config.num_classes,
        embed_dim=config.embed_dim,
        depth=config.depth,
        num_heads=config.num_heads,
        mlp_ratio=config.mlp_ratio,
        qkv_bias=config.qkv_bias,
        init_values=config.layer_scale,
        class_token=config.pool == "cls",
        global_pool="token" if config.pool == "cls" else "avg",
        reg_tokens=config.num_registers,
        fc_norm=False,  # the final norm before pooling, as in the paper
        final_norm=config.final_norm,
        **options,
    )
    position = model.pos_embed.detach()
    of_prefix, of_patches = position.split(
        [position.shape[1] - config.num_patches, config.num_patches], dim=1
    )
    if options.get("no_embed_class"):
        position = of_patches
    else:  # timm gives registers a position too; ours have none
        of_registers = position.new_zeros(1, config.num_registers, config.embed_dim)
        position = torch.cat((of_prefix, of_registers, of_patches), dim=1)
    return filled(twin, dict(model.state_dict()) | {"pos_embed": position}, model)


def filled(twin: nn.Module, state: dict[str, Tensor], model: ViT) -> nn.Module:
    """Load our weights into ``twin``, in our dtype and mode; kernels are reshaped."""
    twin.to(model.head.weight.dtype)
    shapes = {key: value.shape for key, value in twin.state_dict().items()}
    twin.load_state_dict({key: value.reshape(shapes[key]) for key, value in state.items()})
    return twin.train(model.training)
