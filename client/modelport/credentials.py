"""Where credentials are kept between runs: one 0600 file, one entry a platform URL.

`${XDG_CONFIG_HOME:-~/.config}/modelport/credentials.json`: `{"profiles": {"http://127.0.0.1:8000": {…}}}`
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from modelport.errors import ModelportError


@dataclass(frozen=True)
class Credentials:
    """Either an API key, or the tokens of a session. `expires_at`: of the access token, Unix time."""

    api_key: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: float = 0


def path() -> Path:
    """Return where the CLI keeps its credentials."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "modelport" / "credentials.json"


def load(url: str) -> Credentials | None:
    """What is kept for the platform at `url`. Raises ModelportError if the file is damaged."""
    entry = _read().get(_profile(url))
    known = {each.name for each in fields(Credentials)}
    return None if entry is None else Credentials(**{name: entry[name] for name in entry if name in known})


def save(url: str, credentials: Credentials) -> None:
    """Keep them; other platforms' entries stay."""
    with locked():
        save_locked(url, credentials)


def save_locked(url: str, credentials: Credentials | None) -> None:
    """The same for a caller that holds `locked()`; None forgets."""
    profiles = _read()
    profiles.pop(_profile(url), None)
    if credentials is not None:
        entry = {name: value for name, value in asdict(credentials).items() if value}
        profiles[_profile(url)] = entry
    _write(profiles)


def forget(url: str) -> None:
    """Remove the platform's entry, if there is one. Raises ModelportError if the file is damaged."""
    with locked():
        save_locked(url, None)


@contextmanager
def locked() -> Iterator[None]:
    """One process at a time: a refresh token used twice ends the session on the platform."""
    import fcntl  # The SDK can be imported where there is none, e.g. on Windows, and used with an API key.

    path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Not the file itself, which each write replaces.
    with path().with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _profile(url: str) -> str:
    """One entry for http://localhost:8000/ and http://127.0.0.1:8000."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = "127.0.0.1" if host == "localhost" else host
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme.lower()}://{host}{port}{parts.path.rstrip('/')}"


def _read() -> dict[str, dict[str, Any]]:
    try:
        text = path().read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        profiles: dict[str, dict[str, Any]] = json.loads(text)["profiles"]
        return dict(profiles)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelportError(f"{path()} is damaged: move it away and log in again.") from error


def _write(profiles: dict[str, dict[str, Any]]) -> None:
    # mkstemp makes it 0600 from the start; the replacement is all or nothing.
    handle, name = tempfile.mkstemp(dir=path().parent, prefix=".credentials-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"profiles": profiles}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path())
    except BaseException:
        os.unlink(name)
        raise
