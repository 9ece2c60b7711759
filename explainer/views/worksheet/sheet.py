"""A worksheet, or its key, as one HTML file for printing that needs nothing beside itself.

The key is the same pages with the answers in place.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import segno

import explainer
from explainer.content import load_texts
from explainer.content.numbers import percent, written
from explainer.observation import naming
from explainer.observation.observe import Observation
from explainer.shell.share import qr_code
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.worksheet import tasks
from explainer.views.worksheet.pictures import grid_picture, is_reversed, plain_picture
from explainer.views.worksheet.tasks import Cut

HERE = Path(__file__).parent
FONT = Path(explainer.__file__).parent / "static/fonts"
FONT /= "atkinson-hyperlegible-next-latin-wght-normal.woff2"
PAPERS = {"a4": "A4", "letter": "letter"}  # name → as CSS calls the size
TEXTS = load_texts("worksheet")
LETTERS = "ABC"
# width and height of pictures, in millimetres
NUMBERED, LOOKED_AT, SMALL, PLAIN = (74.0, 74.0), (92.0, 92.0), (34.0, 34.0), (24.0, 24.0)
LONGEST_LINK = 220  # characters that anybody would type


class Html(str):
    """HTML, which is not escaped again."""

    __slots__ = ()


@dataclass(frozen=True)
class Sheet:
    """Of what a worksheet is made.

    Attributes:
        link: to the page about attention that shows the same model, picture and patch; empty where
            it is not known.
        paper: one of ``PAPERS``.
        is_key: whether the answers stand in their places.
    """

    choice: Choice
    seen: Observation
    place: Place
    link: str = ""
    paper: str = "a4"
    is_key: bool = False

    @property
    def query(self) -> int:
        return self.place.patch(self.seen.telling_patch)

    def blank(self, answer: object, width: float = 3.5) -> Html:
        """Return room for an answer, or the answer in it.

        Args:
            width: at least, in widths of a letter.
        """
        hidden = f'<span class="unseen">{escape(TEXTS["blank"])}</span>&nbsp;'
        shown = f"<b>{as_html(answer)}</b>" if self.is_key else hidden
        return Html(f'<span class="blank" style="min-width: {width:g}em">{shown}</span>')

    def note(self, *sentences: str) -> Html:
        """Return what the key alone says."""
        if not self.is_key:
            return Html("")
        lines = "".join(f"<p>{sentence}</p>" for sentence in sentences if sentence)
        return Html(f'<div class="note">{lines}</div>')


def worksheet(sheet: Sheet) -> str:
    """Return the whole file."""
    title = TEXTS["key_title" if sheet.is_key else "title"]
    sections = [part for make in TASKS if (part := make(sheet))]
    parts = [
        f'<section><h2><span class="number">{number}</span> {part}</section>'
        for number, part in enumerate(sections, 1)
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{style(sheet.paper)}</style></head>"
        f'<body class="{"key" if sheet.is_key else "tasks"}">{head(sheet)}'
        f"<main>{''.join(parts)}</main></body></html>\n"
    )


@cache
def style(paper: str) -> str:
    font = base64.b64encode(FONT.read_bytes()).decode()
    css = (HERE / "sheet.css").read_text(encoding="utf-8")
    return (
        f"@font-face{{font-family:Sheet;font-weight:200 800;"
        f"src:url(data:font/woff2;base64,{font})}}"
        f"@page{{size:{PAPERS[paper]};@bottom-left{{content:'{TEXTS['made']}'}}}}{css}"
    )


def as_html(value: object) -> str:
    if isinstance(value, Html):
        return str(value)
    if isinstance(value, Decimal):
        value = decimal(value)
    elif isinstance(value, int):
        value = f"{value:,}"
    return escape(str(value))


def fill(text: str, **facts: object) -> Html:
    """Fill a text; both become HTML."""
    return Html(escape(text).format(**{name: as_html(fact) for name, fact in facts.items()}))


def decimal(number: Decimal) -> str:
    """Write all digits of a number, with a true minus sign."""
    return f"{number:f}".replace("-", "−")


def in_brackets(number: Decimal) -> str:
    return f"({decimal(number)})" if number < 0 else decimal(number)


# the head


def head(sheet: Sheet) -> str:
    texts = TEXTS["head"]
    facts: list[tuple[str, str]] = [
        (texts["model"], naming.model_line(sheet.choice)),
        (texts["picture"], naming.picture_line(sheet.choice)),
        (texts["place"], where(sheet)),
    ]
    if sheet.is_key and sheet.seen.has_head:
        facts.append((texts["answer"], answer(sheet.seen)))
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>" for name, value in facts
    )
    title = escape(TEXTS["heading"])
    if sheet.is_key:
        title += f' <span class="is-key">{escape(TEXTS["key"])}</span>'
    names = "".join(
        f'<span>{escape(texts[name])}</span><span class="line {name}"></span>'
        for name in ("name", "class", "date")
    )
    names = "" if sheet.is_key else f'<p class="names">{names}</p>'
    return (
        f"<header><div><h1>{title}</h1>{names}<dl>{rows}</dl>"
        f"{link_line(sheet)}{origin_line(sheet)}</div>{code(sheet)}</header>"
    )


def where(sheet: Sheet) -> str:
    block, head = sheet.place.block + 1, sheet.place.head + 1
    return TEXTS["head"]["where"].format(block=block, head=head, patch=sheet.query + 1)


def answer(seen: Observation) -> str:
    """Return the model's answer, in plain letters."""
    share = percent(float(seen.probabilities[seen.prediction]))
    return f"{seen.class_names[seen.prediction]!s} ({share})"


