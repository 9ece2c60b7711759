"""A worksheet or its key as a file, from a link and without a browser.

``python -m explainer.worksheet LINK out.html`` gives the same file as the page's own button. It
draws that page once in this process, as ``explainer.picture`` does.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from explainer import picture
from explainer.content import load_texts
from explainer.picture import HOME, PATIENCE, CommandError

TEXTS = load_texts("worksheet")["command"]
VIEW = "worksheet"
PAPERS = ("a4", "letter")  # as in explainer/views/worksheet/sheet.py, which needs the whole app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code.

    Args:
        arguments: those of this process if None.
    """
    return picture.exit_code(write, parser().parse_args(arguments))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m explainer.worksheet", description=TEXTS["help"])
    made.add_argument("link", metavar="LINK", help=TEXTS["link"])
    made.add_argument("file", metavar="FILE", help=TEXTS["file"])
    made.add_argument("--key", action="store_true", help=TEXTS["key"])
    made.add_argument("--paper", choices=PAPERS, default=PAPERS[0], help=TEXTS["paper"])
    made.add_argument("--force", action="store_true", help=TEXTS["force"])
    return made


def write(asked: argparse.Namespace) -> None:
    """Write the file.

    Raises:
        CommandError: it cannot be done.
    """
    file = Path(asked.file)
    if file.exists() and not asked.force:
        raise CommandError(picture.TEXTS["exists"].format(file=file))
    with picture.quiet():
        content = file_of_link(asked.link, asked.key, asked.paper)
    picture.write_new(file, content.encode(), asked.force)


def file_of_link(link: str, is_key: bool, paper: str) -> str:
    """Draw the page about what a link shows, and return the file that it previews.

    Raises:
        CommandError: the page cannot be drawn as the link asks for.
    """
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    from explainer.shell import routes, saved
    from explainer.shell.refused_links import sentence
    from explainer.state import session, sight

    view, params, given = picture.read(link)
    home = given.rstrip("/").removesuffix(routes.address(view) if view != "home" else "")
    here = f"{home.rstrip('/')}/{routes.address(VIEW)}" if given else ""
    with picture.whole_pages(sight, saved, here):
        app = AppTest.from_file(HOME, default_timeout=PATIENCE)
        for name, value in params.items():
            app.query_params[name] = value
        # AppTest's own way to another page knows pages by their file, and these are functions
        app._page_hash = calc_hash(routes.address(VIEW))
        app.session_state["worksheet-shown"] = "key" if is_key else "sheet"
        app.session_state["worksheet-paper"] = paper
        app.run()
        picture.check(app, session, sentence)
    sent = (element.proto for element in app.get("bidi_component"))
    shown = next(one for one in sent if one.component_name.endswith(".paper"))
    return str(json.loads(shown.json)["html"])


if __name__ == "__main__":
    sys.exit(main())
