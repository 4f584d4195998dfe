"""The `Authorization` header: a fixed API key, or a session whose access token is renewed when it ends."""

import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import httpx

from modelport import credentials
from modelport.credentials import Credentials
from modelport.errors import Unauthorized

_RENEW_BEFORE_SECONDS = 30


class Sessions(Protocol):
    """Where a session's tokens are. `load` and `save` inside `locked()` are one step."""

    def load(self) -> Credentials | None: ...

    def save(self, renewed: Credentials | None) -> None: ...

    def locked(self) -> AbstractContextManager[None]: ...


class MemorySessions:
    """For `Modelport.login` in a program: gone with the process."""

    def __init__(self, first: Credentials) -> None:
        self._current: Credentials | None = first
        self._lock = threading.Lock()

    def load(self) -> Credentials | None:
        return self._current

    def save(self, renewed: Credentials | None) -> None:
        """Replace the session; None: log out."""
        self._current = renewed

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._lock:
            yield


class FileSessions:
    """For the CLI: shared by all processes of this user."""

    def __init__(self, url: str) -> None:
        self._url = url

    def load(self) -> Credentials | None:
        return credentials.load(self._url)

    def save(self, renewed: Credentials | None) -> None:
        """Replace the session in the file that processes share; None: log out."""
        credentials.save_locked(self._url, renewed)

    def locked(self) -> AbstractContextManager[None]:
        return credentials.locked()


class KeyAuth(httpx.Auth):
    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request


class SessionAuth(httpx.Auth):
    """`refresh`: a refresh token to new credentials; it blocks. Unauthorized when the session is over."""

    def __init__(self, sessions: Sessions, refresh: Callable[[str], Credentials]) -> None:
        self._sessions = sessions
        self._refresh = refresh

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f"Bearer {self._renewed(token)}"
            yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """In threads: a renewal waits for a lock, which a cancelled task would not release."""
        from asyncio import to_thread  # Not above: a command has no event loop, and would start later.

        token = await to_thread(self._token)
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            renewed = await to_thread(self._renewed, token)
            request.headers["Authorization"] = f"Bearer {renewed}"
            yield request

    def _token(self) -> str:
        current = _still_there(self._sessions.load())
        if current.expires_at - _RENEW_BEFORE_SECONDS < time.time():
            return self._renewed(current.access_token)
        return current.access_token or ""

    def _renewed(self, rejected: str | None) -> str:
        with self._sessions.locked():
            current = _still_there(self._sessions.load())
            # Another process or thread may have renewed it while this one waited for the lock.
            if current.access_token == rejected:
                current = self._exchange(current)
            return current.access_token or ""

    def _exchange(self, current: Credentials) -> Credentials:
        try:
            renewed = self._refresh(current.refresh_token or "")
        except Unauthorized as error:
            self._sessions.save(None)
            raise Unauthorized("Your session has ended.", status=401, request_id=error.request_id) from error
        self._sessions.save(renewed)
        return renewed


def _still_there(current: Credentials | None) -> Credentials:
    if current is None:
        raise Unauthorized("You are logged out.", status=401)
    return current


def choose(url: str, key: str | None, refresh: Callable[[str], Credentials]) -> httpx.Auth | None:
    """The given key, else what is kept for the platform; None if there is neither."""
    if key:
        return KeyAuth(key)
    kept = credentials.load(url)
    if kept is None:
        return None
    return KeyAuth(kept.api_key) if kept.api_key else SessionAuth(FileSessions(url), refresh)
