"""Does a map point at the right picture? Four pictures of different classes are put into one.

A map that explains one of the four classes should lie in the quarter that has this class's picture.
Source: the grid pointing game, "Convolutional Dynamic Alignment Networks for Interpretable
Classifications", https://arxiv.org/abs/2104.00032, section 5 (localisation); its share of the
positive attribution in the right cell is used here.

A Vision Transformer takes pictures of one size, so there are two ways:

- Each picture is shrunk to half its height and width, by the mean over the pixels that become one,
  and the four fill one picture of the model's size. But a digit is then smaller than any that the
  model has learned, and it hardly knows one.
- The four keep their size, and the model gets four times as many patches, each with the position
  that it has in its own picture, and one class token for all (``for_four``). No weight is changed.

The model has learned from neither; hence its answer is given as well.

Shape suffixes as in ``vit_core.model``; G is games, R rows of a batch (4 for each game), Q the
patches of four pictures in one: P where they are shrunk, 4·P where they keep their size.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.config import ViTConfig
from vit_core.interpret.attribution.checked import check_images, checked_classes
from vit_core.interpret.attribution.private import private
from vit_core.interpret.attribution.result import AttributionError
from vit_core.interpret.attribution.target import Target
from vit_core.model import ViT

QUARTERS = 4  # top left, top right, bottom left, bottom right
CHANCE = 1 / QUARTERS

Maps = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Game:
    """How well maps point at four pictures in one.

    Attributes:
        pictures: (G, channels, height, width), the four in one, of the model's size or twice it.
        patches: (G, 4, Q), the map of each of the four classes, in reading order of the whole.
        shares: (G, 4, 4), of the map of each class (second axis), the share of the positive values
            in each quarter (third axis); the four add up to 1. NaN if a map has no positive value.
        right: (G, 4), the share in the quarter that has the class's picture. A map without regard
            to the class has 1/4 on average, whatever it shows.
        answers: (G, 4), the model's probability of each class for the four in one; for a model
            without a head the cosine of its features and those of each picture alone.
    """

    pictures: Tensor
    patches: Tensor
    shares: Tensor
    right: Tensor
    answers: Tensor


def pointing_game(
    model: ViT,
    images: Tensor,
    targets: Tensor | None,
    maps: Maps,
    wide: ViT | None = None,
) -> Game:
    """Ask for a map of each of four classes in a picture that shows all four.

    Args:
        model: any ``ViT``; it is not changed.
        images: (G, 4, channels, height, width), four pictures a game, normalised as for the model:
            top left, top right, bottom left, bottom right.
        targets: (G, 4), the class of each picture, four different ones in a game. None for a model
            without a head: then the features of each picture alone stand for its class.
        maps: makes maps (R, Q) of four pictures in one (R, channels, …) and of what is explained in
            each: classes (R,), or for a model without a head features (R, D). It asks ``wide``, if
            there is one, and otherwise the model.
        wide: what ``for_four`` makes of the model, for pictures that keep their size; None for
            pictures that are shrunk.

    Raises:
        AttributionError: the pictures or targets do not fit.
    """
    config = model.config
    if images.ndim != 5 or images.shape[1] != QUARTERS:
        raise AttributionError(
            f"a game needs four pictures, (G, 4, {config.in_channels}, height, width), not "
            f"{tuple(images.shape)}"
        )
    whole = images.flatten(0, 1)
    check_images(model, whole)
    if config.num_classes:
        asked_R = checked_classes(model, len(whole), None if targets is None else targets.flatten())
        if any(len(set(row)) < QUARTERS for row in asked_R.view(-1, QUARTERS).tolist()):
            raise AttributionError("the four pictures of a game must be of four different classes")
        target = Target(asked_R)
    else:
        if targets is not None:
            raise AttributionError("this model has no head and so no classes: targets must be None")
        with torch.no_grad():
            asked_R = private(model)(whole)
        target = Target(reference_BD=asked_R)
    pictures = shrunk(images) if wide is None else side_by_side(images)
    asked = model if wide is None else wide
    with torch.no_grad():
        output_RC = private(asked)(pictures).repeat_interleave(QUARTERS, dim=0)
        answers = target.answer(output_RC, torch.arange(len(output_RC), device=images.device))
    patches_RQ = maps(pictures.repeat_interleave(QUARTERS, dim=0), asked_R).detach()
    shares = torch.unflatten(quarter_shares(patches_RQ, asked.config), 0, (-1, QUARTERS))
    return Game(
        pictures,
        torch.unflatten(patches_RQ, 0, (-1, QUARTERS)),
        shares,
        shares.diagonal(dim1=1, dim2=2),
        answers.view(-1, QUARTERS),
    )


def for_four(model: ViT) -> ViT:
    """Return a model that takes four pictures in one, and shares all weights with the given one.

    A patch gets the position that it has in its own picture, so each position is there four times.

    Raises:
        AttributionError: it would need more memory than a model may.
    """
    height, width = model.config.image_hw
    try:
        config = replace(model.config, image_size=(2 * height, 2 * width))
    except ValueError as error:
        raise AttributionError(f"four pictures in one are too large: {error}") from None
    wide = private(model)
    one: ViT | None = wide
    while one is not None:
        one.config = config
        repeated = None if one.pos_embed is None else four_positions(one.pos_embed, model.config)
        for name in ("_parameters", "_buffers"):  # the dictionaries are shared with the model
            own = dict(one.__dict__[name])
            if "pos_embed" in own:
                own["pos_embed"] = repeated
            one.__dict__[name] = own
        one = one.__dict__.get("unchanged")  # a changed model asks the one without the changes
    return wide


def four_positions(position_1ND: Tensor, config: ViTConfig) -> Tensor:
    """Return the class token's position and four times those of the patches, (1, 1 + Q, D)."""
    before = int(config.pool == "cls")
    grid = torch.unflatten(position_1ND[:, before:], 1, config.grid_size)
    return torch.cat((position_1ND[:, :before], grid.repeat(1, 2, 2, 1).flatten(1, 2)), dim=1)


