"""A picture of the app as a file, from a link and without a browser.

``python -m explainer.picture LINK out.svg`` gives the same file as the page's own button. It draws
the page once in this process, as ``streamlit.testing`` does.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from explainer.content import load_texts
from vit_core.errors import VitError

TEXTS = load_texts("pictures")["command"]
FILM_SUFFIXES = (".gif", ".webp")
SUFFIXES = (".png", ".svg", *FILM_SUFFIXES)
HOME = Path(__file__).with_name("Home.py")
FILM = "film"  # the name of a page's film among its pictures
PATIENCE = 600  # seconds that a page may take
MOST_ROUNDS = 6  # of opening folds, which may have folds in them


class CommandError(VitError):
    """A sentence for whoever asked."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code.

    Args:
        arguments: those of this process if None.
    """
    return exit_code(run, parser().parse_args(arguments))


def exit_code(do: Callable[[argparse.Namespace], None], asked: argparse.Namespace) -> int:
    """Do what was asked, or say in a sentence why it cannot be done."""
    try:
        do(asked)
    except CommandError as refused:
        print(" ".join(str(refused).split()), file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m explainer.picture", description=TEXTS["help"])
    made.add_argument("link", metavar="LINK", help=TEXTS["link"])
    made.add_argument("file", metavar="FILE", nargs="?", help=TEXTS["file"])
    made.add_argument("--figure", default="", help=TEXTS["figure"])
    made.add_argument("--list", action="store_true", help=TEXTS["list"])
    made.add_argument("--force", action="store_true", help=TEXTS["force"])
    return made


def run(asked: argparse.Namespace) -> None:
    """Do what was asked.

    Raises:
        CommandError: it cannot be done.
    """
    file = None if asked.list else file_of(asked)
    view, params, page = read(asked.link)
    figure = asked.figure or params.get("figure", "")
    is_film = file is not None and file.suffix.lower() in FILM_SUFFIXES
    if is_film:
        figure = FILM
    with quiet():
        pictures = pictures_of(view, params, page, "" if asked.list else figure, asked.list)
    if asked.list:
        for name, picture in pictures.items():
            print(f"{name}  {picture.about.title}")
        return
    if is_film and FILM not in pictures:
        raise CommandError(TEXTS["no_film"])
    if not is_film:  # a film is no picture for paper
        pictures.pop(FILM, None)
    if not pictures:
        raise CommandError(TEXTS["none"])
    if figure and figure not in pictures:
        known = ", ".join(pictures)
        raise CommandError(TEXTS["no_figure"].format(figure=short(figure), known=known))
    picture = pictures[figure or next(iter(pictures))]
    assert file is not None
    write_new(file, picture.make(file.suffix[1:].lower()), asked.force)


def write_new(file: Path, content: bytes, replaces: bool) -> None:
    """Write a file.

    Raises:
        CommandError: it is there already and ``replaces`` is false, or it cannot be written.
    """
    try:
        with file.open("wb" if replaces else "xb") as target:
            target.write(content)
    except FileExistsError:
        raise CommandError(TEXTS["exists"].format(file=file)) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CommandError(TEXTS["unwritable"].format(file=file, why=why)) from None


def file_of(asked: argparse.Namespace) -> Path:
    """Return the file to write, before anything is computed for it.

    Raises:
        CommandError: there is none, it is there already, or no picture has such a name.
    """
    if not asked.file:
        raise CommandError(TEXTS["no_file"])
    file = Path(asked.file)
    if file.suffix.lower() not in SUFFIXES:
        text = TEXTS["suffix"] if file.suffix else TEXTS["no_suffix"]
        raise CommandError(text.format(suffix=file.suffix))
    if file.exists() and not asked.force:
        raise CommandError(TEXTS["exists"].format(file=file))
    if not file.parent.is_dir() or file.is_dir():
        why = os.strerror(21 if file.is_dir() else 2)
        raise CommandError(TEXTS["unwritable"].format(file=file, why=why))
    return file


def read(link: str) -> tuple[str, dict[str, str], str]:
    """Return the view of a link, its parameters, and the address of its page.

    Args:
        link: of any host, or only its end.

    Raises:
        CommandError: it leads to no page, or asks for something that no page has.
    """
    from explainer.shell import routes
    from explainer.shell.refused_links import sentence
    from explainer.shell.saved import LOCAL
    from explainer.state.link import read_link

    try:
        parts = urlsplit(link)
        host, name = parts.hostname, parts.path.rstrip("/").rpartition("/")[2]
        params = dict(parse_qsl(parts.query, keep_blank_values=True, errors="strict"))
    except ValueError:
        raise CommandError(TEXTS["no_page"].format(link=short(link))) from None
    views = {routes.address(view): view for view in routes.VIEWS}
    is_root = not name or (bool(host) and name not in views)
    view = "home" if is_root else views.get(name, "")
    if not view or (is_root and not host and parts.path not in ("", "/")):
        raise CommandError(TEXTS["no_page"].format(link=short(link)))
    if refused := read_link(params)[1]:
        raise CommandError(TEXTS["refused"].format(why=sentence(refused[0])))
    given = "" if host in (None, *LOCAL) else f"{parts.scheme}://{parts.netloc}{parts.path}"
    return view, params, given


def pictures_of(
    view: str, params: dict[str, str], page: str, figure: str, is_all: bool
) -> dict[str, Any]:
    """Draw a page, and return its pictures by their names.

    Args:
        page: the address of the page; empty where it has none.
        figure: the one that is looked for; folds are opened until it is there.
        is_all: whether all folds are opened.

    Raises:
        CommandError: the page cannot be drawn as the link asks for.
    """
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    from explainer.shell import film_files, more, routes, saved
    from explainer.shell.fold import FOLDS_KEY
    from explainer.shell.refused_links import sentence
    from explainer.state import session, sight

    found: dict[str, Any] = {}
    with whole_pages(sight, saved, page):
        app = AppTest.from_file(HOME, default_timeout=PATIENCE)
        for name, value in params.items():
            app.query_params[name] = value
        # AppTest's own way to another page knows pages by their file, and these are functions
        app._page_hash = calc_hash("" if view == "home" else routes.address(view))
        more.listeners.append(lambda ones: found.update({one.name: one for one in ones}))
        film_files.listeners.append(lambda film: found.setdefault(FILM, film))
        try:
            for _ in range(MOST_ROUNDS):
                app.run()
                check(app, session, sentence)
                folds = kept(app, FOLDS_KEY, {})
                closed = [key for key, is_open in folds.get(view, {}).items() if not is_open]
                is_there = figure in found if figure else bool(found.keys() - {FILM})
                if not closed or (is_there and not is_all):
                    break
                for key in closed:
                    app.session_state[key] = True
        finally:
            more.listeners.clear()
            film_files.listeners.clear()
    return found


def kept(app: Any, key: str, usual: Any) -> Any:
    """Return what a session keeps; its state here has no ``get`` of its own."""
    return app.session_state[key] if key in app.session_state else usual  # noqa: SIM401


def check(app: Any, session: Any, sentence: Any) -> None:
    """See that a page was drawn as its link asked for.

    Raises:
        CommandError: it was not.
    """
    if app.exception:
        raise CommandError(TEXTS["failed"].format(why=short(app.exception[0].message)))
    key = session.REFUSED_KEY
    refused = kept(app, key, [])
    if refused:
        why = refused[0] if isinstance(refused[0], str) else sentence(refused[0])
        raise CommandError(TEXTS["refused"].format(why=why))


@contextmanager
def whole_pages(sight: Any, saved: Any, page: str) -> Iterator[None]:
    """Have all parts of pages drawn, and links that begin with the address of this one."""
    before = sight.DRAWS_ALL, saved.given_address
    sight.DRAWS_ALL, saved.given_address = True, page or None
    try:
        yield
    finally:
        sight.DRAWS_ALL, saved.given_address = before


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what Streamlit logs without a server to itself."""
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


def short(text: str, most: int = 200) -> str:
    """Return a stranger's text in one short line of visible characters."""
    visible = "".join(letter if letter.isprintable() else "�" for letter in text)
    return visible if len(visible) <= most else visible[:most] + "…"


if __name__ == "__main__":
    sys.exit(main())
