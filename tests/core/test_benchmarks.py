"""What the benchmarks rest on: the loop network is ours, and operations are counted right."""

import pytest
import torch
from look_inside import Grid, games_of, print_checks
from loop_reference import Digits, LoopViT
from matmul_peak import forward_flops, step_flops
from torch.utils.flop_counter import FlopCounterMode

from vit_core import PRESETS, ViTConfig, build, trace
from vit_core.data import mnist, mnist_info, normalize


def test_the_loop_network_is_the_seed_preset() -> None:
    model = build(PRESETS["seed"].model).double()
    loops = LoopViT(model).double()
    assert sum(p.numel() for p in loops.parameters()) == model.config.num_parameters
    images = normalize(mnist().test.images[:3], mnist_info()).double()
    expected = model(images)
    assert expected.abs().max() > 0.01
    # its position is float32, as ours is
    torch.testing.assert_close(loops(images), expected, rtol=0, atol=1e-7)


def test_the_loop_network_learns_with_the_same_gradients() -> None:
    model = build(PRESETS["seed"].model).double()
    loops = LoopViT(model).double()
    images = normalize(mnist().test.images[:3], mnist_info()).double()
    for network in (model, loops):
        network(images).square().sum().backward()
    torch.testing.assert_close(
        torch.cat([linear.weight.grad for linear in loops.blocks[0].attn.values]),
        model.blocks[0].attn.qkv.weight.grad[16:],
        rtol=1e-4,
        atol=1e-7,
    )


def test_the_loop_network_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match="mean pooling"):
        LoopViT(build(ViTConfig(pool="cls")))


def test_the_loop_networks_data_is_ours() -> None:
    data = mnist()
    image, label = Digits(data.train, data.info)[7]
    torch.testing.assert_close(image, normalize(data.train.images[7:8], data.info)[0])
    assert label == data.train.labels[7]


def test_operations_are_those_that_pytorch_counts(mean_config: ViTConfig) -> None:
    for config in (PRESETS["fast"].model, mean_config):
        model = build(config)
        images = torch.zeros(2, config.in_channels, *config.image_hw)
        with FlopCounterMode(display=False) as forward:
            trace(model, images)
        assert forward.get_total_flops() == 2 * forward_flops(config)
        with FlopCounterMode(display=False) as step:
            # any tap but none spells attention out, of which every product is counted
            model(images, lambda name, tensor: tensor).sum().backward()
        assert step.get_total_flops() == step_flops(config, batch=2)


def test_tokens_as_a_grid_are_the_same_tokens(cls_config: ViTConfig) -> None:
    model = build(cls_config).eval()
    norm, tokens = model.blocks[-1].norm1, torch.randn(2, cls_config.num_tokens, 16)
    grid, seen = Grid(norm, model), []
    grid.watched.register_forward_hook(lambda *passed: seen.append(passed[-1]))
    assert torch.equal(grid(tokens), norm(tokens))
    assert seen[0].shape == (2, 16, 4, 4)
    assert torch.equal(seen[0][:, :, 1, 2], norm(tokens)[:, 1 + 4 + 2])


def test_a_game_has_four_classes() -> None:
    labels = torch.tensor([3, 3, 1, 0, 1, 2])
    games, classes = games_of(torch.arange(6.0).view(6, 1, 1, 1), labels)
    assert classes.tolist()[0] == [3, 1, 0, 2]
    assert games.flatten(1).tolist()[4] == [4, 5, 0, 3]


def test_the_checks_of_maps_print_a_row_for_each_method(
    cls_config: ViTConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    model, images = build(cls_config).eval(), torch.randn(4, 1, 28, 28)
    print_checks("new", model, images, torch.arange(4), ["rollout", "ink"])
    rollout, ink = capsys.readouterr().out.splitlines()[2:4]
    assert rollout.startswith("| rollout | 1.00 |")  # the head is not in it
    assert set(ink.split(" | ")[1:-2]) == {"1.00"}  # it knows no model
    assert rollout.endswith("| 0.25 | 0.25 |")  # it knows no class
