"""One connection to Redis: commands packed, scripts called by digest, one write for a turn of the
event loop.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import hiredis

from modelport_store.store import StoreUnavailable


def command(*arguments: bytes | str | int) -> bytes:
    """Return a command as Redis's protocol writes it."""
    # Its stubs take it for a tuple of one.
    packed: bytes = hiredis.pack_command(arguments)  # type: ignore[arg-type]
    return packed


def pack(*arguments: bytes | str | int) -> bytes:
    """Arguments alone, so that what never changes of a command is packed once."""
    return b"".join(map(_packed, arguments))


def _packed(argument: bytes | str | int) -> bytes:
    raw = argument if isinstance(argument, bytes) else str(argument).encode()
    return b"$%d\r\n%b\r\n" % (len(raw), raw)


@dataclass(frozen=True, slots=True)
class RedisScript:
    """Both ways begin a packed command, after its count of arguments and before its number of keys."""

    by_digest: bytes
    whole: bytes

    @classmethod
    def of(cls, text: str) -> "RedisScript":
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return cls(pack("EVALSHA", digest), pack("EVAL", text))

    def teaching(self, command: bytes) -> bytes:
        """The same command, with the script in it."""
        return command.replace(self.by_digest, self.whole, 1)


Decode = Callable[[Any, Any], Any]
"""From a reply and the context given with its command to what the caller gets."""

_REPRIEVE_SECONDS = 0.005
_PREFIX = "Redis did not answer: "

_Waiting = tuple["asyncio.Future[Any]", Decode | None, Any, bytes | None]


class RedisConnection(asyncio.Protocol):
    """Accepts commands before it is connected; they are sent when the `greeting` has had its replies.

    A command without a reply after `timeout_seconds` closes the connection: replies are matched by their
    order alone, and one that is slow holds up all behind it.
    """

    def __init__(self, greeting: tuple[bytes, ...], script: RedisScript, timeout_seconds: float) -> None:
        self.failure: str | None = None
        """Why it is of no use any more."""
        self.failed_at = 0.0
        self.has_replied = False
        """Whether it was of use: a refused greeting is no response."""
        self._greeting = greeting
        self._greeted = False
        self._script = script
        self._timeout_seconds = timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._waiting: deque[_Waiting] = deque()
        self._unwritten: list[bytes] = []
        self._written = -len(greeting)
        # Of each batch the number of its first command, and when that came: what a deadline needs to know.
        self._batches: deque[tuple[int, float]] = deque()
        self._deadline: asyncio.TimerHandle | None = None
        self._reprieved: int | None = None
        self._ungreeted = len(greeting)
        self._teacher: asyncio.Future[Any] | None = None

    def send(
        self, command: bytes, decode: Decode | None = None, context: Any = None, *, is_script: bool = False
    ) -> "asyncio.Future[Any]":
        """Return the reply. The future raises StoreUnavailable; who cancels it disturbs nobody."""
        future = self._loop.create_future()
        if self.failure is not None:
            future.set_exception(StoreUnavailable(self.failure))
            return future
        self._waiting.append((future, decode, context, command if is_script else None))
        self._write_soon(command)
        return future

    def fail(self, reason: str) -> None:
        """Close at once. All that waits raises StoreUnavailable with the reason."""
        if self.failure is not None:
            return
        self.failure = _PREFIX + reason
        self.failed_at = self._loop.time()
        if self._deadline is not None:
            self._deadline.cancel()
        if self._transport is not None:
            self._transport.abort()
        for future, *_ in self._waiting:
            if not future.done():
                future.set_exception(StoreUnavailable(self.failure))
        self._waiting.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.failure is not None:
            self._transport.abort()
            return
        if not self._greeting:
            self._begin()
            return
        for _ in self._greeting:
            reply = self._loop.create_future()
            reply.add_done_callback(self._on_greeting)
            self._waiting.appendleft((reply, None, None, None))
        self._written += len(self._greeting)
        self._transport.write(b"".join(self._greeting))

    def connection_lost(self, error: Exception | None) -> None:
        self.fail("it closed the connection" if error is None else type(error).__name__)

    def data_received(self, data: bytes) -> None:
        self.has_replied = self._greeted
        reader, waiting = self._reader, self._waiting
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not False:
                future, decode, context, command = waiting.popleft()
                if isinstance(reply, hiredis.ReplyError):
                    self._refuse(reply, (future, decode, context, command))
                elif not future.done():
                    _resolve(future, decode, context, reply)
        except (hiredis.ProtocolError, IndexError):
            self.fail("what it sends is no reply")

    def _on_greeting(self, reply: "asyncio.Future[Any]") -> None:
        if reply.exception() is not None:
            self.fail("it refused to be greeted: " + str(reply.exception()).removeprefix(_PREFIX))
            return
        self._ungreeted -= 1
        if not self._ungreeted:
            self._begin()

    def _begin(self) -> None:
        self._greeted = True
        if self._unwritten:
            self._write()

    def _refuse(self, error: hiredis.ReplyError, waiting: _Waiting) -> None:
        future, decode, context, command = waiting
        if future.done():
            return
        if command is None or not str(error).startswith("NOSCRIPT"):
            future.set_exception(StoreUnavailable(f"{_PREFIX}{error}"))
            return
        # A new Redis, or one whose scripts were flushed. Nothing was done, so sending again is safe: once,
        # and the first that sends again loads the script for those behind it.
        self._waiting.append((future, decode, context, None))
        if self._teacher is None or self._teacher.done():
            self._teacher = future
            command = self._script.teaching(command)
        self._write_soon(command)

    def _write_soon(self, command: bytes) -> None:
        if not self._unwritten:
            self._batches.append((self._written, self._loop.time()))
            if self._deadline is None:
                self._deadline = self._loop.call_later(self._timeout_seconds, self._check_deadline)
            if self._greeted:
                self._loop.call_soon(self._write)
        self._unwritten.append(command)

    def _write(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        self._written += len(unwritten)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(unwritten))

    def _check_deadline(self) -> None:
        given = self._written + len(self._unwritten)
        replied, batches = given - len(self._waiting), self._batches
        while batches and (batches[1][0] if len(batches) > 1 else given) <= replied:
            batches.popleft()
        self._deadline = None
        if not batches:
            return
        number, given_at = batches[0]
        due = given_at + self._timeout_seconds
        if due > self._loop.time():
            self._deadline = self._loop.call_at(due, self._check_deadline)
        elif number != self._reprieved:
            # Was it Redis that was slow? After other work of this process replies may be there, not yet read.
            self._reprieved = number
            self._deadline = self._loop.call_later(_REPRIEVE_SECONDS, self._check_deadline)
        else:
            self.fail(f"nothing within {self._timeout_seconds} s")


def _resolve(future: "asyncio.Future[Any]", decode: Decode | None, context: Any, reply: Any) -> None:
    if decode is None:
        future.set_result(reply)
        return
    try:
        future.set_result(decode(reply, context))
    except (TypeError, ValueError, IndexError) as error:
        # One reply that is not as expected spoils no other.
        future.set_exception(StoreUnavailable(f"{_PREFIX}its reply makes no sense: {error}"))
