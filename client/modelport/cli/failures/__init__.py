"""How a command that failed says so: to a person on stderr, and with `--json` to a script on stdout too."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import takewhile
from typing import Any

from rich.console import Console
from rich.markup import escape

from modelport.cli.failures import hints
from modelport.cli.output import change_lines, print_json
from modelport.errors import JobFailed, ModelFailed, ModelportError, NotReadyInTime, SignatureChanged


def show(error: ModelportError) -> None:
    """What happened, each wrong field, and what to do next."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[bold red]Error:[/] {escape(hints.headline(error))}")
    if isinstance(error, SignatureChanged) and error.differences:
        console.print("\n".join(change_lines(error.differences)), markup=False)
    rest = error.lines_below(hints.next_step(error))
    if error.help_url:
        rest.append(f"More about {error.reason}: {error.help_url}")
    if rest:
        console.print("\n".join(rest), markup=False)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` is among the options; after `--` it is an input."""
    return "--json" in takewhile(lambda each: each != "--", arguments)


def print_error(error: ModelportError, exit_code: int) -> None:
    """`{"error": {…}}`, in the words of the API where the platform refused."""
    shown = {
        "kind": type(error).__name__,
        "detail": hints.headline(error),
        "exit_code": exit_code,
        "status": error.status or None,
        "reason": error.reason,
        "errors": [asdict(field) for field in error.errors],
        "next_step": hints.next_step(error) or None,
        "request_id": error.request_id,
        "help_url": error.help_url,
    }
    print_json({"error": {**shown, **_last_seen(error)}})


def print_wrong_usage(detail: str, exit_code: int) -> None:
    """The same for what was not even sent."""
    print_json({"error": {"kind": "WrongUsage", "detail": detail, "exit_code": exit_code}})


def _last_seen(error: ModelportError) -> dict[str, Any]:
    """The model, version or job as it was, by which a script goes on, and what holds its traffic."""
    if isinstance(error, ModelFailed):
        return {"last_seen": error.failed.raw}
    if isinstance(error, SignatureChanged):
        held = {"last_seen": error.held.raw} if error.held else {}
        return {"differences": dict(error.differences), **held}
    if isinstance(error, JobFailed):
        return {"last_seen": error.job.raw}
    return {"last_seen": error.waited_for.raw} if isinstance(error, NotReadyInTime) else {}
