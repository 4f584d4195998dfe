"""What turned out to be true of predictions, told item by item or as a file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelport.calls.paths import path_of
from modelport.errors import ModelportError
from modelport.evaluation.feedback import FeedbackReport
from modelport.steps import Flow, request

# Each piece of a file is a request of its own, which may be sent again after a cut connection.
_PIECE_BYTES = 4 * 1024 * 1024
_TYPES = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson"}


def tell(model_id: str, items: Sequence[Mapping[str, Any]]) -> Flow[FeedbackReport]:
    """Return what became of the items. Raises `InvalidRequest` where each is wrong."""
    body = {"items": [dict(each) for each in items]}
    reply = yield from request("POST", _path(model_id), json=body, repeatable=True)
    return FeedbackReport.from_json(reply.json())


def send(
    model_id: str, path: str | Path, on_progress: Callable[[int, int], None] | None
) -> Flow[FeedbackReport]:
    """Return what became of the file's lines. Raises `ModelportError` for a file of another kind."""
    file = Path(path)
    media_type = _TYPES.get(file.suffix.lower())
    if media_type is None:
        raise ModelportError(f"{file.name}: send a file that ends in {', '.join(_TYPES)}.")
    size, sent, lines = file.stat().st_size, 0, 0
    report = FeedbackReport(0, 0, ())
    for piece in _pieces(file, has_header=media_type == "text/csv"):
        reply = yield from request(
            "POST",
            _path(model_id),
            content=piece.body,
            headers={"Content-Type": media_type},
            repeatable=True,
        )
        report = report.with_piece(FeedbackReport.from_json(reply.json()), lines_before=lines)
        sent, lines = sent + piece.size, lines + piece.lines
        if on_progress is not None:
            on_progress(sent, size)
    return report


def forget(model_id: str) -> Flow[None]:
    """Delete what was kept of predictions and what was told of them. Raises `NotFound`."""
    yield from request("DELETE", _path(model_id), repeatable=True)


class _Piece:
    """Some whole lines of a file; `body` begins with the header, where there is one."""

    def __init__(self, header: bytes, rows: list[bytes], *, is_first: bool) -> None:
        self.body = header + b"".join(rows)
        self.size = sum(map(len, rows)) + (len(header) if is_first else 0)
        self.lines = len(rows)


def _pieces(file: Path, *, has_header: bool) -> Iterator[_Piece]:
    with file.open("rb") as opened:
        header = opened.readline() if has_header else b""
        is_first = True
        while rows := opened.readlines(_PIECE_BYTES):
            yield _Piece(header, rows, is_first=is_first)
            is_first = False


def _path(model_id: str) -> str:
    return path_of("models", model_id, "feedback")
