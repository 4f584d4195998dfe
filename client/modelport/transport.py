"""One platform over HTTP: credentials, retries, and errors as exceptions."""

import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from modelport import authentication
from modelport.authentication import MemorySessions, SessionAuth
from modelport.credentials import Credentials
from modelport.errors import ConnectionFailed, ModelportError, Unauthorised, error_of
from modelport.retries import RetryPolicy

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
        except Unauthorised as error:
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
