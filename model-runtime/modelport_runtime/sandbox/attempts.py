"""What the model tried while it was loaded, to report it in words. It only watches: the kernel forbids."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REPORTED_EVENTS = {
    "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen", "pty.spawn",
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto",
    "os.chmod", "os.chown", "os.remove", "os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir",
    "os.truncate", "os.utime", "os.setxattr", "os.kill", "shutil.rmtree",
}  # fmt: skip
"""As Python's audit hooks name them."""
_MAX_ATTEMPTS = 5
_MAX_SHOWN = 120

_seen: list[str] = []
_watched_thread: int | None = None


@contextmanager
def watched() -> Iterator[None]:
    """Note what this thread tries meanwhile. The hook itself stays for good: Python takes none out again."""
    global _watched_thread  # noqa: PLW0603  # audit hooks are the interpreter's, not an object's
    _watched_thread = threading.get_ident()
    sys.addaudithook(_note)
    try:
        yield
    finally:
        _watched_thread = None


def seen() -> tuple[str, ...]:
    """Return the attempts so far, in their order."""
    return tuple(_seen)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if (
        event not in REPORTED_EVENTS
        or _watched_thread != threading.get_ident()
        or len(_seen) >= _MAX_ATTEMPTS
    ):
        return
    # Arguments are the model's objects: only plain ones are shown, since repr() could be its code.
    shown = next((value for value in arguments if type(value) in (str, bytes, tuple, list)), "")
    _seen.append(f"{event} {_plain(shown)}".strip())


def _plain(value: Any) -> str:
    if type(value) in (tuple, list):
        return " ".join(_plain(item) for item in value if type(item) in (str, bytes, int))[:_MAX_SHOWN]
    return repr(value)[:_MAX_SHOWN] if value != "" else ""
