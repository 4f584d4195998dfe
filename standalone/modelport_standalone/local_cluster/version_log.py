"""What a pod prints, kept in two files of at most 1 MiB each; a flood is dropped with a note."""

import time
from collections.abc import Callable
from pathlib import Path

import structlog
from modelport_http.wording import counted

log = structlog.get_logger(__name__)

_FILE_BYTES = 1 << 20
_BURST_BYTES = 1 << 20
_BYTES_PER_SECOND = 128 << 10


class VersionLog:
    """Writes go to the page cache and are bounded by the rate, so they are made on the event loop."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._allowance = float(_BURST_BYTES)
        self._counted_at = clock()
        self._dropped = 0

    def write(self, data: bytes) -> bool:
        """Keep it, or drop it (False) if the model prints faster than allowed."""
        self._refill()
        if len(data) > self._allowance:
            self._dropped += len(data)
            return False
        self._allowance -= len(data)
        self._append(self._note_of_dropped() + data)
        return True

    def note(self, text: str) -> None:
        """A line of our own among the model's."""
        self._append(self._note_of_dropped() + f"[modelport] {text}\n".encode())

    def tail(self, lines: int) -> str:
        """The last lines, of earlier runs too. Blocking."""
        text = b"".join(path.read_bytes() for path in (self._older, self.path) if path.exists())
        return "".join(text.decode(errors="replace").splitlines(keepends=True)[-lines:]) if lines else ""

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self._older.unlink(missing_ok=True)

    @property
    def _older(self) -> Path:
        return self.path.with_suffix(".log.1")

    def _refill(self) -> None:
        now = self._clock()
        gained = (now - self._counted_at) * _BYTES_PER_SECOND
        self._allowance = min(_BURST_BYTES, self._allowance + gained)
        self._counted_at = now

    def _note_of_dropped(self) -> bytes:
        if not self._dropped:
            return b""
        dropped, self._dropped = self._dropped, 0
        limit = _BYTES_PER_SECOND >> 10
        lost = counted(dropped, "byte")
        return f"\n[modelport] {lost} dropped: more than {limit} KiB a second was printed\n".encode()

    def _append(self, data: bytes) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size + len(data) > _FILE_BYTES:
                self.path.replace(self._older)
            with self.path.open("ab") as file:
                file.write(data)
        except OSError as error:
            # A full disk must not end the pod that prints, nor the platform.
            log.warning("model_output_not_stored", path=str(self.path), error=repr(error))
