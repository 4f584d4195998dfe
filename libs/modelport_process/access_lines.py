"""The access log of a hot path: the same lines as AccessLogMiddleware's, many of them with one write.

structlog builds, passes on and writes each line by itself; that costs more than a cached answer.
"""

import asyncio
import atexit
from datetime import UTC, datetime
from typing import TextIO

import msgspec


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
        """Note one answered request. To be called on the event loop."""
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
