"""The platform's own log: two files of at most 10 MiB each, so that it never fills a disk."""

import io
import os
import sys
import threading
from pathlib import Path

_FILE_BYTES = 10 << 20


class LogFile(io.TextIOBase):
    """What `modelport_process.logging` writes to. Made with its folder, readable by their owner only.

    A full disk costs lines, never a request: the first loss goes to stderr. Only making it raises OSError.
    """

    def __init__(self, path: Path, file_bytes: int = _FILE_BYTES) -> None:
        self._path = path
        self._file_bytes = file_bytes
        self._lock = threading.Lock()
        self._is_losing = False
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open()

    def write(self, text: str) -> int:
        data = text.encode(errors="backslashreplace")
        # structlog and the standard library write from different threads, each with a lock of its own.
        with self._lock:
            try:
                self._append(data)
                self._is_losing = False
            except OSError as error:
                self._report_once(error)
        return len(text)

    def _append(self, data: bytes) -> None:
        if self._size and self._size + len(data) > self._file_bytes:
            os.close(self._descriptor)
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            self._open()
        self._size += os.write(self._descriptor, data)

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _report_once(self, error: OSError) -> None:
        if not self._is_losing:
            print(f"The log {self._path} cannot be written ({error.strerror}).", file=sys.stderr)
        self._is_losing = True
