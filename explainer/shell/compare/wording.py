"""What both halves are, in words."""

from collections.abc import Iterator

from explainer.content import load_texts
from explainer.content.strangers_words import plain_format
from explainer.content.token_names import patch_names
from explainer.observation.naming import model_line, picture_line, unchanged_picture
from explainer.state.choice import Choice
from vit_core import ViTConfig

TEXTS = load_texts("compare")
MOST_PATCHES = 4  # that are named one by one


def line_of(choice: Choice) -> str:
    """Return which model and which picture a half shows; plain letters."""
    without = picture_line(choice)
    return plain_format(TEXTS["of_half"], model=model_line(choice), picture=without)


def names_of(a: Choice, b: Choice) -> tuple[str, str]:
    """Return what two halves are called: by what they differ in, model or picture or both."""
    models = [model_line(one) for one in (a, b)]
    pictures = [unchanged_picture(one) for one in (a, b)]
    if pictures[0] == pictures[1]:
        return models[0], models[1]
    if models[0] == models[1]:
        return pictures[0], pictures[1]
    one, two = (
        plain_format(TEXTS["of_half"], model=model, picture=picture)
        for model, picture in zip(models, pictures, strict=True)
    )
    return one, two


def changes_in_words(choice: Choice) -> str:
    """Return what is changed in a half's picture and pass, a sentence each; empty for nothing."""
    lines = [*changes_of(choice)]
    if choice.is_edited_model and choice.trained:
        lines.append(TEXTS["edits"]["trained_with"])
    return " ".join(lines)


def changes_of(choice: Choice) -> Iterator[str]:
    """Yield a sentence for each change of a half's picture and pass."""
    edits, texts, names = choice.edits, TEXTS["edits"], patch_names(choice.config)
    if edits.turn:
        way = texts["counter" if edits.turn > 0 else "clockwise"]
        yield texts["turned"].format(degrees=abs(edits.turn), way=way)
    if moves := [
        texts[way].format(count=abs(count))
        for count, way in zip(
            edits.move,
            ("right" if edits.move[0] > 0 else "left", "down" if edits.move[1] > 0 else "up"),
            strict=True,
        )
        if count
    ]:
        yield texts["moved"].format(moves=texts["and"].join(moves))
    for how in ("mean", "black"):
        if patches := edits.covered(how):
            yield texts[f"covered_{how}"].format(patches=named([names[one] for one in patches]))
    if edits.swaps:
        pairs = [
            texts["swapped_pair"].format(one=names[one], other=names[other])
            for one, other in edits.swaps
        ]
        yield texts["swapped"].format(pairs=named(pairs))
    if edits.heads_off:
        heads = [
            texts["head"].format(block=one.block + 1, head=one.head + 1) for one in edits.heads_off
        ]
        line = texts["heads_one" if len(heads) == 1 else "heads"]
        listed = texts["and"].join(filter(None, (", ".join(heads[:-1]), heads[-1])))
        yield line.format(heads=listed[0].upper() + listed[1:])
    if edits.no_position:
        yield texts["no_position"]
    if edits.mistake:
        yield texts[edits.mistake]


def named(names: list[str]) -> str:
    """Return a list of names; only their number, where there are many."""
    if len(names) > MOST_PATCHES:
        return str(TEXTS["edits"]["covered_more"].format(count=len(names)))
    return ", ".join(names)


def differences(a: ViTConfig, b: ViTConfig) -> str:
    """Return in which sizes two models differ."""
    texts, knobs = TEXTS["differ"], load_texts("sidebar")
    positions = knobs["positions"]
    rows = [
        (texts["size"], *(one.image_hw[0] for one in (a, b))),
        (texts["channels"], a.in_channels, b.in_channels),
        (texts["grid"], *("{} × {}".format(*one.grid_size) for one in (a, b))),
        (knobs["width"], a.embed_dim, b.embed_dim),
        (knobs["depth"], a.depth, b.depth),
        (knobs["heads"], a.num_heads, b.num_heads),
        (knobs["position"], positions[a.pos_embed], positions[b.pos_embed]),
        (texts["read"], texts[a.pool], texts[b.pool]),
    ]
    unlike = [
        texts["one"].format(what=what[0].lower() + what[1:], a=of_a, b=of_b)
        for what, of_a, of_b in rows
        if of_a != of_b
    ]
    return texts["title"].format(list="; ".join(unlike)) if unlike else texts["same"]
