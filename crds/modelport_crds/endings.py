"""How a container ended, in words for users: no bare exit code, no line of a log for machines."""

import json
import signal
from typing import Any

_TEXT_FIELDS = ("event", "message", "msg")
_MORE = ("detail", "error", "reason")
_SIGNAL_EXITS = 128


def ending_words(terminated: dict[str, Any]) -> str:
    """Of a container status' `terminated`: "was ended by signal 11 (SIGSEGV)", "ended by itself"."""
    number = signal_of(terminated)
    if number is None:
        return f"ended by itself (exit code {terminated.get('exitCode', 0)})"
    return f"was ended by signal {number}{_named(number)}"


def signal_of(terminated: dict[str, Any]) -> int | None:
    """Said outright, or as 128 + n as shells and containers do, or as -n as Python does."""
    if number := terminated.get("signal"):
        return int(number)
    code = int(terminated.get("exitCode", 0))
    if code < 0:
        return -code
    return code - _SIGNAL_EXITS if _SIGNAL_EXITS < code < _SIGNAL_EXITS + signal.NSIG else None


def log_words(line: str) -> str:
    """A line of a log as a sentence has it: of a JSON object what it says, any other as it is."""
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(parsed, dict):
        return line
    words = [str(parsed[name]).replace("_", " ") for name in _TEXT_FIELDS if parsed.get(name)][:1]
    return ": ".join(words + [str(parsed[name]) for name in _MORE if parsed.get(name)][:1])


def _named(number: int) -> str:
    known = {each.value for each in signal.Signals}
    return f" ({signal.Signals(number).name})" if number in known else ""
