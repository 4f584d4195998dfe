"""One platform over HTTP: credentials, when and how often a call is tried again, and errors as exceptions."""

import email.utils
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from modelport import authentication
from modelport.authentication import MemorySessions, SessionAuth
from modelport.credentials import Credentials
from modelport.errors import ConnectionFailed, ModelportError, Unauthorized, error_of

RETRIED_STATUSES = frozenset({429, 503})
"""Nothing was done yet, and later may be better. Not 504: the model was too slow and would be so again."""

_NOT_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_CUT_OFF = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
CONNECTION_ERRORS = (*_NOT_REACHED, *_CUT_OFF)
"""Not a read timeout: a server that was slow once gets no second copy of the work."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often (first try included) and for how long in all, in seconds, a call is tried."""

    attempts: int = 4
    total_seconds: float = 30
    first_pause_seconds: float = 0.25
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    random: Callable[[], float] = field(default=random.random, repr=False)

    def run(self, send: Callable[[], httpx.Response], *, after_connection_errors: bool) -> httpx.Response:
        """Send until an answer stands. The last one is given back, or the last error raised."""
        give_up_at = self.clock() + self.total_seconds
        for attempt in range(1, self.attempts):
            asked_for = None
            try:
                response = send()
            except CONNECTION_ERRORS:
                if not after_connection_errors or not self._pause(attempt, asked_for, give_up_at):
                    raise
                continue
            asked_for = retry_after(response)
            if response.status_code not in RETRIED_STATUSES or not self._pause(
                attempt, asked_for, give_up_at
            ):
                return response
        return send()

    def _pause(self, attempt: int, asked_for: float | None, give_up_at: float) -> bool:
        """Wait before the next try. False, without waiting, when it would come too late."""
        if asked_for is None:
            # Between half and whole: clients that failed together do not come back together.
            seconds = self.first_pause_seconds * 2 ** (attempt - 1) * (0.5 + self.random() / 2)
        else:
            seconds = asked_for + self.random() * self.first_pause_seconds
        if self.clock() + seconds > give_up_at:
            return False
        self.sleep(seconds)
        return True


def retry_after(response: httpx.Response) -> float | None:
    """Seconds from now, of either form of the header; None without one, or with one that is neither."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Transport:
    """`timeout_seconds` is for each silence of the platform, not for a whole call."""

    def __init__(self, url: str, key: str | None, *, timeout_seconds: float, retries: RetryPolicy) -> None:
        self.url = _checked(url)
        self._retries = retries
        self._http = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(timeout_seconds, connect=min(5, timeout_seconds)),
            headers={"User-Agent": f"modelport-python/{version('modelport')}"},
            mounts=_direct_to_this_machine(self.url),
        )
        self._auth = authentication.choose(self.url, key, self._refresh)

    def call(
        self, method: str, path: str, *, repeatable: bool | None = None, **request: Any
    ) -> httpx.Response:
        """The answer, status below 300. `repeatable`: may be sent again after a cut connection; GETs may."""
        repeatable = method == "GET" if repeatable is None else repeatable
        request.setdefault("auth", self._auth)
        try:
            response = self._retries.run(
                lambda: self._http.request(method, path, **request), after_connection_errors=repeatable
            )
        except httpx.TimeoutException as error:
            raise ConnectionFailed(f"{self.url} did not answer in time.") from error
        except httpx.TransportError as error:
            raise ConnectionFailed(f"{self.url} cannot be reached: {error}.") from error
        if not response.is_success:
            raise error_of(response)
        return response

    def json(self, method: str, path: str, **request: Any) -> Any:
        response = self.call(method, path, **request)
        try:
            return response.json()
        except ValueError as error:
            raise ModelportError(
                f"{self.url} answered something else than Modelport does: is the URL right?",
                status=response.status_code,
            ) from error

    def pages(self, path: str) -> list[Any]:
        """All items of a list."""
        return list(self.items(path, {}))

    def items(self, path: str, query: Mapping[str, str]) -> Iterator[Any]:
        """The items of a list; each page is asked for when it is reached."""
        cursor: str | None = None
        while True:
            page = self.json("GET", path, params={**query, **({"cursor": cursor} if cursor else {})})
            yield from page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def download(self, path: str, query: Mapping[str, str], target: Path) -> None:
        """Write an answer of any length to a file. What broke off half-way leaves none."""
        part = target.with_name(f"{target.name}.part")
        try:
            with self._http.stream("GET", path, params=query, auth=self._auth) as response:
                if not response.is_success:
                    response.read()
                    raise error_of(response)
                with part.open("wb") as file:
                    for piece in response.iter_bytes():
                        file.write(piece)
            part.replace(target)
        except httpx.TransportError as error:
            raise ConnectionFailed(f"{self.url} broke off: {error!r}. Try again.") from error
        finally:
            part.unlink(missing_ok=True)

    def open_session(self, email: str, password: str) -> Credentials:
        """Log in, and use that session from now on. Gives its tokens, to be kept or not."""
        body = {"email": email, "password": password}
        try:
            opened = _session(self.json("POST", "/api/v1/auth/login", json=body, auth=None))
        except Unauthorized as error:
            error.advice = "Check both, or make an account: `modelport register`."
            raise
        self._auth = SessionAuth(MemorySessions(opened), self._refresh)
        return opened

    def close(self) -> None:
        self._http.close()

    def _refresh(self, refresh_token: str) -> Credentials:
        body = {"refresh_token": refresh_token}
        return _session(self.json("POST", "/api/v1/auth/refresh", json=body, auth=None))


def _session(answer: Any) -> Credentials:
    return Credentials(
        access_token=answer["access_token"],
        refresh_token=answer["refresh_token"],
        expires_at=time.time() + answer["expires_in"],
    )


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelportError(f"{url!r} is not the URL of a platform: write e.g. http://127.0.0.1:8000.")
    return url.rstrip("/")


def _direct_to_this_machine(url: str) -> dict[str, httpx.BaseTransport | None]:
    """A company's proxy, set in the environment, cannot reach this machine's own loopback address."""
    host = urlsplit(url).hostname or ""
    pattern = f"[{host}]" if ":" in host else host
    return {f"all://{pattern}": None} if host in _LOOPBACK else {}
