"""Options that many commands have, so that they read the same everywhere."""

from pathlib import Path
from typing import Annotated, Any

import typer

from modelport.cli import completion
from modelport.client import DEFAULT_URL


def version_option(text: str) -> Any:
    """Return the option `--version`, whose names the shell completes. `text`: its help."""
    return typer.Option("--version", help=text, autocompletion=completion.version_names)


Url = Annotated[str, typer.Option("--url", envvar="MODELPORT_URL", help="The platform's address.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout; an error too.")
]
ModelId = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="The model's id, e.g. iris-7kq2p.", autocompletion=completion.model_ids
    ),
]
PinnedVersion = Annotated[str | None, version_option("Call this version, whatever the traffic.")]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Send requests also to a version that lacks what callers depend on, as an input or a class.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
ModelFile = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The model file.")
]
WaitSeconds = Annotated[float, typer.Option("--timeout", min=1, help="Seconds to wait at most.")]
PasswordFromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from stdin, not from the terminal.")
]


def check_folder(file: Path) -> None:
    """Before anything is done whose result is to go into `file`. Raises typer.BadParameter."""
    if file.is_dir():
        raise typer.BadParameter(f"{file} is a folder: name a file in it.")
    if not file.parent.is_dir():
        raise typer.BadParameter(f"There is no folder {file.parent}: make it, or name a file elsewhere.")


__all__ = [
    "DEFAULT_URL",
    "AsJson",
    "Force",
    "ModelFile",
    "ModelId",
    "PasswordFromStdin",
    "PinnedVersion",
    "Url",
    "WaitSeconds",
    "Yes",
    "check_folder",
    "version_option",
]
