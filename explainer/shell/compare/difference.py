"""The third view of a comparison: B − A of what both halves of a part have drawn."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.components.matrices import matrices
from explainer.components.token_picker import token_picker
from explainer.content import load_texts
from explainer.content.numbers import written
from explainer.content.strangers_words import joined, plain_format
from explainer.figures.difference import (
    Apart,
    OverImage,
    apart,
    apart_over_image,
    largest_change,
    subtracted,
    subtracted_chart,
    subtracted_over_image,
)
from explainer.figures.drawn import Drawn
from explainer.figures.matrix import Matrix
from explainer.shell.fold import fold
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.choice import Choice, read_saved
from explainer.state.place import Place

OF_MODEL = {"dimension", "unit", "head", "number"}  # axes that each model fills by itself


def show_difference(
    pictures_a: Sequence[Drawn], pictures_b: Sequence[Drawn], place: Place, part: str = ""
) -> None:
    """Offer B − A of each picture that both halves have; computed while somebody has it open.

    Args:
        pictures_a, pictures_b: what a part has drawn in each half.
        place: of one half; with the prefix of its keys the difference stands on the page once.
        part: of the page, where several have a difference.
    """
    others = {picture.name: picture for picture in pictures_b if picture.numbers}
    pairs = [(a, others[a.name]) for a in pictures_a if a.numbers and a.name in others]
    if not pairs:
        return
    texts = load_texts("halves")["difference"]
    with fold(place, f"difference-{part or pairs[0][0].name}", texts["label"]) as is_open:
        if is_open:
            made = [(a, a.numbers(), b.numbers()) for a, b in pairs if a.numbers and b.numbers]
            if any(has_colours(ours, theirs) for _, ours, theirs in made):
                note(texts["text"])
            for a, ours, theirs in made:
                show_pair(a, ours, theirs, place, texts)


def has_colours(ours: Any, theirs: Any) -> bool:
    """Whether there is a number that differs, and that is drawn as a colour."""
    if isinstance(ours, OverImage) and isinstance(theirs, OverImage):
        return not apart_over_image(ours, theirs) and differs(subtracted_over_image(ours, theirs))
    if isinstance(ours, go.Figure | OverImage) or isinstance(theirs, go.Figure | OverImage):
        return False
    others = {item.name: item for item in theirs}
    pairs = [(item, others[item.name]) for item in ours if item.name in others]
    return any(not apart(a, b) and largest_change(subtracted(a, b, "")) for a, b in pairs)


def differs(difference: OverImage) -> bool:
    return bool(np.any(difference.values))


def show_pair(a: Drawn, ours: Any, theirs: Any, place: Place, texts: Mapping[str, str]) -> None:
    """Show the difference of one picture.

    Args:
        ours, theirs: its numbers in both halves, as ``Drawn.numbers`` returns them.
    """
    if type(ours) is not type(theirs):
        st.markdown(f"- {texts['unlike']}")
    elif isinstance(ours, go.Figure):
        show_chart(a, ours, theirs, place, texts)
    elif isinstance(ours, OverImage):
        show_over_image(a, ours, theirs, place, texts)
    else:
        show_matrices(a, ours, theirs, place, texts)


def show_over_image(
    drawn: Drawn, a: OverImage, b: OverImage, place: Place, texts: Mapping[str, str]
) -> None:
    """Show B − A of a number of each token over the image of the first half."""
    title = joined(drawn.title or texts["over_image"])
    if reason := apart_over_image(a, b):
        line = reason_words(reason, texts).format(titles=title, a=reason.a, b=reason.b)
        st.markdown(f"- {line}")
        return
    found = subtracted_over_image(a, b)
    if not differs(found):
        st.markdown(f"- {texts['equal'].format(title=title)}")
        return
    st.markdown(f"**{texts['title'].format(title=title)}**")
    token_picker(
        key=place.key(f"difference-{drawn.name}"),
        group=place.prefix,
        image=found.image,
        grid=found.grid,
        prefix_names=found.prefix_names,
        values=found.values,
        scale="diverging",
        colour=found.colour,
        query=found.query,
        on_choose=lambda clicked: session.set_query(
            clicked["query"] + place.config.num_prefix_tokens - len(found.prefix_names)
        ),
    )


def show_matrices(
    picture: Drawn,
    a: Sequence[Matrix],
    b: Sequence[Matrix],
    place: Place,
    texts: Mapping[str, str],
) -> None:
    """Show B − A of matrices that both halves have, and say where it is largest."""
    others = {item.name: item for item in b}
    pairs = [(item, others[item.name]) for item in a if item.name in others]
    if not pairs:
        st.markdown(f"- {texts['unlike']}")
        return
    drawn = [
        subtracted(one, other, plain_format(texts["title"], title=joined(one.title)))
        for one, other in pairs
        if not apart(one, other)
    ]
    drawn = [item for item in drawn if largest_change(item)]  # of the others a sentence is enough
    if drawn:
        if are_apart(place) and any(is_of_model(item) for item in drawn):
            note(texts["apart"])
        matrices(
            key=place.key(f"difference-{picture.name}"),
            group=place.key(picture.group),
            items=drawn,
            on_choose=session.set_cell,
            prefix=place.config.num_prefix_tokens,
            is_strip=bool(picture.how.get("is_strip")),
        )
    st.markdown("\n".join(f"- {line}" for line in lines(pairs, texts)))


def are_apart(place: Place) -> bool:
    """Whether the models of both halves got their weights apart from each other."""
    if place.other is None or place.beside is None or place.beside.other is None:
        return False
    first, second = (origin_of(choice) for choice in (place.other, place.beside.other))
    return first != second


def origin_of(choice: Choice) -> Hashable:
    """Return what the weights come from; the epochs of a run have one origin."""
    saved = read_saved(choice.source)
    return saved[0] if saved else (choice.source, choice.config, choice.seed)


def is_of_model(item: Matrix) -> bool:
    """Whether rows or columns of a matrix are what a model has given a meaning of its own."""
    return bool({item.row_axis, item.column_axis} & OF_MODEL)


def lines(pairs: Sequence[tuple[Matrix, Matrix]], texts: Mapping[str, str]) -> Iterator[str]:
    """Say of each matrix what changes most, or why it cannot be subtracted."""
    unlike: dict[tuple[int | str, int | str], tuple[Apart, list[str]]] = {}
    for a, b in pairs:
        title = joined(a.title)
        if reason := apart(a, b):
            _, titles = unlike.setdefault((reason.a, reason.b), (reason, []))
            titles.append(title)
            continue
        line = change_words(subtracted(a, b, ""), title, texts)
        other = texts["other_title"].format(title=joined(b.title))
        yield line if a.title == b.title else f"{line} {other}"
    for reason, titles in unlike.values():
        names = ", ".join(f"{title}" for title in titles)
        a_name, b_name = (joined(str(one)) for one in (reason.a, reason.b))
        yield reason_words(reason, texts).format(titles=names, a=a_name, b=b_name)


def change_words(difference: Matrix, title: str, texts: Mapping[str, str]) -> str:
    """Say what changes most, and where it stands."""
    change = largest_change(difference)
    if change is None:
        return texts["equal"].format(title=title)
    names = [joined(name) for name in (change.row, change.column) if name]
    value = f"{'+' if change.value > 0 else ''}{written(change.value)}"
    if difference.values.size == 1 or not names:
        return texts["largest_one"].format(title=title, value=value)
    where = names[0] if len(names) == 1 else texts["place"].format(row=names[0], column=names[1])
    return texts["largest"].format(title=title, value=value, place=where)


def reason_words(reason: Apart, texts: Mapping[str, str]) -> str:
    """Return the sentence for matrices that cannot be subtracted, with the axis filled in."""
    if reason.kind == "names":
        return texts["names"]
    axes = load_texts("matrices")["axes"]
    axis = axes.get(reason.axis, texts["rows" if reason.is_row else "columns"])
    return texts["sizes"].replace("{axis}", axis)


def show_chart(
    drawn: Drawn, a: go.Figure, b: go.Figure, place: Place, texts: Mapping[str, str]
) -> None:
    title = joined(drawn.title or texts["chart"])
    chart = subtracted_chart(a, b, texts["axis"])
    if chart is None:
        st.markdown(f"- {texts['charts'].format(title=title)}")
        return
    st.markdown(f"**{texts['title'].format(title=title)}**")
    values = [number for trace in chart.data for number in numbers_of(trace)]
    st.plotly_chart(
        chart,
        theme=None,
        key=place.key(f"difference-{drawn.name}"),
        config={"displayModeBar": "hover", "displaylogo": False},
        alt=plain_format(
            texts["chart_alt"],
            title=title,
            least=written(min(values)),
            largest=written(max(values)),
        ),
    )


def numbers_of(trace: Any) -> list[float]:
    numbers = trace.x if trace.type == "bar" and trace.orientation == "h" else trace.y
    return [float(number) for number in numbers if np.isfinite(number)] or [0.0]
