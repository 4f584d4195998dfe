"""What `modelport predict` was given, as a predict body's members."""

import json
import sys
from pathlib import Path
from typing import Any

import typer


def read_input(arguments: list[str]) -> dict[str, Any]:
    """`{"input": row}` or `{"inputs": rows}`, maybe with `return`. Raises typer.BadParameter."""
    if arguments and all("=" in each for each in arguments) and arguments[0][:1] not in "{[\"'@":
        return {"input": dict(_pair(each) for each in arguments)}
    if len(arguments) > 1:
        raise typer.BadParameter("Give one JSON text (in quotes), @FILE, -, or only name=value pairs.")
    return _as_body(_parse(_text(arguments[0] if arguments else "-")))


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
