"""A request's path, parsed by hand, and its headers, looked up many times and copied once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from modelport_crds.names import VERSION_NAME


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


_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ID = rf"(?P<id>{_LABEL}(?:\.{_LABEL})?)"
_VERSION = rf"(?:/versions/(?P<version>{VERSION_NAME}))?"
_PREDICT = re.compile(rf"(?:/api/v1)?/predict/{_ID}{_VERSION}")
# Triton's clients count versions 1, 2, …
_V2_VERSION = _VERSION.replace(">v", ">v?")
_V2 = re.compile(rf"/v2/models/{_ID}{_V2_VERSION}(?P<call>/ready|/infer|/config)?")


class Call(StrEnum):
    """What is called on a model, and how the metrics name it."""

    PREDICT = "predict"
    INFER = "infer"
    METADATA = "metadata"
    READY = "ready"
    CONFIG = "config"

    @property
    def method(self) -> str:
        return "POST" if self in (Call.PREDICT, Call.INFER) else "GET"


_V2_CALLS = {"/infer": Call.INFER, "/ready": Call.READY, "/config": Call.CONFIG, None: Call.METADATA}


@dataclass(frozen=True, slots=True)
class Target:
    call: Call
    model: str
    version: str | None
    """The version that the path pins; None: the traffic weights decide."""


def parse_target(path: str) -> Target | None:
    """Read a path below /predict, /api/v1/predict or /v2/models. None: it is no such path."""
    if match := _PREDICT.fullmatch(path):
        return Target(Call.PREDICT, match["id"], match["version"])
    if match := _V2.fullmatch(path):
        version = match["version"]
        return Target(_V2_CALLS[match["call"]], match["id"], version and f"v{version.removeprefix('v')}")
    return None
