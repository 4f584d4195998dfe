"""What a path asks for. Parsed by hand: one regular expression costs less than a router's table."""

import re
from dataclasses import dataclass
from enum import StrEnum

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ID = rf"(?P<id>{_LABEL}(?:\.{_LABEL})?)"
_VERSION = r"(?:/versions/(?P<version>v[1-9][0-9]{0,5}))?"
_PREDICT = re.compile(rf"(?:/api/v1)?/predict/{_ID}{_VERSION}")
# Triton's clients count versions 1, 2, …
_V2_VERSION = _VERSION.replace(">v", ">v?")
_V2 = re.compile(rf"/v2/models/{_ID}{_V2_VERSION}(?P<call>/ready|/infer|/config)?")


class Call(StrEnum):
    """What is asked of a model, and how the metrics name it."""

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
