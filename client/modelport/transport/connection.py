"""What both transports connect with, and write to."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import httpx

from modelport.errors import ConnectionFailed, ModelportError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file that takes its place once it is whole. Raises ModelportError where it cannot be written."""
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    except OSError as error:
        raise ModelportError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


_NOT_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_CUT_OFF = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
CONNECTION_ERRORS = (*_NOT_REACHED, *_CUT_OFF)
"""Not a read timeout: a server that was slow once gets no second copy of the work."""


_REASONS_PAGE = "/help/reasons/"
_AFTER_A_READ = "Try again."
_AFTER_A_CHANGE = "It may have been done: look before you try again."


@contextmanager
def explained(method: str, url: str, path: str) -> Iterator[None]:
    """Errors of the connection become ConnectionFailed; every error names what was called."""
    try:
        yield
    except httpx.TransportError as error:
        failed = _connection_failed(method, url, error)
        failed.platform, failed.path = url, path
        raise failed from error
    except ModelportError as error:
        error.platform, error.path = url, path
        raise


@contextmanager
def of_platform(url: str) -> Iterator[None]:
    """Errors that are no single call's, such as that a model has failed, name platform and help too."""
    try:
        yield
    except ModelportError as error:
        error.platform = url
        if error.reason and error.help_url is None:
            error.help_url = f"{url}{_REASONS_PAGE}#{error.reason}"
        raise


def _connection_failed(method: str, url: str, error: httpx.TransportError) -> ConnectionFailed:
    failed = ConnectionFailed(f"{url} {_what_failed(error)}.")
    if not isinstance(error, _NOT_REACHED):
        failed.advice = _AFTER_A_READ if method == "GET" else _AFTER_A_CHANGE
    return failed


def _what_failed(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time"
    detail = str(error).rstrip(".") or type(error).__name__
    return f"{'broke off the connection' if isinstance(error, _CUT_OFF) else 'cannot be reached'}: {detail}"


def http_options(url: str, timeout_seconds: float) -> dict[str, Any]:
    """Return the arguments of an httpx client: 5 s at most to connect, `timeout_seconds` for all else."""
    options: dict[str, Any] = {
        "base_url": url,
        "timeout": httpx.Timeout(timeout_seconds, connect=min(5, timeout_seconds)),
        "headers": {"User-Agent": f"modelport-python/{version('modelport')}"},
    }
    if urlsplit(url).scheme == "http":
        # Reading the certificate authorities takes as long as ten calls, and nothing asks for them. Without
        # any it would trust nobody.
        options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return options


def checked(url: str) -> str:
    """Return the platform's URL without a slash behind it. Raises `ModelportError`."""
    if not _is_web_address(url):
        raise ModelportError(f"{url!r} is not the URL of a platform: write e.g. http://127.0.0.1:8000.")
    return url.rstrip("/")


def _is_web_address(url: str) -> bool:
    try:
        parts, read = urlsplit(url), httpx.URL(url)
        return parts.scheme in {"http", "https"} and bool(read.host) and (parts.port or 1) > 0
    except (ValueError, httpx.InvalidURL):
        return False


def direct_to_this_machine(url: str) -> dict[str, None]:
    """A company's proxy, set in the environment, cannot reach this machine's own loopback address."""
    if not is_this_machine(url):
        return {}
    host = urlsplit(url).hostname or ""
    return {f"all://[{host}]" if ":" in host else f"all://{host}": None}


def is_this_machine(url: str) -> bool:
    """Return whether the URL's host is `localhost`, 127.0.0.1 or ::1: no other address is looked up."""
    return urlsplit(url).hostname in _LOOPBACK
