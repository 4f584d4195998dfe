"""A version's output for users: the runtime's own JSON lines as sentences, the model's as they are."""

import json
from typing import Any

_SHOWN_FIRST = ("time", "level", "event")
_TRACE = "trace"


def readable(text: str) -> str:
    """Without control characters: what a model prints must not steer the terminal."""
    return "\n".join(_printable(each) for line in text.splitlines() for each in _lines_of(line))


def _lines_of(line: str) -> list[str]:
    try:
        event = json.loads(line)
    except ValueError:
        return [line]
    return _sentence(event) if _is_event(event) else [line]


def _is_event(event: Any) -> bool:
    return isinstance(event, dict) and all(isinstance(event.get(name), str) for name in _SHOWN_FIRST)


def _sentence(event: dict[str, Any]) -> list[str]:
    rest = [
        f"{name}={_value(value)}"
        for name, value in event.items()
        if name not in (*_SHOWN_FIRST, _TRACE) and value is not None
    ]
    head = (event["time"][:19].replace("T", " "), event["level"].upper(), event["event"])
    trace = str(event.get(_TRACE) or "").splitlines()
    return [" ".join((*head, *rest)), *(f"  {each}" for each in trace)]


def _value(value: Any) -> str:
    return value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False)


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else "�" for char in line)
