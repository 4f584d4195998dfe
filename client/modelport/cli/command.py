"""Start, and every way to end: commands that other parts bring, and exit codes that scripts can rely on."""

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated

import typer

from modelport.cli import (
    accounts,
    alerts,
    ensembles,
    experiments,
    failures,
    feedback,
    files,
    jobs,
    logs,
    models,
    monitoring,
    rollouts,
    serving,
    settings,
)
from modelport.cli.output import note, print_line
from modelport.errors import (
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    JobFailed,
    ModelFailed,
    ModelportError,
    NotFound,
    NotReadyInTime,
    RateLimited,
    SignatureChanged,
    Unauthorized,
    Unavailable,
)

OK = 0
FAILURE = 1
USAGE = 2
NOT_AUTHENTICATED = 3
NOT_FOUND = 4
INVALID = 5
UNAVAILABLE = 6
MODEL_FAILED = 7
HELD = 8
INTERRUPTED = 130

HELP = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not logged in or not allowed, 4 not found, "
    "5 refused as invalid, 6 limit used up or not available, 7 model or job failed, 8 no traffic moved since "
    "the new version lacks what callers depend on, 130 interrupted."
)

_BY_ERROR: dict[type[ModelportError], int] = {
    Unauthorized: NOT_AUTHENTICATED,
    Forbidden: NOT_AUTHENTICATED,
    NotFound: NOT_FOUND,
    InvalidRequest: INVALID,
    Conflict: INVALID,
    RateLimited: UNAVAILABLE,
    Unavailable: UNAVAILABLE,
    ConnectionFailed: UNAVAILABLE,
    ModelFailed: MODEL_FAILED,
    JobFailed: MODEL_FAILED,
    NotReadyInTime: MODEL_FAILED,
    SignatureChanged: HELD,
}


def of(error: ModelportError) -> int:
    """Return the exit code that stands for the error."""
    return _BY_ERROR.get(type(error), FAILURE)


GROUP = "modelport.commands"
_HELP = {
    "doctor": "Say what the platform would do with a model file, before an upload (FILE, --json …).",
    "environments": "What models run in on this machine: list, prepare, prune.",
    "up": "Start the platform on this machine.",
}
_AS_GIVEN = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}


def add_to(app: typer.Typer) -> None:
    """Register a command for each entry point of the group, which is imported only when the command runs.

    Those of the platform are registered even if no installed package has them: they then report what to
    install, and exit with 1.
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name in sorted({*found, *_HELP}):
        _add(app, name, found.get(name))


def _add(app: typer.Typer, name: str, entry: EntryPoint | None) -> None:
    @app.command(name, help=_HELP.get(name), context_settings=_AS_GIVEN, add_help_option=False)
    def command(context: typer.Context) -> None:
        raise typer.Exit(_run(name, entry, context.args))


def _run(name: str, entry: EntryPoint | None, arguments: list[str]) -> int:
    try:
        if entry is None:
            raise ModuleNotFoundError(f"no installed package brings `modelport {name}`")
        function = entry.load()
    except ModuleNotFoundError as error:
        note(f"Error: {error}.\n`modelport {name}` needs the platform: pip install 'modelport[standalone]'")
        return 1
    code: int = function(arguments)
    return code


def _show_version(wanted: bool) -> None:
    if wanted:
        print_line(f"modelport {version('modelport')}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Return a new app with all commands. It lets `ModelportError` pass, which `run` reports."""
    app = typer.Typer(
        name="modelport",
        help="From a model file to a secured endpoint.",
        epilog=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_common)
    add_to(app)
    for part in (
        accounts,
        models,
        ensembles,
        settings,
        files,
        logs,
        serving,
        rollouts,
        experiments,
        monitoring,
        feedback,
        alerts,
        jobs,
    ):
        part.add_to(app)
    return app


def _common(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command of `sys.argv` and exit with its code: the entry point of `modelport`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command of the arguments; returns the exit code."""
    as_json = failures.wants_json(arguments)
    try:
        build_app()(list(arguments), prog_name="modelport")
    except ModelportError as error:
        failures.show(error)
        if as_json:
            failures.print_error(error, of(error))
        return of(error)
    except KeyboardInterrupt:
        # Typer turns one that it sees into this code itself; this is one during start or exit.
        return INTERRUPTED
    except SystemExit as end:
        return ended(end, as_json)
    return OK


def ended(end: SystemExit, as_json: bool) -> int:
    """Return the exit code; Typer ends the process itself for wrong usage, which --json prints too."""
    code = end.code if isinstance(end.code, int) else OK
    describe = getattr(end.__context__, "format_message", None)
    if as_json and describe is not None:
        failures.print_wrong_usage(describe(), code)
    return code