def link_line(sheet: Sheet) -> str:
    if not sheet.link or len(sheet.link) > LONGEST_LINK:
        return ""
    return f'<p class="link">{escape(sheet.link.partition("://")[2] or sheet.link)}</p>'


def code(sheet: Sheet) -> str:
    """Return the link's QR code; nothing where the link is longer than a code can hold."""
    try:
        drawing = qr_code(sheet.link) if sheet.link else ""
    except segno.DataOverflowError:
        drawing = ""
    if not drawing:
        return ""
    return f'<img class="code" src="{escape(drawing)}" alt="{escape(TEXTS["head"]["code"])}">'


def origin_line(sheet: Sheet) -> str:
    return f'<p class="origin">{escape(naming.licence_line(sheet.choice))}</p>'


# the tasks, each from its title on


def cut(sheet: Sheet) -> str:
    texts, config, pixels = TEXTS["cut"], sheet.seen.config, sheet.seen.pixels
    part = tasks.cut_of(config, sheet.query)
    rows, columns = part.grid
    numbers = {
        (part.top + row) * columns + part.left + column: str(part.number(row, column))
        for row in range(part.rows)
        for column in range(part.columns)
    }
    first = next(iter(numbers))
    kind = "one" if config.num_patches == 1 else "whole" if part.is_whole else "part"
    lines = [paragraph(texts[kind], rows=rows, columns=columns)]
    if is_reversed(pixels):
        lines.append(paragraph(texts["reversed"], kind="small"))
    if not part.is_whole:
        whole = Cut(part.grid, 0, 0, rows, columns)
        lines.append(grid_picture(pixels, config, whole, texts["whole_alt"], SMALL, framed=part))
    elif pixels.ndim == 3:  # few large pixels in pale colours are hard to recognise
        lines.append(plain_picture(pixels, texts["plain_alt"], PLAIN))
    label = texts["alt"].format(rows=part.rows, columns=part.columns)
    picture = grid_picture(
        pixels,
        config,
        part,
        label,
        NUMBERED,
        texts=numbers if sheet.is_key else {first: numbers[first]},
    )
    return title("cut") + beside(picture, "".join(lines))


