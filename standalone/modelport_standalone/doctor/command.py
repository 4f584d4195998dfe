"""`modelport doctor`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from modelport.cli import failures
from modelport.cli.command import ended
from modelport.cli.options import AsJson, Code, ModelFile, OwnRequirements
from modelport.cli.output import print_json, print_line, printable
from modelport.uploads import requirements_text
from modelport_process.start import CannotStart

from modelport_standalone.doctor.examination import examine
from modelport_standalone.doctor.platform import Platform
from modelport_standalone.doctor.report import Report

PlatformUrl = Annotated[
    str | None,
    typer.Option(
        "--platform",
        metavar="URL",
        help="Whose limits count; `modelport up` of this installation unless given.",
    ),
]
_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def doctor(arguments: Sequence[str]) -> int:
    """Run the command; gives its exit code."""
    try:
        _app(list(arguments), prog_name="modelport doctor")
    except SystemExit as end:
        return ended(end, as_json=failures.wants_json(arguments))
    return 0


@_app.command(epilog="Exit codes: 0 it would be served, 1 it would be refused, 2 wrong usage.")
def _doctor(
    file: ModelFile,
    *,
    code: Code = None,
    requirements: OwnRequirements = None,
    platform: PlatformUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say what the platform would do with a model file, before an upload. The file is not loaded."""
    text = requirements_text(requirements)
    report = _examine(file, code, text, _of_this_machine() if platform is None else Platform.at(platform))
    if as_json:
        print_json(report.to_json())
    else:
        for line in report.lines():
            print_line(printable(line))
    raise typer.Exit(0 if report.served else 1)


def _of_this_machine() -> Platform:
    try:
        return Platform.of_this_machine()
    except CannotStart as error:
        raise typer.BadParameter(str(error)) from error


def _examine(file: Path, code: Path | None, requirements: str | None, platform: Platform) -> Report:
    if not file.is_file():
        raise typer.BadParameter(f"{file} is no file.")
    try:
        return examine(file, platform, code, requirements)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(doctor(sys.argv[1:]))