def side_by_side(images: Tensor) -> Tensor:
    """Lay four pictures into one: (G, 4, channels, h, w) → (G, channels, 2 · h, 2 · w)."""
    top, bottom = (torch.cat((images[:, i], images[:, i + 1]), dim=-1) for i in (0, 2))
    return torch.cat((top, bottom), dim=-2)


def shrunk(images: Tensor) -> Tensor:
    """Shrink four pictures to a quarter each: (G, 4, channels, height, width) → (G, channels, …).

    An odd height or width gives the first two one row or column less.
    """
    height, width = images.shape[-2:]
    tall, wide = (height // 2, height - height // 2), (width // 2, width - width // 2)
    rows = [
        torch.cat(
            [
                F.adaptive_avg_pool2d(images[:, 2 * row + column], (tall[row], wide[column]))
                for column in range(2)
            ],
            dim=-1,
        )
        for row in range(2)
    ]
    return torch.cat(rows, dim=-2)


def quarter_shares(patches_BP: Tensor, config: ViTConfig) -> Tensor:
    """Return the share of each map's positive values in each quarter, (B, 4).

    A patch that reaches over two quarters counts for each by its pixels. NaN where a map has no
    positive value.
    """
    positive_BP = patches_BP.clamp_min(0)
    inside_4P = pixels_in_quarters(config).to(positive_BP)
    shares: Tensor = positive_BP @ inside_4P.T / positive_BP.sum(dim=1, keepdim=True)
    return shares


def pixels_in_quarters(config: ViTConfig) -> Tensor:
    """Return the share of each patch's pixels in each quarter of the picture, (4, P)."""
    sides = []
    for pixels, patch in zip(config.image_hw, config.patch_hw, strict=True):
        is_first = (torch.arange(pixels) < pixels // 2).double().view(-1, patch).mean(dim=1)
        sides.append((is_first, 1 - is_first))
    return torch.stack(
        [torch.outer(row, column).flatten() for row in sides[0] for column in sides[1]]
    )
