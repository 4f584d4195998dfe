"""Start, and every way to end: what went wrong goes to stderr, and its kind into the exit code."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from modelport.cli import (
    accounts,
    drift,
    exit_codes,
    history,
    installed_commands,
    jobs,
    keys,
    models,
    serving,
    usage,
)
from modelport.cli.output import print_line
from modelport.errors import ModelportError


def _show_version(wanted: bool) -> None:
    if wanted:
        print_line(f"modelport {version('modelport')}")
        raise typer.Exit


def build_app() -> typer.Typer:
    app = typer.Typer(
        name="modelport",
        help="From a model file to a secured endpoint.",
        epilog=exit_codes.HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_common)
    installed_commands.add_to(app)
    accounts.add_to(app)
    models.add_to(app)
    serving.add_to(app)
    usage.add_to(app)
    history.add_to(app)
    drift.add_to(app)
    jobs.add_to(app)
    app.add_typer(keys.app, name="keys")
    return app


def _common(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


def main() -> None:
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say; gives the exit code."""
    try:
        build_app()(list(arguments), prog_name="modelport")
    except ModelportError as error:
        _show(error)
        return exit_codes.of(error)
    except KeyboardInterrupt:
        # Typer turns one that it sees into this code itself; this is one during start or exit.
        return exit_codes.INTERRUPTED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else exit_codes.OK
    return exit_codes.OK


def _show(error: ModelportError) -> None:
    headline, _, rest = str(error).partition("\n")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[bold red]Error:[/] {escape(headline)}")
    if rest:
        console.print(rest, markup=False)
