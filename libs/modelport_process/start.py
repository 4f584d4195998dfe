"""The start of a process: its address and descriptors, and why it cannot start, in one line."""

import gc
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def raise_limit() -> None:
    """Allow this process, and what it starts, as many as its hard limit does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS calls its limit infinite, and refuses to be taken at its word.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


# Requests leave no cycles behind. With Python's own 700 a tenth of each request goes into looking for some.
_OBJECTS_BETWEEN_COLLECTIONS = 10_000


@contextmanager
def spared() -> Iterator[None]:
    """Leave what has been imported and built out of every collection until the block ends.

    Not to the end of the process: what is collected then closes files, such as a database's.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        yield
    finally:
        gc.unfreeze()


class CannotStart(Exception):
    """The message names what is wrong and what to do; no trace is needed."""


_BACKLOG = 2048
_DEAF_SECONDS = 300


def parse_address(text: str) -> tuple[str, int]:
    """Read `0.0.0.0:8080`, `[::]:8080`. Raises ValueError that says what is accepted."""
    host, _, port = text.strip().rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65_535:
        raise ValueError("must be <address>:<port>, e.g. 0.0.0.0:8080 or [::]:8080")
    return host.removeprefix("[").removesuffix("]"), int(port)


def bind(variable: str, text: str) -> socket.socket:
    """Listen on the address that `variable` gives as `text`. Raises `CannotStart`."""
    try:
        host, port = parse_address(text)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=False)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CannotStart(f"{variable}={text} cannot be listened on: {reason}.") from error
    give_up_on_deaf_peers(listener)
    return listener


def give_up_on_deaf_peers(listener: socket.socket) -> None:
    """Have the kernel end connections whose other end takes nothing of what it was sent for minutes."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAF_SECONDS * 1000)
