"""Which system calls the kernel refused the model: the server process is consulted about each, and replies
with an error.

The kernel holds the caller until then, so the call's name is in the model process's socket as soon as the
model has the error. The server process reads from it only before the model is read.
"""

import asyncio
import errno
import fcntl
import logging
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
_MAX_TEXT = 4096
_UNHINDERED = 100
_PAUSE_SECONDS = 0.02
"""After so many, a model that calls on and on is made to wait: the server process has others to serve."""


class Line:
    """How the model process hands over the kernel's channel of queries, and then learns what was refused.

    Made before the two part. A socket, no memory that they share: the model's may be another Python.
    """

    def __init__(self) -> None:
        self.of_the_server, self.of_the_model = socket.socketpair()


class ModelsEnd:
    """The model process's side of the line."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def hand_over(self, listener: int | None) -> None:
        """Send the descriptor to the server process and keep none; None: this machine has no such thing."""
        if listener is None:
            self._end.close()
            return
        socket.send_fds(self._end, [b"\0"], [listener])
        os.close(listener)

    def refused(self) -> tuple[str, ...]:
        """Return what the kernel has refused so far, in words. Once: what was read is gone."""
        try:
            text = self._end.recv(_MAX_TEXT, socket.MSG_DONTWAIT).decode(errors="replace")
        except OSError:
            # Nothing was refused, or there is nobody who would say so.
            return ()
        return _in_words(text.splitlines()[:_MAX_NAMES])


class Refuser:
    """The server process's side: replies to the kernel on the event loop, and notes each name once."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._names: list[str] = []
        self._responses_sent = 0

    def refused(self) -> tuple[str, ...]:
        """Return what was refused so far, in words."""
        return _in_words(self._names)

    def watch(self) -> None:
        asyncio.get_running_loop().add_reader(self._end, self._take)

    def _take(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._end)
        _, descriptors, _, _ = socket.recv_fds(self._end, 1, 1)
        self._end.setblocking(False)
        # A model could fill it with what nobody will ever read.
        self._end.shutdown(socket.SHUT_RD)
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
        if name in self._names or len(self._names) >= _MAX_NAMES:
            return
        self._names.append(name)
        log.warning("system_call_refused", extra={"call": name})
        # The model may have closed its end.
        with suppress(OSError):
            self._end.send(f"{name}\n".encode())


def _in_words(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"the system call {name}" for name in names)


def _has_call(listener: int) -> bool:
    """Return whether a request waits: to receive where none does would not return."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return any(events & select.POLLIN for _, events in poll.poll(0))
