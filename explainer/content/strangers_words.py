r"""Words that strangers wrote: names of classes, titles of runs, names of files and models, errors.

Each is data and never markup: whoever called a class ``[x](http://e)`` sees these very letters. A
word of a stranger enters the app as a ``StrangersWord``, made by ``strangers_word``:

- class names in ``explainer.observation.observe`` (``Observation.class_names``),
- titles and sentences of runs in ``explainer.training.run`` (``Run.title``, ``Run.message``),
- names of models that others trained in ``explainer.inputs.models.pretrained`` (``Offer``),
- what a link, a file or an error says, where it is said.

From there on it takes care of itself in Markdown, which is what nearly all texts of Streamlit are:
put into a text with ``.format`` or an f-string it is escaped. Every other language has one
function: ``in_html`` (or ``html.escape``), ``in_latex``, ``in_csv``, and ``in_plotly`` among the
figures. A text that is no markup, or is escaped as a whole later on, takes a stranger's words with
``plain_format``.

Two things to know: ``str.join``, ``+`` and ``%`` know nothing of this and give the bare letters;
and a text into which a word was put is Markdown for good, so it never goes into HTML.
"""

import html
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 160  # characters of a name: the longest that the pages take, and longer than ImageNet's
LONGEST_SENTENCE = 400
# An empty coloured span: nothing to see. Streamlit makes links, icons and arrows of finished texts,
# where a backslash is long gone; only another element in between keeps the letters apart.
GAP = ":gray[]"
MARKDOWN = re.compile(
    r"(?P<apart>www(?=\.|$)|:(?=[\w+/-])|@|[<>~-](?=[->=]))"
    r"|(?P<number>^\d+(?=[.)]))"
    r"|(?P<sign>[\\`*_\[\]{}<>&$~|#:^]|(?<=\])\(|^[-+=])",
    re.IGNORECASE,
)
LATEX = {
    **{sign: rf"\{sign}" for sign in "&%#_{}"},
    "\\": r"\textbackslash{}",
    "$": r"\textdollar{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "`": r"\`{}",
    ":": ":{}",  # Streamlit looks for icons in formulas, too
}
LIGATURE = re.compile("(?<=-)(?=-)|(?<=')(?=')")  # two of them would become one sign
FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
JOINERS = "\u200c\u200d"  # within words of some scripts, and within emoji


class StrangersWord(str):
    """A stranger's word in letters that can be seen; in a text of Markdown it is escaped."""

    __slots__ = ()

    def __format__(self, form: str) -> str:
        return format(in_markdown(self), form)


def strangers_word(text: object, longest: int = LONGEST) -> StrangersWord:
    """Return what somebody wrote as a word for the pages: on one line, bounded, all of it visible.

    Args:
        longest: characters; of what is longer the rest is "…".
    """
    written = str(text).strip()
    if not written.isprintable():
        written = "".join(visible(written, at) for at in range(len(written)))
    written = written.strip()
    if len(written) > longest:
        written = written[: longest - 1].rstrip() + "…"
    return StrangersWord(written)


def visible(text: str, at: int) -> str:
    """Return a character as it can be seen: control characters as their pictures, others as �."""
    sign = text[at]
    if sign.isprintable():
        return sign
    if sign < " ":
        return chr(0x2400 + ord(sign))
    if sign == "\x7f":
        return "␡"
    if unicodedata.category(sign) == "Zs":
        return " "
    beside = text[at - 1 : at] + text[at + 1 : at + 2]
    is_joiner = sign in JOINERS and len(beside) == 2 and min(beside) > "\x7f" and at > 0
    return sign if is_joiner and beside.isprintable() else "�"


def distinct(words: Iterable[str], nameless: str = "–") -> tuple[StrangersWord, ...]:
    """Return names of classes for the pages; names that were shortened stay apart.

    Args:
        nameless: what stands for a name that has no letters.
    """
    names = []
    seen: dict[str, list[str]] = {}
    for raw in words:
        name = strangers_word(raw) or StrangersWord(nameless)
        others = seen.setdefault(name, [])
        if raw not in others:
            others.append(raw)
        number = others.index(raw)
        names.append(joined(name, f" ({number + 1})") if number else name)
    return tuple(names)


def joined(*parts: str) -> StrangersWord:
    """Return a stranger's words with some of ours before or behind them, as a stranger's word."""
    return StrangersWord("".join(parts))


def in_markdown(text: str) -> str:
    """Escape a stranger's words for Streamlit's Markdown, in which they mean themselves alone."""
    return MARKDOWN.sub(markdown_sign, str(text))


def markdown_sign(match: re.Match[str]) -> str:
    if match["number"]:  # the dot behind it would begin a list
        return match["number"] + "\\"
    found = match[0]
    escaped = found if found.isalpha() else f"\\{found}"
    return escaped + GAP if match["apart"] else escaped


def without_escapes(markdown: str) -> str:
    """Return a text of Markdown with strangers' words in it as their letters, to be no markup."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown.replace(GAP, ""))


def in_html(text: object) -> str:
    """Escape a stranger's words for HTML, between tags and in attributes."""
    return html.escape(str(text))


def in_latex(text: str) -> str:
    """Escape a stranger's words for KaTeX, inside ``\\text{}``."""
    escaped = "".join(LATEX.get(sign, sign) for sign in str(text))
    return LIGATURE.sub("{}", escaped)


def in_csv(text: str) -> str:
    """Return a text for a cell of CSV; one that a spreadsheet would run gets a ``'`` before it."""
    bare = str(text).replace("\r\n", "\n").replace("\r", "\n")
    return f"'{bare}" if bare.startswith(FORMULA) else bare


def plain_format(template: str, /, **facts: object) -> str:
    """Fill a text that is no markup, or is escaped as a whole later, with the bare letters."""
    bare = {
        name: str(fact) if isinstance(fact, StrangersWord) else fact for name, fact in facts.items()
    }
    return template.format(**bare)
