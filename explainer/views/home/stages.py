"""The stages of the pipeline, each with its words and the very tensor that it computed."""

from collections.abc import Mapping

from explainer.components.packing import CLIPPED_SHARE
from explainer.content.numbers import percent, with_article
from explainer.content.strangers_words import plain_format
from explainer.figures import pipeline as draw
from explainer.figures.colour_map import colours_of
from explainer.figures.pipeline import Stage
from explainer.figures.pixels import image_address
from explainer.inputs.pictures.galleries import DIGITS
from explainer.observation.features import principal
from explainer.observation.observe import Observation
from explainer.observation.patches_of import patches_of
from explainer.observation.shown_classes import names_of, shown_classes


def stages(
    seen: Observation,
    texts: Mapping,
    trained: bool,
    addresses: Mapping[str, str],
) -> list[tuple[str, list[Stage]]]:
    """Return the two rows of stages: from the picture to tokens, from tokens to an answer.

    Args:
        texts: of Home.
        addresses: view → relative address of its page.
    """
    config, tensors = seen.config, seen.tensors
    numbers = facts(seen)
    marked = config.pool == "cls"

    def stage(name: str, shape: tuple[int, ...], picture: str) -> Stage:
        stage_texts = texts["stages"][name]
        return Stage(
            title=plain_format(stage_texts["title"], **numbers),
            text=plain_format(stage_texts["text"], **numbers),
            shape=shape,
            picture=picture,
            pages=tuple(
                (view, label, addresses[view])
                for view, label in stage_texts.get("links", {}).items()
            ),
        )

    def alt(name: str) -> str:
        return plain_format(texts["stages"][name]["alt"], **numbers)

    def matrix(name: str, key: str, pictured: str | None = None) -> Stage:
        picture = draw.tokens(
            tensors[pictured or key], alt(name), marked=marked and name != "embedding"
        )
        return stage(name, tensors[key].shape, picture)

    known = "alt" if seen.label is not None else "alt_own" if seen.has_head else "alt_features"
    alt_image = plain_format(texts["stages"]["image"][known], **numbers)
    image_shape = (config.in_channels, *config.image_hw)
    first = [
        stage("image", image_shape, draw.image(seen.pixels, alt_image)),
        stage(
            "patches",
            tensors["patches"].shape,
            draw.patches(
                patches_of(seen, config.patch_hw), config.grid_size, config.patch_hw, alt("patches")
            ),
        ),
        matrix("embedding", "patch_embed"),
        *([matrix("class_token", "tokens")] if marked else []),
        matrix("position", "embed", "pos_embed")
        if "pos_embed" in tensors
        else matrix("no_position", "embed"),
    ]
    looks = [tensors[f"blocks.{block}.attn.pattern"][0] for block in range(config.depth)]
    share = 0.0 if seen.gallery == DIGITS else CLIPPED_SHARE
    last = tensors[f"blocks.{config.depth - 1}.resid_post"]
    pooled = "pooled" if marked else "average"
    output = (
        [
            stage("logits", seen.logits.shape, scores(seen, alt("logits"))),
            stage("answer", seen.probabilities.shape, answer(seen, texts, trained)),
        ]
        if seen.has_head
        else [stage("features", tensors["final_norm"].shape, colours(seen, alt("features")))]
    )
    second = [
        stage("encoder", last.shape, draw.patterns(looks, alt("encoder"), share)),
        matrix("tokens", "final_norm"),
        stage(
            pooled,
            tensors["pooled"].shape,
            draw.reading(tensors["pooled"], tensors["final_norm"], alt(pooled)),
        ),
        *output,
    ]
    title = texts["row_answer" if seen.has_head else "row_features"]
    return [(texts["row_tokens"], first), (title, second)]


def facts(seen: Observation) -> dict[str, object]:
    """Return the numbers that the words of the stages may name."""
    config = seen.config
    height, width = config.image_hw
    rows, columns = config.grid_size
    numbers: dict[str, object] = {
        "height": height,
        "width": config.embed_dim,
        "image_width": width,
        "values": f"{config.in_channels * height * width:,}",
        "rows": rows,
        "columns": columns,
        "patches": config.num_patches,
        "patch_dim": config.patch_dim,
        "tokens": config.num_tokens,
        "positions": config.num_patches + (config.pool == "cls"),
        "depth": config.depth,
        "classes": f"{config.num_classes:,}",
    }
    if seen.label is not None:
        numbers["truth"] = seen.class_names[seen.label]
        numbers["a_truth"] = with_article(seen.class_names[seen.label])
    if seen.has_head:
        places = shown_classes(seen)
        scores = zip(names_of(seen, places), seen.logits[places].tolist(), strict=True)
        numbers["answer"] = seen.class_names[seen.prediction]
        numbers["scores"] = ", ".join(str(name) + f" {score:.1f}" for name, score in scores)
    return numbers


def colours(seen: Observation, alt: str) -> str:
    """Draw the patches' first three principal components as colours."""
    components = principal(seen)
    return draw.tag(image_address(colours_of(components.scores, seen.config.grid_size)), alt)


def scores(seen: Observation, alt: str) -> str:
    places = shown_classes(seen)
    return draw.bars(seen.logits[places], names_of(seen, places), alt)


def answer(seen: Observation, texts: Mapping, trained: bool) -> str:
    if seen.label is None:
        verdict, kind = texts["own" if trained else "guess_own"], "guess"
    else:
        right = seen.prediction == seen.label
        name = "right" if right else "wrong"
        truth = seen.class_names[seen.label]
        template = texts[name if trained else f"guess_{name}"]
        verdict = plain_format(template, truth=truth, a_truth=with_article(truth))
        kind = ("good" if right else "bad") if trained else "guess"
    share = percent(float(seen.probabilities[seen.prediction]))
    return draw.answer(seen.class_names[seen.prediction], share, verdict, kind)
