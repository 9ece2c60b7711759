"""``vit-explainer``, or ``python -m explainer``: the app with its own settings, from any folder."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explainer.content import load_texts

HOME = Path(__file__).with_name("Home.py")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the app until it is interrupted.

    Streamlit reads the settings in ``.streamlit/config.toml`` beside ``Home.py``, whatever the
    working directory is; an option on the command line comes before them.

    Args:
        arguments: options of ``streamlit run``; those of this process if None.

    Raises:
        SystemExit: always, with the exit code, or with a sentence where a package is missing.
    """
    texts = load_texts("command")
    try:
        import click
        from streamlit.web.cli import main_run
    except ModuleNotFoundError as error:
        missing = (error.name or "streamlit").partition(".")[0]
        sys.exit(texts["missing"].format(name=missing))

    def show_version(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
        if is_asked and not context.resilient_parsing:
            from vit_core import __version__  # takes seconds, so not before it is asked for

            click.echo(f"vit-explainer {__version__}")
            context.exit()

    def serve(**options: Any) -> None:
        assert main_run.callback is not None
        main_run.callback(target=str(HOME), args=(), **options)

    version = click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show_version,
        help=texts["version"],
    )
    options = [option for option in main_run.params if isinstance(option, click.Option)]
    command = click.Command(
        "vit-explainer", callback=serve, params=[version, *options], help=texts["help"]
    )
    command.main(None if arguments is None else list(arguments), prog_name=command.name)


if __name__ == "__main__":
    main()
