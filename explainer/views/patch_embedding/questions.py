"""The questions of the page on the patch embedding, answered by what was measured."""

from collections.abc import Mapping, Sequence

import numpy as np

from explainer.content.equality import number_of, sign
from explainer.content.numbers import fixed
from explainer.content.token_names import patch_names
from explainer.inputs.models import load
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.quiz import Question, askable, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.wording import TEXTS, facts, minus, patch_of


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    """Return a question for each part; where all patches are the same, one about that."""
    blank = texts_of("patch_embedding", seen)["questions"]["blank"]
    return [
        ask_shape(choice, seen, place),
        first_askable(ask_response(choice, seen, place), ask_blank(choice, place, blank)),
        first_askable(ask_similar(choice, seen, place), ask_place(seen)),
    ]


def first_askable(wanted: Question, instead: Question) -> Question:
    return wanted if askable([wanted]) else instead


def ask_shape(choice: Choice, seen: Observation, place: Place) -> Question:
    texts, config = texts_of("patch_embedding", seen)["questions"]["shape"], seen.config
    right = config.embed_dim * config.patch_dim
    options = sorted(
        {
            right,
            config.embed_dim + config.patch_dim,
            config.num_patches * config.patch_dim,
            config.num_patches * right,
        }
    )
    return Question(
        "shape",
        texts["text"].format(**facts(choice, seen, place)),
        tuple(f"{option:,}" for option in options),
        options.index(right),
        texts["why"].format(right=f"{right:,}", **facts(choice, seen, place)),
        part="multiply",
    )


def ask_response(choice: Choice, seen: Observation, place: Place) -> Question:
    """Ask where the chosen filter makes the largest number, among four patches."""
    texts, unit = TEXTS["questions"]["response"], measures.unit_of(choice, place)
    column = seen.tensors["patch_embed"][:, unit]
    options, best = clearly_largest(column, np.argsort(-column, kind="stable"))
    text, shown = texts["text"].format(number=unit + 1), listed(column, options, seen)
    right = options.index(best)
    return compared("response", text, shown, right, texts["why"], part="filters")


def ask_similar(choice: Choice, seen: Observation, place: Place) -> Question:
    """Ask which of three patches with other pixels is most like the chosen one."""
    texts, patch = TEXTS["questions"]["similar"], patch_of(choice, seen, place)
    similarity = measures.alike_of(choice, seen, patch)
    # where all patches are the same there is only the chosen one, and nothing is asked
    order = similarity.order if len(similarity.order) else np.array([patch])
    options, best = clearly_largest(similarity.embeddings, order)
    name = patch_names(seen.config)[patch]
    text, shown = texts["text"].format(patch=name), listed(similarity.embeddings, options, seen)
    right = options.index(best)
    return compared("similar", text, shown, right, texts["why"], part="similar", patch=name)


def clearly_largest(values: np.ndarray, order: np.ndarray) -> tuple[list[int], int]:
    """Return places in reading order, and the one of them whose value is clearly the largest.

    Args:
        order: the places that may be asked for, from the largest value to the least.
    """
    best = int(order[0])
    others = (int(order[len(order) * part // 8]) for part in (1, 4, 7))
    clear = {place for place in others if values[place] < values[best] - 0.005}
    return sorted({best} | clear), best


def listed(values: np.ndarray, places: Sequence[int], seen: Observation) -> list[tuple[str, str]]:
    names = patch_names(seen.config)
    return [(names[place], fixed(values[place], 2)) for place in places]


def ask_blank(choice: Choice, place: Place, texts: Mapping[str, str]) -> Question:
    unit, black = measures.unit_of(choice, place), black_of(choice)
    weight = measures.weight_of(choice).astype(np.float64)
    every = weight.reshape(len(weight), len(black), -1).sum(axis=2)  # filter by channel
    totals = every[unit]
    bias, value = float(measures.bias_of(choice)[unit]), float(black @ totals)
    added, result = minus(f"{bias:.4f}"), minus(f"{value + bias:.3f}")
    pairs = [
        (minus(f"{one:.4f}"), minus(f"{total:.4f}"))
        for one, total in zip(black.tolist(), totals.tolist(), strict=True)
    ]
    shown = sum(number_of(one) * number_of(total) for one, total in pairs) + number_of(added)
    products = " + ".join(f"{bracketed(one)} × {bracketed(total)}" for one, total in pairs)
    numbers = {
        "number": unit + 1,
        "black": written_and([fixed(one, 2) for one in black.tolist()]),
        "total": products,
        "bias": bracketed(added),
        "sign": sign(shown, result),
        "value": result,
    }
    # for the whole embedding; what holds as well is no wrong answer, so it is left out
    moves = bool((every @ black).any())
    wrong = [texts["zeros"]] if moves or measures.bias_of(choice).any() else []
    wrong += [texts["bias"]] if moves else []
    return Question(
        "blank",
        texts["text"].format(**numbers),
        (*wrong, texts["sums"].format(**numbers)),
        len(wrong),
        texts["why"].format(**numbers),
        part="filters",
    )


def bracketed(text: str) -> str:
    return f"({text})" if text.startswith("−") else text


def written_and(texts: Sequence[str]) -> str:
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last


def black_of(choice: Choice) -> np.ndarray:
    """Return what the model receives for each channel of a black pixel."""
    info = load.source_of(choice).info
    return (0 - np.array(info.mean)) / np.array(info.std)


def ask_place(seen: Observation) -> Question:
    texts = TEXTS["questions"]["place"]
    counts = np.unique(seen.tensors["patches"], axis=0, return_counts=True)[1]
    shared = int(counts[counts > 1].sum())
    here = texts["why_here"].format(count=shared) if shared else ""
    return Question(
        "place",
        texts["text"],
        (texts["same"], texts["near"], texts["other"]),
        0,
        texts["why"].format(here=here).strip(),
        part="similar",
    )
