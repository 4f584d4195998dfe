"""A model file as a multipart form, streamed from disk."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from modelport.errors import ModelportError

OnProgress = Callable[[int, int], None]
"""Called with the bytes sent so far and all bytes of the file."""


class _ReportingFile:
    """A file that reports how far it has been read: httpx sends what it reads, so that is what was sent."""

    def __init__(self, file: BinaryIO, size: int, on_progress: OnProgress) -> None:
        self._file, self._size, self._on_progress = file, size, on_progress

    def read(self, count: int = -1) -> bytes:
        chunk = self._file.read(count)
        self._on_progress(self._file.tell(), self._size)
        return chunk

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()


@contextmanager
def upload_form(
    path: str | Path,
    *,
    on_progress: OnProgress | None,
    sample: Any,
    reference: str | Path | None = None,
    **texts: str | None,
) -> Iterator[dict[str, Any]]:
    """The form as httpx takes it, while the files are open. `sample`: a row in JSON's types, or None."""
    fields = {name: text for name, text in texts.items() if text is not None}
    if sample is not None:
        fields["sample"] = json.dumps(sample)
    with ExitStack() as files:
        file = files.enter_context(opened(Path(path)))
        size = os.fstat(file.fileno()).st_size
        sent = _ReportingFile(file, size, on_progress) if on_progress else file
        parts: dict[str, Any] = {"file": (Path(path).name, sent, "application/octet-stream")}
        if reference is not None:
            rows = files.enter_context(opened(Path(reference)))
            parts["reference"] = (Path(reference).name, rows, "text/csv")
        yield {"data": fields, "files": parts}


def opened(path: Path) -> BinaryIO:
    """Raises ModelportError."""
    try:
        return path.open("rb")
    except OSError as error:
        raise ModelportError(f"{path} cannot be read: {error.strerror}.") from error
