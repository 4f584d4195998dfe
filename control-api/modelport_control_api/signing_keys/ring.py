"""The keys in use, read again when their folder changes: rotation needs no restart."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from modelport_control_api.db.base import utc_now
from modelport_control_api.signing_keys import files
from modelport_control_api.signing_keys.files import SigningKey, SigningKeysError
from modelport_control_api.signing_keys.rotation import Schedule

_log = structlog.get_logger(__name__)

# Listing a folder costs little, yet not for every token.
RELOAD_SECONDS = 2.0


class KeyRing:
    """Thread-safe. Raises `SigningKeysError` when made from a folder without a usable key."""

    def __init__(self, folder: Path, schedule: Schedule, *, now: Callable[[], datetime] = utc_now) -> None:
        self._folder = folder
        self._schedule = schedule
        self._now = now
        self._lock = threading.Lock()
        self._seen: list[tuple[Path, int, int]] = []
        self._keys: list[SigningKey] = []
        self._checked_at = 0.0
        self._reload()

    def signer(self, at: datetime | None = None) -> SigningKey:
        """The key that signs now, or signed at that time."""
        return self._schedule.signer(self._current(), at or self._now())

    def published(self) -> list[SigningKey]:
        return self._schedule.published(self._current(), self._now())

    def find(self, kid: str) -> SigningKey | None:
        return next((key for key in self.published() if key.kid == kid), None)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the JWK set of all published keys."""
        return {"keys": [key.public_jwk() for key in self.published()]}

    def _current(self) -> list[SigningKey]:
        with self._lock:
            if time.monotonic() - self._checked_at > RELOAD_SECONDS:
                self._reload_or_keep()
            return self._keys

    def _reload_or_keep(self) -> None:
        try:
            self._reload()
        except SigningKeysError as error:
            # A folder damaged while we run must not end every session: what was good stays in use.
            _log.error("signing_keys_reload_failed", error=str(error))
            self._checked_at = time.monotonic()

    def _reload(self) -> None:
        paths = files.list_files(self._folder)
        if not paths:
            raise SigningKeysError(
                f"No signing key in {self._folder}: make one with "
                f"`python -m modelport_control_api.signing_keys rotate {self._folder}`."
            )
        seen = [files.fingerprint(path) for path in paths]
        if seen != self._seen:
            self._keys = [files.read(path) for path in paths]
            self._seen = seen
        self._checked_at = time.monotonic()
