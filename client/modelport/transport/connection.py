"""What both transports connect with, and write to."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import httpx

from modelport.errors import ConnectionFailed, ModelportError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@contextmanager
def whole_file(target: Path, url: str) -> Iterator[BinaryIO]:
    """A file that takes its place once it is whole."""
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    except httpx.TransportError as error:
        raise ConnectionFailed(f"{url} broke off: {error!r}. Try again.") from error
    finally:
        part.unlink(missing_ok=True)


def http_options(url: str, timeout_seconds: float) -> dict[str, Any]:
    return {
        "base_url": url,
        "timeout": httpx.Timeout(timeout_seconds, connect=min(5, timeout_seconds)),
        "headers": {"User-Agent": f"modelport-python/{version('modelport')}"},
    }


def checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelportError(f"{url!r} is not the URL of a platform: write e.g. http://127.0.0.1:8000.")
    return url.rstrip("/")


def direct_to_this_machine(url: str) -> dict[str, None]:
    """A company's proxy, set in the environment, cannot reach this machine's own loopback address."""
    host = urlsplit(url).hostname or ""
    pattern = f"[{host}]" if ":" in host else host
    return {f"all://{pattern}": None} if host in _LOOPBACK else {}
