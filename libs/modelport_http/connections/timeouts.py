"""Closes connections on which a request began and does not go on.

One look at all of them every other second: a request itself costs nothing. What it looks at is uvicorn's own
state; how long a peer has been silent only the kernel knows, and is queried for unfinished bodies alone.
"""

import socket
import struct
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

# Of the kernel's tcp_info: milliseconds since data came last, and all bytes that came.
_RECEIVED = struct.Struct("=52xI72xQ")
# The server's own timer closes an idle connection; it is lost when bytes come that begin no request.
_AFTER_IDLE_TIMER = 5.0
# Uploads have a timer of their own, which sends 408: it goes first.
_AFTER_UPLOAD_TIMER = 1.0


@dataclass(frozen=True)
class Patience:
    """What `DoorSettings` sets; the values here are for servers without settings of the kind."""

    head_seconds: float = 20.0
    silent_body_seconds: float = 60.0
    body_bytes_per_second: int = 500


class _Pause(NamedTuple):
    """What a connection waits for. `about`: the last request there; a new one is a new pause.

    `received`: of a body, all bytes that had come by then.
    """

    kind: str
    about: Any
    since: float
    received: int = 0


class _Received(NamedTuple):
    silent_seconds: float
    bytes: int


class Silence:
    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._pauses: dict[Any, _Pause] = {}

    def sweep(self, connections: Collection[Any]) -> None:
        """Look at the protocols of a server's connections; to be called every second or so."""
        now, before = time.monotonic(), self._pauses
        self._pauses = {}
        for each in list(connections):
            pause = _pause(each, now)
            known = before.get(each)
            if known is not None and known[:2] == pause[:2]:
                pause = known
            self._pauses[each] = pause
            if pause.kind == "body":
                is_over = self._is_body_too_slow(each, pause, now)
            else:
                is_over = self._is_too_long(each, pause, now)
            if is_over:
                each.transport.abort()

    def _is_too_long(self, connection: Any, pause: _Pause, now: float) -> bool:
        match pause.kind:
            case "head":
                return now - pause.since > self._patience.head_seconds
            case "idle":
                idle_seconds: float = connection.timeout_keep_alive
                return now - pause.since > idle_seconds + _AFTER_IDLE_TIMER
            case _:  # It waits for us.
                return False

    def _is_body_too_slow(self, connection: Any, pause: _Pause, now: float) -> bool:
        reported = _received(connection)
        if reported is None:
            return False
        # What nobody here reads the peer cannot send.
        is_reading = not connection.flow.read_paused
        seconds, at_least = now - pause.since, self._patience.body_bytes_per_second
        if not is_reading or pause.received == 0:
            self._pauses[connection] = _Pause("body", pause.about, now, reported.bytes)
        elif seconds > self._patience.silent_body_seconds:
            if reported.bytes - pause.received < at_least * seconds:
                return True
            self._pauses[connection] = _Pause("body", pause.about, now, reported.bytes)
        return (
            is_reading and reported.silent_seconds - _AFTER_UPLOAD_TIMER > self._patience.silent_body_seconds
        )


def _pause(connection: Any, now: float) -> _Pause:
    cycle = connection.cycle
    if cycle is None or not _is_head_whole(connection, cycle):
        return _Pause("head", cycle, now)
    # Also of a request with an early response: a client that goes on sending gets to read why it was refused.
    if is_body_open(connection, cycle):
        return _Pause("body", cycle, now)
    return _Pause("idle" if cycle.response_complete else "response", cycle, now)


def _is_head_whole(connection: Any, cycle: Any) -> bool:
    """Whether the last request that began is `cycle`. One that the fast path took has no scope."""
    if hasattr(cycle, "scope"):
        return cycle.scope is connection.scope
    return cycle.headers is connection.headers


def is_body_open(connection: Any, cycle: Any) -> bool:
    """Whether something of the body of `cycle`, a connection's last request, is still to come."""
    if hasattr(cycle, "more_body"):
        return bool(cycle.more_body)
    return bool(connection.is_receiving)


def _received(connection: Any) -> _Received | None:
    """None where it is not known."""
    # None: of a connection by TLS that ended this moment its protocol has yet to be notified.
    end: socket.socket | None = connection.transport.get_extra_info("socket")
    if end is None or end.family not in {socket.AF_INET, socket.AF_INET6} or not hasattr(socket, "TCP_INFO"):
        return None
    try:
        milliseconds, size = _RECEIVED.unpack(
            end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED.size)
        )
    except (OSError, struct.error):  # It is over, or the kernel's reply is an older and shorter one.
        return None
    return _Received(milliseconds / 1000, size)
