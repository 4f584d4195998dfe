"""logs: what a model's code printed, and what it prints now."""

import re
import sys
import time
from collections.abc import Iterator
from typing import Annotated, NoReturn

import typer

from modelport.cli.options import DEFAULT_URL, AsJson, ModelId, Url, version_option
from modelport.cli.output import print_json, print_line, readable
from modelport.client import Modelport

_EVERY_SECONDS = 1.0
# Of each replica, again and again: what is printed between two looks must be among them.
_FOLLOWED_LINES = 1000
_TITLE = re.compile(r"==> (\S+) <==")


def add_to(app: typer.Typer) -> None:
    """Register `logs` on the app."""
    app.command()(logs)


def logs(
    model_id: ModelId,
    *,
    version: Annotated[str | None, version_option("Which version; the newest if left out.")] = None,
    tail: Annotated[int, typer.Option(min=1, help="Lines, from the end.")] = 200,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what it prints, until Ctrl-C.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show what the model's code printed, and its traces."""
    if follow and as_json:
        raise typer.BadParameter("--follow prints lines as they come: leave --json out.")
    with Modelport(url) as client:
        version = version or client.versions(model_id)[-1].name
        if follow:
            _follow(client, model_id, version, tail)
        text = client.logs(model_id, version, tail=tail)
    if as_json:
        print_json({"model": model_id, "version": version, "lines": text.splitlines()})
    else:
        print_line(readable(text))


def _follow(client: Modelport, model_id: str, version: str, tail: int) -> NoReturn:
    """It ends with the version, whose log is then not found, or with Ctrl-C."""
    looked = client.logs(model_id, version, tail=max(tail, _FOLLOWED_LINES))
    _print_lines(looked.splitlines()[-tail:])
    while True:
        time.sleep(_EVERY_SECONDS)
        text = client.logs(model_id, version, tail=max(tail, _FOLLOWED_LINES))
        _print_lines([*fresh_lines(looked, text)])
        looked = text


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        print_line(readable(line))
    # A pipe would hold them back.
    sys.stdout.flush()


def fresh_lines(before: str, now: str) -> Iterator[str]:
    """The lines of `now` that come after those of `before`; of several replicas each by itself, titled."""
    earlier = _by_replica(before)
    for replica, lines in _by_replica(now).items():
        fresh = min((_behind(each, lines) for each in _known(earlier, replica)), key=len, default=lines)
        if fresh and replica:
            yield f"==> {replica} <=="
        yield from fresh


def _known(earlier: dict[str, list[str]], replica: str) -> list[list[str]]:
    """The lines that may have been this replica's: one that was alone, or is now, has no title."""
    if replica in earlier:
        return [earlier[replica]]
    return [earlier.get("", [])] if replica else [*earlier.values()]


def _by_replica(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    replica = ""
    for line in text.splitlines():
        if title := _TITLE.fullmatch(line):
            replica = title[1]
        else:
            found.setdefault(replica, []).append(line)
    return found


def _behind(before: list[str], now: list[str]) -> list[str]:
    """What of `now` follows the longest end of `before` that it begins with: a log is cut off at its top."""
    for shared in range(min(len(before), len(now)), 0, -1):
        if before[-shared:] == now[:shared]:
            return now[shared:]
    return now
