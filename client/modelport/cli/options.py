"""Options and arguments that several commands share, and inputs as people write them."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from modelport.cli import completion
from modelport.client import DEFAULT_URL
from modelport.models import Acceleration


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
Sample = Annotated[
    str | None, typer.Option(help="A row as JSON, e.g. '{\"x\": 1}': the model must predict it to be served.")
]
AccelerationSetting = Annotated[
    Acceleration | None,
    typer.Option(help="auto: NumPy kernels predict where they were proven to equal the model; off: never."),
]
Code = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.py",
        exists=True,
        dir_okay=False,
        readable=True,
        help="Python code that goes along, a module or a zip of modules: what a pickle names of yours, "
        "preprocess and postprocess around the model, or a class Model.",
    ),
]
EnvironmentName = Annotated[
    str | None,
    typer.Option(
        "--environment",
        metavar="NAME",
        help="What the model runs in, such as sklearn-1.2, or platform for the platform's own libraries; "
        "chosen by what saved the file unless given.",
    ),
]
OwnRequirements = Annotated[
    str | None,
    typer.Option(
        "--requirements",
        metavar="FILE",
        help="A requirements.txt with what the model runs with: names, versions, extras and markers. "
        "`folder` takes that of the model folder that is uploaded.",
    ),
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is ready.")]
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


def read_input(arguments: list[str]) -> dict[str, Any]:
    """`{"input": row}` or `{"inputs": rows}`, maybe with `return`. Raises typer.BadParameter."""
    if arguments and all("=" in each for each in arguments) and arguments[0][:1] not in "{[\"'@":
        return {"input": dict(_pair(each) for each in arguments)}
    if len(arguments) > 1:
        raise typer.BadParameter("Give one JSON text (in quotes), @FILE, -, or only name=value pairs.")
    return _as_body(_parse(_text(arguments[0] if arguments else "-")))


def parse_sample(text: str | None) -> Any:
    """Return the row of `--sample`, None without one. Raises `typer.BadParameter` for what is no JSON."""
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"--sample is not JSON: {error}") from error


def _text(argument: str) -> str:
    if argument == "-":
        return sys.stdin.read()
    if not argument.startswith("@"):
        return argument
    try:
        return Path(argument[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{argument[1:]} cannot be read: {error}") from error


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        if not text.strip() or text.lstrip()[0] in '{["':
            raise typer.BadParameter(f"The input is not JSON: {error}") from error
        # A model of texts: `modelport predict spam-x1b2c "win a prize"`.
        return text.rstrip("\n")


def _as_body(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and value.keys() - {"return"} in ({"input"}, {"inputs"}):
        return value
    if isinstance(value, list) and value and all(isinstance(row, dict | list) for row in value):
        return {"inputs": value}
    return {"input": value}


def _pair(argument: str) -> tuple[str, Any]:
    """`width=0.2` is a number, `town=Rome` a text, `code="7"` a text too."""
    name, _, text = argument.partition("=")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


__all__ = [
    "DEFAULT_URL",
    "AccelerationSetting",
    "AsJson",
    "Force",
    "ModelFile",
    "ModelId",
    "PasswordFromStdin",
    "PinnedVersion",
    "Sample",
    "Url",
    "Wait",
    "WaitSeconds",
    "Yes",
    "check_folder",
    "parse_sample",
    "read_input",
    "version_option",
]
