"""A version's log for people: the runtime's JSON lines as words, traces as lines of their own. Pure."""

import json
from typing import Any

_TRACE = "trace"
_HEAD = ("time", "level", "event")
_CLOCK = slice(11, 19)


def readable(log: str) -> str:
    """What the model's code printed stays as it is."""
    return "\n".join(_readable_line(line) for line in log.splitlines())


def _readable_line(line: str) -> str:
    entry = _entry(line)
    if entry is None:
        return line
    words = [str(entry.get("time", ""))[_CLOCK], str(entry.get("level", "")), str(entry["event"])]
    told = ((name, value) for name, value in entry.items() if name not in (*_HEAD, _TRACE))
    words += [f"{name}={value}" for name, value in told if value not in ("", None)]
    head = " ".join(word for word in words if word)
    trace = str(entry.get(_TRACE) or "").rstrip()
    return f"{head}\n{trace}" if trace else head


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None
