"""A request's headers, looked up many times and copied once."""

from collections.abc import Sequence


class RequestHeaders:
    """Of names in lower case, as ASGI has them. Values are given as text, byte by byte (latin-1)."""

    __slots__ = ("_first", "_raw")

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._raw = raw
        self._first = dict(reversed(raw))

    def has(self, name: bytes) -> bool:
        return name in self._first

    def get(self, name: bytes) -> str | None:
        """The first value."""
        value = self._first.get(name)
        return None if value is None else value.decode("latin-1")

    def all(self, name: bytes) -> list[str]:
        """Each value of a header that may be repeated, in order."""
        first = self._first.get(name)
        if first is None:
            return []
        if len(self._first) == len(self._raw):  # None is.
            return [first.decode("latin-1")]
        return [value.decode("latin-1") for each, value in self._raw if each == name]
