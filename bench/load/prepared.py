"""Whole HTTP requests, prepared before a run: what wrk, the open loop and the users of `load` send alike."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Stands for nine digits that count up, so that a row is never sent twice and a cache miss is a miss.
MARK = b"\x01"
# What a row's first number is while the body is built; its digits and the mark take its place afterward.
FIRST = "@first@"


class Numbers:
    """The numbers of one whole run; no slice gets one that an earlier slice had."""

    def __init__(self) -> None:
        self.next = 1

    def used(self, count: int) -> None:
        self.next += count + 1000


@dataclass(frozen=True)
class Prepared:
    """Requests in a file, as load.lua reads it."""

    path: Path

    def whole(self, numbers: Numbers) -> Iterator[bytes]:
        """The requests forever, each with its number."""
        parts = self.path.read_bytes().split(b"\0")
        for number, part in zip(itertools.count(numbers.next), itertools.cycle(parts), strict=False):
            yield part.replace(MARK, b"%09d" % number)


def get(folder: Path, name: str, path: str, headers: dict[str, str]) -> Prepared:
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    return _write(folder, name, [f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode()])


def post(
    folder: Path,
    name: str,
    path: str,
    bodies: Iterable[tuple[Any, float]],
    headers: dict[str, str] | None = None,
) -> Prepared:
    """`bodies`: each a JSON value in which FIRST stands for a number, and that number."""
    lines = "".join(f"{key}: {value}\r\n" for key, value in (headers or {}).items())
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{lines}".encode()
    return _write(folder, name, [_request(head, *body) for body in bodies])


def same(folder: Path, name: str, prepared: Prepared) -> Prepared:
    """The first of `prepared`, the same each time."""
    first = prepared.path.read_bytes().split(b"\0")[0]
    return _write(folder, name, [first.replace(MARK, b"000000000")])


def _request(head: bytes, body: Any, first: float) -> bytes:
    text = json.dumps(body, separators=(",", ":")).encode()
    text = text.replace(b'"%b"' % FIRST.encode(), b"%.3f" % first + MARK)
    length = len(text) - len(MARK) + 9 if MARK in text else len(text)
    return head + b"Content-Length: %d\r\n\r\n" % length + text


def _write(folder: Path, name: str, requests: list[bytes]) -> Prepared:
    path = folder / f"{name}.requests"
    path.write_bytes(b"\0".join(requests))
    return Prepared(path)
