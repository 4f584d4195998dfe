"""The address that a process listens on, taken before anything else is touched."""

import socket

from modelport_process.start import CannotStart

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
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise CannotStart(f"{variable}={text} cannot be listened on: {said}.") from error
    give_up_on_deaf_peers(listener)
    return listener


def give_up_on_deaf_peers(listener: socket.socket) -> None:
    """Have the kernel end connections whose other end takes nothing of what it was sent for minutes."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAF_SECONDS * 1000)