def count(sheet: Sheet) -> str:
    texts, config = TEXTS["count"], sheet.seen.config
    counts, (rows, columns) = tasks.counts_of(config), config.grid_size
    blank = sheet.blank
    kinds = {1: "values", 3: "values_colour"}
    lines = [
        fill(texts["patches"], rows=rows, columns=columns, answer=blank(counts.patches)),
        fill(
            texts[kinds.get(config.in_channels, "values_channels")],
            height=config.patch_hw[0],
            width=config.patch_hw[1],
            channels=config.in_channels,
            answer=blank(counts.values),
        ),
        fill(
            texts["embedding"],
            width=counts.width,
            values=blank(counts.values),
            answer=blank(counts.embedding, 6),
        ),
        fill(
            texts["tokens" if counts.extra else "tokens_plain"],
            extra=extra_words(sheet),
            patches=blank(counts.patches),
            count=counts.extra,
            answer=blank(counts.tokens),
        ),
        fill(
            texts["attention"],
            tokens=Html(f"{blank(counts.tokens)} × {blank(counts.tokens)}"),
            answer=blank(counts.attention, 6),
        ),
    ]
    items = "".join(f"<li>{line}</li>" for line in lines)
    return title("count") + f'<ol class="lines">{items}</ol>'


def extra_words(sheet: Sheet) -> str:
    """Say which tokens belong to no patch."""
    config, texts = sheet.seen.config, TEXTS["count"]
    words = [texts["class_token"]] * (config.pool == "cls")
    if config.num_registers:
        kind = "register" if config.num_registers == 1 else "registers"
        words.append(texts[kind].format(count=config.num_registers))
    return texts["and"].join(words)


def product(sheet: Sheet) -> str:
    texts = TEXTS["product"]
    task = tasks.product_of(sheet.seen, sheet.place)
    shown = len(task.places)
    kind = "one" if task.count == 1 else "all" if shown == task.count else "some"
    facts = {**place_facts(sheet), "shown": shown, "count": task.count}
    blank = sheet.blank
    rows: list[tuple[str, Sequence[str]]] = [
        (texts["number"], [escape(str(place + 1)) for place in task.places]),
        (texts["query"], [decimal(value) for value in task.left]),
        (texts["key"], [decimal(value) for value in task.right]),
        (texts["products"], [blank(value) for value in task.products]),
    ]
    header, *body = (
        row(name, cells, "th" if name == texts["number"] else "td") for name, cells in rows
    )
    table = f"<table><thead>{header}</thead><tbody>{''.join(body)}</tbody></table>"
    line = fill(texts["sum"], answer=blank(task.sum, 6))
    note = sheet.note(
        fill(texts["worked"], worked=worked(task.products, task.sum)) if shown > 1 else Html(""),
        fill(
            texts["model" if kind == "some" else "model_all"],
            **facts,
            part=written(task.shown),
            total=written(task.total),
        ),
        fill(texts["key_is"], key=patch_words(sheet, task.key)),
    )
    return (
        title("product")
        + paragraph(texts["text"])
        + paragraph(texts[kind], **facts)
        + f'<div class="beside"><div class="work">{table}<p>{line}</p></div>{note}</div>'
    )


def worked(products: Sequence[Decimal], total: Decimal) -> str:
    return f"{' + '.join(map(in_brackets, products))} = {decimal(total)}"


def softmax(sheet: Sheet) -> str:
    texts = TEXTS["softmax"]
    task = tasks.softmax_of(sheet.seen, sheet.place)
    if task is None:
        return ""
    blank, total = sheet.blank, sum(task.shares, Decimal(0))
    columns = zip(LETTERS, task.scores, task.differences, task.powers, task.shares, strict=False)
    body = [
        row(letter, [decimal(score), blank(difference), blank(power), blank(share)])
        for letter, score, difference, power, share in columns
    ]
    body.append(row(texts["sum"], ["", "", blank(task.sum), blank(total)]))
    header = row(
        texts["token"],
        [escape(texts[name]) for name in ("score", "difference", "power", "share")],
        "th",
    )
    work = f"<table><thead>{header}</thead><tbody>{''.join(body)}</tbody></table>"
    steps = "".join(f"<li>{escape(step)}</li>" for step in texts["steps"])
    facts = {**place_facts(sheet), "count": len(task.patches)}
    note = sheet.note(
        *(
            fill(
                texts["shares"],
                letter=letter,
                patch=patch_words(sheet, patch),
                exact=percent(exact),
                weight=percent(weight),
                count=len(task.patches),
                tokens=sheet.seen.config.num_tokens,
            )
            for letter, patch, exact, weight in zip(
                LETTERS, task.patches, task.exact, task.weights, strict=False
            )
        ),
        *([] if total == 1 else [fill(texts["not_one"], total=total)]),
    )
    return (
        title("softmax")
        + paragraph(texts["text"], **facts)
        + f'<ol class="steps">{steps}</ol><div class="beside tables">{work}{power_table()}</div>'
        + note
    )


