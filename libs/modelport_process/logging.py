"""JSON lines, one shape for structlog and the standard library's loggers, with the id of the request
being served.
"""

import asyncio
import atexit
import logging
import os
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
import structlog
from starlette.types import Scope
from structlog.types import EventDict, Processor, WrappedLogger

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def level_of(text: str) -> str:
    """Return the level that `text` names, in any case. Raises ValueError with the levels there are."""
    if text.upper() not in _LEVELS:
        raise ValueError(f"it must be one of {', '.join(_LEVELS)}")
    return text.upper()


class _Line(msgspec.Struct):
    method: str
    path: str
    status: int
    duration_ms: float
    client_ip: str
    request_id: str
    event: str
    part: str
    level: str
    timestamp: datetime


class AccessLines:
    """Lines of `part` for `output`, or for nobody. Those of one turn of the event loop go with one write."""

    def __init__(self, part: str, output: TextIO | None) -> None:
        self._part = part
        self._output = output
        self._encoder = msgspec.json.Encoder()
        self._waiting: list[bytes] = []

    def add(
        self, method: str, path: str, status: int, seconds: float, *, client_ip: str, request_id: str
    ) -> None:
        """Note one request. To be called on the event loop."""
        if self._output is None:
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        line = _Line(
            method, path, status, round(seconds * 1000, 2), client_ip, request_id,
            "request", self._part, "info", datetime.now(UTC),
        )  # fmt: skip
        self._waiting.append(self._encoder.encode(line))

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting and self._output is not None:
            lines, self._waiting = self._waiting, []
            self._output.write(b"\n".join(lines).decode() + "\n")
            self._output.flush()


_lines = AccessLines("", None)


def use(lines: AccessLines) -> None:
    """Have this process's lines go to `lines`, the last ones at its exit."""
    global _lines  # noqa: PLW0603 - logging is set up once for a whole process
    _lines = lines
    atexit.register(lines.flush)


def access_lines() -> AccessLines:
    """This process's lines; nobody's until logging has been configured."""
    return _lines


current_request_id: ContextVar[str] = ContextVar("modelport_request_id", default="-")

# What is echoed into headers and logs must not be able to forge either.
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ID_DIGITS = 32
_IDS_AT_ONCE = 128


def request_id_of(scope: Scope) -> str:
    """The scope's own id: the context variable may be another task's where an app hands its `send` on."""
    request_id: str = scope.get("state", {}).get("request_id", current_request_id.get())
    return request_id


def request_id_for(given: str) -> str:
    """The caller's own id if it is sane, else a new one: 32 hexadecimal digits."""
    return given if given and _SANE_REQUEST_ID.fullmatch(given) else _new_ids.take()


class _NewIds:
    """Random ids, many for one call of the system: that costs more than a cached response's whole routing."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        # Two processes must not give the same ids. A function of C: where coverage is measured, one of ours
        # would wait in the child for a lock of coverage that a thread held, and that none releases there.
        os.register_at_fork(after_in_child=self._ids.clear)

    def take(self) -> str:
        if not self._ids:
            digits = os.urandom(_IDS_AT_ONCE * _ID_DIGITS // 2).hex()
            self._ids += (digits[at : at + _ID_DIGITS] for at in range(0, len(digits), _ID_DIGITS))
        return self._ids.pop()


_new_ids = _NewIds()


# httpx writes whole URLs, with their query, at INFO; uvicorn's access log is AccessLogMiddleware's job.
# Alembic logs each of its own plugins at each start.
_TOO_TALKATIVE = ("httpx", "httpcore", "uvicorn.access", "asyncio", "alembic")

_output: TextIO = sys.stderr


def configure(part: str, level: str | int = "INFO", output: TextIO | None = None) -> None:
    """Set logging up for this process, whose lines carry `part`. Start uvicorn with `log_config=None`.

    `output`: instead of stderr.
    """
    global _output  # noqa: PLW0603 - logging is set up once for a whole process
    _output = output = output or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()] if isinstance(level, str) else level
    shared: list[Processor] = [
        _adder_of(part),
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_to_json)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(output),
    )
    use(AccessLines(part, output if number <= logging.INFO else None))
    _route_standard_library(number, output, [structlog.stdlib.add_logger_name, *shared])


def copy_line(line: str) -> None:
    """Write a line that another process of ours has put into words, where this one's go."""
    _output.write(line)
    _output.flush()


def _adder_of(part: str) -> Processor:
    def add_part_and_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("part", part)
        event.setdefault("request_id", current_request_id.get())
        return event

    return add_part_and_request_id


def _to_json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


def _route_standard_library(level: int, output: TextIO, processors: list[Processor]) -> None:
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
