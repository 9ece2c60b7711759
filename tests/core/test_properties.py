"""What holds for every valid configuration, tried on random ones."""

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vit_core import ViTConfig, build, trace

bounded = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@st.composite
def configurations(draw: st.DrawFn) -> ViTConfig:
    """Draw a small valid configuration; every field takes part."""
    patch = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    grid = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    pos_embed = draw(st.sampled_from(("learned", "sincos", "sincos2d", "none")))
    heads = draw(st.integers(1, 4))
    head_dim = draw(st.integers(1, 5)) * (4 if pos_embed == "sincos2d" else 1)
    height, width = (rows * size for rows, size in zip(grid, patch, strict=True))
    square = height == width and patch[0] == patch[1] and draw(st.booleans())
    return ViTConfig(
        image_size=height if square else (height, width),
        in_channels=draw(st.integers(1, 4)),
        num_classes=draw(st.integers(1, 6)),
        patch_size=patch[0] if square else patch,
        embed_dim=heads * head_dim,
        depth=draw(st.integers(1, 3)),
        num_heads=heads,
        mlp_ratio=draw(st.floats(1.0, 4.0)),
        pos_embed=pos_embed,
        pool=draw(st.sampled_from(("cls", "mean"))),
        qkv_bias=draw(st.booleans()),
        norm_eps=draw(st.floats(1e-12, 1e-3)),
        final_norm=draw(st.booleans()),
        layer_scale=draw(st.none() | st.floats(1e-6, 2.0)),
        num_registers=draw(st.integers(0, 3)),
        dropout=draw(st.floats(0.0, 0.9)),
    )


@bounded
@given(config=configurations(), batch=st.integers(1, 3), seed=st.integers(0, 2**31 - 1))
def test_a_valid_configuration_makes_a_model_that_keeps_its_promises(
    config: ViTConfig, batch: int, seed: int
) -> None:
    model = build(config, seed).double().eval()
    assert sum(p.numel() for p in model.parameters()) == config.num_parameters
    assert sum(config.parameters_by_part.values()) == config.num_parameters

    generator = torch.Generator().manual_seed(seed)
    shape = (batch, config.in_channels, *config.image_hw)
    images = torch.randn(shape, generator=generator, dtype=torch.float64)
    logits = model(images)
    assert logits.shape == (batch, config.num_classes)
    assert logits.isfinite().all()

    t = trace(model, images)
    torch.testing.assert_close(t.logits, logits, rtol=0, atol=1e-11)
    assert t["embed"].shape == (batch, config.num_tokens, config.embed_dim)
    assert t["patches"].shape == (batch, config.num_patches, config.patch_dim)
    for index in range(config.depth):
        at = f"blocks.{index}."
        rows = t[at + "attn.pattern"].sum(dim=-1)
        torch.testing.assert_close(rows, torch.ones_like(rows), rtol=0, atol=1e-12)
        middle = t[at + "resid_pre"] + t[at + "attn_out"]
        assert torch.equal(t[at + "resid_mid"], middle)
        assert torch.equal(t[at + "resid_post"], middle + t[at + "mlp_out"])

    traced_bytes = sum(tensor[0].numel() for tensor in t.values()) * 4
    assert traced_bytes + 4 * config.num_parameters <= config.memory_bytes + 4096


@bounded
@given(config=configurations())
def test_a_configuration_survives_json(config: ViTConfig) -> None:
    again = ViTConfig.from_json(config.to_json())
    assert again == config
    assert hash(again) == hash(config)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["learned", "cls", "", "28"])
    | st.sampled_from([10**400, -(10**400), 2**63, 1e308, 5e-324]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@settings(bounded, max_examples=300)
@given(values=st.dictionaries(st.sampled_from(list(ViTConfig().to_dict())), anything, max_size=4))
def test_any_values_give_a_configuration_or_a_sentence(values: dict) -> None:
    try:
        config = ViTConfig.from_dict(values)
    except ValueError as error:
        assert "\n" not in str(error)
        assert 10 < len(str(error)) < 600
    else:
        assert config.memory_bytes <= 2 * 1024**3
