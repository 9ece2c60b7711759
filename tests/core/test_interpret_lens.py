"""The logit lens and the split of the logits, against the model itself and against loops."""

from dataclasses import replace

import pytest
import torch

from vit_core import ViT, ViTConfig, build, trace
from vit_core.interpret.lens import logit_attribution, logit_lens, stream_keys, writer_keys

BASE = ViTConfig(image_size=12, patch_size=4, embed_dim=16, depth=3, num_heads=2)
CONFIGS = {
    "class token": BASE,
    "mean pooling": replace(BASE, pool="mean"),
    "registers": replace(BASE, num_registers=2),
    "registers, mean pooling": replace(BASE, num_registers=2, pool="mean"),
    "LayerScale": replace(BASE, layer_scale=0.3),
    "no final LayerNorm": replace(BASE, final_norm=False),
    "no position": replace(BASE, pos_embed="none"),
}


@pytest.fixture(params=CONFIGS, ids=str)
def model(request: pytest.FixtureRequest) -> ViT:
    """A model whose every parameter matters: fresh biases are all zero."""
    model = build(CONFIGS[request.param], seed=3).double().eval()
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.double)
            parameter += 0.3 * noise
    return model


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(4, 1, 12, 12, generator=torch.Generator().manual_seed(5)).double()


def test_the_last_stage_of_the_lens_is_the_model(model, images):
    t = trace(model, images)
    lens = logit_lens(model, t)
    assert lens.shape == (4, model.config.depth + 1, model.config.num_classes)
    assert torch.equal(lens[:, -1], t.logits)


def test_a_stage_of_the_lens_is_the_model_without_the_blocks_behind_it(model, images):
    lens = logit_lens(model, trace(model, images))
    for stage in range(model.config.depth + 1):
        short = ViT(replace(model.config, depth=max(stage, 1))).double().eval()
        if stage == 0:
            short.blocks = torch.nn.ModuleList()
        kept = short.state_dict()
        short.load_state_dict({name: model.state_dict()[name] for name in kept})
        assert torch.allclose(lens[:, stage], short(images), rtol=0, atol=1e-12)


def test_what_is_written_adds_up_to_the_logits(model, images):
    t = trace(model, images)
    split = logit_attribution(model, t)
    assert split.writers == writer_keys(model.config)
    assert split.logits.shape == (4, 2 * model.config.depth + 1, model.config.num_classes)
    total = split.logits.sum(dim=1) + split.constant
    scale = split.logits.abs().sum(dim=1).clamp(min=1)
    assert ((total - t.logits).abs() / scale).max() < 1e-12


def test_it_adds_up_in_single_precision_too(model, images):
    single = model.float()
    t = trace(single, images.float())
    split = logit_attribution(single, t)
    scale = split.logits.abs().sum(dim=1).clamp(min=1)
    difference = split.logits.sum(dim=1) + split.constant - t.logits
    assert (difference.abs() / scale).max() < 1e-6


def test_one_summand_by_loops(model, images):
    t = trace(model, images)
    split = logit_attribution(model, t)
    config, norm = model.config, model.norm
    key = "blocks.1.mlp_out"
    tokens = [0] if config.pool == "cls" else range(config.num_prefix_tokens, config.num_tokens)
    read = torch.zeros(config.embed_dim, dtype=torch.double)
    for token in tokens:
        written, stream = t[key][2, token], t["blocks.2.resid_post"][2, token]
        if config.final_norm:
            deviation = (((stream - stream.mean()) ** 2).mean() + norm.eps).sqrt()
            written = (written - written.mean()) / deviation * norm.weight
        read += written / len(tokens)
    expected = torch.stack([read @ row for row in model.head.weight])
    found = split.logits[2, split.writers.index(key)]
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    assert torch.allclose(split.pooled[2, split.writers.index(key)], read, rtol=0, atol=1e-12)


def test_the_stream_starts_before_the_first_block():
    assert stream_keys(replace(BASE, depth=2)) == (
        "embed",
        "blocks.0.resid_post",
        "blocks.1.resid_post",
    )


def test_a_backbone_has_no_logits_to_split():
    backbone = build(replace(BASE, num_classes=0), seed=3).eval()
    tensors = trace(backbone, torch.zeros(1, 1, 12, 12))
    with pytest.raises(ValueError, match="a backbone has no logits to split"):
        logit_attribution(backbone, tensors)
