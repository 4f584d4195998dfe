"""JSON lines on stderr, on the standard library's logging: few imports, and safe after the sandbox."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Any

request_id: ContextVar[str] = ContextVar("modelport_runtime_request_id", default="")

_MAX_MESSAGE = 8192
"""Bytes of a message or trace: a model chooses the texts of its exceptions, and a log is shared."""
_PLAIN = logging.LogRecord("", 0, "", 0, "", (), None).__dict__.keys() | {
    "message",
    "asctime",
    "color_message",
}


class JsonFormatter(logging.Formatter):
    """One object a line; what is given as `extra` becomes members."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": _bounded(record.getMessage()),
        }
        if request_id.get():
            entry["request_id"] = request_id.get()
        entry |= {key: _bounded(value) for key, value in record.__dict__.items() if key not in _PLAIN}
        if record.exc_info:
            entry["trace"] = _bounded(self.formatException(record.exc_info))
        return json.dumps(entry, default=str)


@contextmanager
def about(identifier: str) -> Iterator[None]:
    """Name the request in what is logged meanwhile."""
    token = request_id.set(identifier)
    try:
        yield
    finally:
        request_id.reset(token)


def configure() -> None:
    """Send everything to stderr, from INFO up."""
    if isinstance(sys.stdout, TextIOWrapper):
        # What a model prints comes at once, and its lines end before ours begin.
        sys.stdout.reconfigure(line_buffering=True)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # A start and a stop, which our own lines report better.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _MAX_MESSAGE:
        # The last lines of a trace name what went wrong.
        return "… " + value[-_MAX_MESSAGE:]
    return value