def power_table() -> str:
    """Return the table of the powers of e, from which the shares are worked out."""
    texts = TEXTS["softmax"]
    head = row(texts["table_corner"], [f".{tenth}" for tenth in range(10)], "th")
    body = "".join(
        row(f"−{-whole:f}", [decimal(power) for power in powers])
        for whole, powers in tasks.table_of_e()
    )
    caption = f"<caption>{escape(texts['table'])}</caption>"
    return f'<table class="powers">{caption}<thead>{head}</thead><tbody>{body}</tbody></table>'


def looks(sheet: Sheet) -> str:
    texts, config = TEXTS["looks"], sheet.seen.config
    task = tasks.looks_of(sheet.seen, sheet.place)
    if task is None:
        return ""
    rows, columns = config.grid_size
    guesses = "".join(
        f"<li>{fill(texts['guess'], answer=sheet.blank(patch_words(sheet, patch), 10))}"
        f"{fill(texts['weight'], weight=percent(weight)) if sheet.is_key else ''}</li>"
        for patch, weight in zip(task.patches, task.weights, strict=True)
    )
    sentences = []
    if percent(task.weights[-1]) == percent(task.following):
        sentences.append(escape(texts["tie"]))
    if config.num_prefix_tokens:
        sentences.append(fill(texts["elsewhere"], share=percent(task.elsewhere)))
    sentences.append(escape(texts["why"]))
    picture = grid_picture(
        sheet.seen.pixels,
        config,
        Cut(config.grid_size, 0, 0, rows, columns),
        texts["alt"].format(patch=task.query + 1),
        LOOKED_AT,
        texts={patch: str(rank) for rank, patch in enumerate(task.patches, 1)}
        if sheet.is_key
        else None,
        marked=task.query,
    )
    words = (
        paragraph(texts["text"], **place_facts(sheet), count=len(task.patches))
        + f'<ol class="lines">{guesses}</ol>'
        + sheet.note(*sentences)
    )
    return title("looks") + beside(picture, words)


# pieces


def place_facts(sheet: Sheet) -> dict[str, Any]:
    return {
        "block": sheet.place.block + 1,
        "head": sheet.place.head + 1,
        "patch": patch_words(sheet, sheet.query),
    }


def patch_words(sheet: Sheet, patch: int) -> str:
    """Name a patch by its number, and by its row and column as the pages do."""
    row, column = divmod(patch, sheet.seen.config.grid_size[1])
    return TEXTS["patch"].format(number=patch + 1, row=row + 1, column=column + 1)


def title(name: str) -> str:
    """Return the title of a task and the end of its element."""
    return f"{escape(TEXTS[name]['title'])}</h2>"


def paragraph(text: str, kind: str = "", **facts: object) -> str:
    return f"<p{f' class={kind}' if kind else ''}>{fill(text, **facts)}</p>"


def beside(picture: str, words: str) -> str:
    return f'<div class="beside">{picture}<div>{words}</div></div>'


def row(name: str, cells: Sequence[str], element: str = "td") -> str:
    """Return a row of a table: its name, and cells of HTML."""
    inner = "".join(f"<{element}>{cell}</{element}>" for cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{inner}</tr>'


TASKS: tuple[Callable[[Sheet], str], ...] = (cut, count, product, softmax, looks)
