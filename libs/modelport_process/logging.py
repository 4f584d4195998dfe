"""JSON lines, one shape for structlog and for the standard library's loggers (uvicorn's)."""

import logging
import sys
from typing import Any, TextIO

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from modelport_process import access_lines
from modelport_process.request_context import current_request_id

# httpx writes whole URLs, with their query, at INFO; uvicorn's access log is AccessLogMiddleware's job.
# Alembic tells of each of its own plugins at each start.
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
    access_lines.use(access_lines.AccessLines(part, output if number <= logging.INFO else None))
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
