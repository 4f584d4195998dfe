"""The server process's end of the socket pair to the model process. What comes from there is untrusted."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import msgspec
from modelport_http.wording import counted

from modelport_runtime import wire
from modelport_runtime.core.types import Call, Failure, Prediction
from modelport_runtime.server.batching import Done
from modelport_runtime.wire import (
    BatchResult,
    Loaded,
    Outcome,
    PredictBatch,
    ProofReport,
    ProtocolError,
    Recheck,
    Rechecked,
    Sandboxed,
)

log = logging.getLogger(__name__)

HandleEvent = Callable[[wire.WorkerEvent], None]
Compared = Callable[[float | None], None]


@dataclass(frozen=True)
class _PendingBatch:
    """A batch that is out. `began`: of the monotonic clock."""

    calls: int
    done: Done
    began: float


class Channel(asyncio.Protocol):
    """Sends batches and receives results, in the order of the batches."""

    max_batch_bytes = wire.MAX_BATCH_BYTES
    ahead_bytes = 256 * 1024

    def __init__(self, handle: HandleEvent, on_closed: Callable[[str | None], None]) -> None:
        """on_closed: called once, with what was wrong if the model process broke the protocol."""
        self._handle = handle
        self._on_closed = on_closed
        self._transport: asyncio.WriteTransport | None = None
        self._frames = wire.Frames(wire.MAX_FRAME_BYTES)
        self._received = 0.0
        self._due: deque[_PendingBatch | Compared] = deque()
        self._breach: str | None = None
        self._is_dismissed = False

    @property
    def is_open(self) -> bool:
        """Return whether the model can still be called."""
        return self._transport is not None and not self._transport.is_closing() and not self._is_dismissed

    def predict(self, calls: list[Call], done: Done) -> None:
        """Send a batch. A model process that ends meanwhile never responds."""
        self._due.append(_PendingBatch(len(calls), done, time.perf_counter()))
        self._send(PredictBatch(calls))

    def recheck(self, call: Call, prediction: Prediction, compared: Compared) -> bool:
        """Have a response compared with the original's; False: it is busy, or no longer there."""
        if self._due or not self.is_open:
            return False
        self._due.append(compared)
        self._send(Recheck(call, prediction))
        return True

    def dismiss(self) -> None:
        """Close once all results are there; the model process then ends."""
        self._is_dismissed = True
        if not self._due:
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        if self._breach is not None:
            return
        try:
            for body in self._frames.feed(data):
                self._receive(wire.decode_from_model(body))
        except (ProtocolError, msgspec.MsgspecError, ValueError, RecursionError, MemoryError) as error:
            self._breach = f"{type(error).__name__}: {error}"
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_closed(self._breach)

    def _send(self, message: wire.ToModel) -> None:
        # A write on a closed uvloop transport raises; what that means is reported by `on_closed`.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(wire.frame(message))

    def _receive(self, message: wire.FromModel) -> None:
        if isinstance(message, Sandboxed | Loaded | ProofReport):
            self._handle(message)
            return
        due = self._due.popleft() if self._due else None
        if isinstance(message, BatchResult) and isinstance(due, _PendingBatch):
            # What was sent ahead began when the one before it ended.
            began, self._received = max(due.began, self._received), time.perf_counter()
            due.done(_checked(message, due.calls), self._received - began)
        elif isinstance(message, Rechecked) and due is not None and not isinstance(due, _PendingBatch):
            due(message.difference)
        else:
            raise ProtocolError(f"{type(message).__name__}, which nobody waits for")
        if self._is_dismissed and not self._due:
            self.close()


def _checked(message: BatchResult, calls: int) -> list[Outcome]:
    given, binary = message.outcomes, message.json_bytes
    if len(given) != calls:
        raise ProtocolError(f"{counted(len(given), 'outcome')} for {counted(calls, 'call')}")
    return [_outcome(each, binary.get(place) if binary else None) for place, each in enumerate(given)]


def _outcome(given: bytes | Failure, json_bytes: int | None) -> Outcome:
    if isinstance(given, bytes):
        if json_bytes is not None and json_bytes > len(given):
            raise ProtocolError("a response that is shorter than its JSON")
        return Prediction(given, json_bytes)
    if not 400 <= given.status <= 599:
        raise ProtocolError(f"a failure with the status {given.status}")
    return given
