"""The terms of a derivation as a table and as a CSV file."""

from collections.abc import Sequence

import numpy as np

from explainer.content import load_texts
from explainer.content.numbers import written
from explainer.content.strangers_words import plain_format
from explainer.content.token_names import token_names, value_names
from explainer.figures.terms import Column, terms_table
from explainer.figures.theme import MARKS
from explainer.observation.derivation import Derivation
from explainer.observation.observe import Observation
from explainer.shell.downloads import table_csv
from explainer.shell.shown import show_html

SHOWN = 12  # terms in the table, where there are more


def term_names(derivation: Derivation, seen: Observation) -> list[str]:
    """Name each term after the token, patch, class or number that it belongs to."""
    texts, config = load_texts("arithmetic"), seen.config
    if derivation.over == "part":
        return [texts["factors"][factor.name] for factor in derivation.factors]
    if derivation.over in ("token", "patch"):
        names = token_names(config)
        return names if derivation.over == "token" else names[config.num_prefix_tokens :]
    if derivation.over == "class":
        return list(seen.class_names)
    if derivation.over == "pixel" and config.in_channels > 1:
        return value_names(config)
    name_format = texts["over"][derivation.over]
    return [name_format.format(number=index + 1) for index in range(len(derivation.terms))]


def show_terms(
    derivation: Derivation, names: Sequence[str], where: str, name: str = "terms"
) -> list[str]:
    """Draw the terms, and return what is to be said of those that are not drawn.

    Args:
        name: of their picture, unlike all others of the part.
    """
    texts, count = load_texts("arithmetic"), len(derivation.terms)
    indices = shown_terms(derivation)
    remainder = float(derivation.terms.sum() - derivation.terms[indices].sum())
    show_html(
        terms_table(
            [names[index] for index in indices],
            [
                Column(column.heading, [column.texts[index] for index in indices], column.colour)
                for column in columns(derivation)
            ],
            derivation.terms[indices],
            (texts["sum_row"].format(count=count), written(float(derivation.terms.sum()))),
            corner=texts["term"],
            caption=plain_format(texts["region"], where=where),
            marked=indices.index(derivation.chosen) if derivation.chosen in indices else None,
        ),
        name,
        where,
    )
    if len(indices) == count:
        return []
    return [
        texts["largest"].format(
            shown=len(indices),
            count=count,
            rest=count - len(indices),
            remainder=written(remainder),
        )
    ]


def shown_terms(derivation: Derivation, most: int = SHOWN) -> list[int]:
    """Return the indices of the terms to show: all, or the ``most`` largest and the chosen one."""
    if len(derivation.terms) <= most + most // 3:
        return list(range(len(derivation.terms)))
    largest = np.argsort(-np.abs(derivation.terms), kind="stable")[:most].tolist()
    if derivation.chosen is not None and derivation.chosen not in largest:
        largest[-1] = derivation.chosen
    return sorted(largest)


def columns(derivation: Derivation) -> list[Column]:
    """Return a column for each factor, and one for the terms where they differ from the factors."""
    texts = load_texts("arithmetic")
    if derivation.kind == "sum":
        return [Column("", [written(term) for term in derivation.terms])]
    shown = [
        Column(
            texts["factors"][factor.name],
            [written(value) for value in factor.values],
            MARKS[factor.colour].css if factor.colour else None,
        )
        for factor in derivation.factors
    ]
    if derivation.kind == "softmax":  # the largest is subtracted before e is raised to a power
        name = texts["factors"][derivation.factors[0].name]
        scores = derivation.factors[0].values - derivation.numbers["most"]
        shifted = [written(score) for score in scores]
        shown.append(Column(texts["shifted"].format(name=name), shifted))
    heading = {
        "dot": texts["product"],
        "mix": texts["product"],
        "softmax": texts["power"],
        "layer_norm": texts["square"],
    }.get(derivation.kind)
    if heading:
        shown.append(Column(heading, [written(term) for term in derivation.terms]))
    return shown


def terms_csv(derivation: Derivation, names: Sequence[str]) -> str:
    texts = load_texts("arithmetic")
    headings = [texts["factors"][factor.name] for factor in derivation.factors]
    if derivation.kind == "sum":
        return table_csv(
            (texts["term"], texts["csv_value"]), zip(names, derivation.terms, strict=True)
        )
    values = [factor.values for factor in derivation.factors]
    return table_csv(
        (texts["term"], *headings, texts["csv_term"]),
        zip(names, *values, derivation.terms, strict=True),
    )
