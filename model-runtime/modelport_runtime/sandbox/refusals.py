"""Which system calls the kernel refused the model: the server process is consulted about each, and replies
with an error.

The kernel holds the caller until then, so the model finds the name in a page that both processes share as
soon as it has the error. The model may write to that page too; the server process never reads it.
"""

import asyncio
import errno
import fcntl
import logging
import mmap
import os
import select
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress

from modelport_runtime.sandbox.kernel import machine
from modelport_runtime.sandbox.numbers import LAST_KNOWN, name_of

log = logging.getLogger(__name__)

RECEIVE, SEND = 0xC0502100, 0xC0182101
"""SECCOMP_IOCTL_NOTIF_RECV, _SEND"""
_REQUEST = struct.Struct("=QIIi60x")
"""id, pid, flags, the call's number; what follows, the arguments, may change until they are read."""
_RESPONSE = struct.Struct("=QqiI")

_MAX_NAMES = 5
_UNHINDERED = 100
_PAUSE_SECONDS = 0.02
"""After so many, a model that calls on and on is made to wait: the server process has others to serve."""


class Page:
    """Names that one process writes and the other reads. Made before they part."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self._written: list[str] = []

    def add(self, name: str) -> bool:
        """Write it; False if it is there, or there are enough."""
        if name in self._written or len(self._written) >= _MAX_NAMES:
            return False
        self._written.append(name)
        self._memory.write(f"{name}\n".encode())
        return True

    def read(self) -> tuple[str, ...]:
        """Return what stands there, in words: for the model process."""
        text = self._memory[:].partition(b"\0")[0].decode(errors="replace")
        return _in_words(text.splitlines()[:_MAX_NAMES])

    def written(self) -> tuple[str, ...]:
        """Return what this process wrote there, in words: for the server process."""
        return _in_words(self._written)


class Line:
    """How the model process hands over the kernel's channel of queries. Made before the two part."""

    def __init__(self) -> None:
        self.page = Page()
        self.of_the_server, self.of_the_model = socket.socketpair()

    def hand_over(self, listener: int | None) -> None:
        """Send the descriptor to the server process and keep none; None: this machine has no such thing."""
        if listener is not None:
            socket.send_fds(self.of_the_model, [b"\0"], [listener])
            os.close(listener)
        self.of_the_model.close()


class Refuser:
    """The server process's side: replies to the kernel on the event loop, and notes each name once."""

    def __init__(self, line: Line) -> None:
        self._page = line.page
        self._handover = line.of_the_server
        self._responses_sent = 0

    def watch(self) -> None:
        asyncio.get_running_loop().add_reader(self._handover, self._take)

    def _take(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._handover)
        with self._handover:
            _, descriptors, _, _ = socket.recv_fds(self._handover, 1, 1)
        for listener in descriptors:
            loop.add_reader(listener, self._respond, listener)

    def _respond(self, listener: int) -> None:
        loop = asyncio.get_running_loop()
        if not _has_call(listener):
            # Everything that could query has ended.
            loop.remove_reader(listener)
            os.close(listener)
            return
        request = bytearray(_REQUEST.size)
        # The calling process may have ended meanwhile.
        with suppress(OSError):
            fcntl.ioctl(listener, RECEIVE, request)
            identity, _, _, number = _REQUEST.unpack(request)
            self._note(number)
            code = errno.EPERM if number <= LAST_KNOWN else errno.ENOSYS
            fcntl.ioctl(listener, SEND, _RESPONSE.pack(identity, 0, -code, 0))
        self._responses_sent += 1
        if self._responses_sent > _UNHINDERED:
            loop.remove_reader(listener)
            loop.call_later(_PAUSE_SECONDS, loop.add_reader, listener, self._respond, listener)

    def _note(self, number: int) -> None:
        name = name_of(number, machine() or 0)
        if self._page.add(name):
            log.warning("system_call_refused", extra={"call": name})


def _in_words(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"the system call {name}" for name in names)


def _has_call(listener: int) -> bool:
    """Return whether a request waits: to receive where none does would not return."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return any(events & select.POLLIN for _, events in poll.poll(0))
