"""The options of `modelport up`, and its messages to the user: on stdout, where no log line goes."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path


def say(line: str) -> None:
    """Print a line on stdout at once, even where stdout is a pipe."""
    print(line, flush=True)


_EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - compared with, never bound to


@dataclass(frozen=True)
class Options:
    host: str
    port: int
    data_dir: Path
    demo: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allow_unsandboxed: bool = False
    log_to_stderr: bool = False
    started_at: float = field(default_factory=time.monotonic)
    """By the monotonic clock, in seconds."""

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    def url(self, port: int) -> str:
        """Where a person on this machine reaches it."""
        host = "127.0.0.1" if self.host in _EVERY_ADDRESS else self.host
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def default_data_dir() -> Path:
    """Return `$XDG_DATA_HOME/modelport`, or ~/.local/share/modelport; it need not exist."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "modelport"
