"""What a runtime reports of itself, checked: it is the model's own process, and its text is made fit
to show.
"""

from dataclasses import dataclass
from typing import Any, Literal

from modelport_crds.mlmodel import AccelerationProof, Engine, SampleAnswer
from modelport_crds.reasons import Reason


@dataclass(frozen=True)
class RuntimeStatus:
    """`GET /status` after validation. `reason` and `message` are set if `state` is failed."""

    state: Literal["loading", "ready", "failed"]
    reason: Reason | None = None
    message: str = ""
    signature: dict[str, Any] | None = None
    sample: dict[str, Any] | None = None
    libraries: dict[str, Any] | None = None
    differences: tuple[str, ...] = ()
    sandbox: dict[str, Any] | None = None
    engine: Engine | None = None
    acceleration: AccelerationProof | None = None


@dataclass(frozen=True)
class SampleRefused:
    """The version responded to its sample with something other than a prediction: final for this template."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class BaselineResult:
    """What came of the sample of `version`, whose callers the probed one is to get; None: it has none, or is
    down and could not be asked for it.
    """

    version: str
    answer: SampleAnswer | SampleRefused | None


@dataclass(frozen=True)
class ProbeResult:
    """All that a version's runtime returned in one pass. None: it was not probed or could not be reached."""

    status: RuntimeStatus | None = None
    sample: SampleAnswer | SampleRefused | None = None
    baseline: BaselineResult | None = None


_NEWLINES = str.maketrans({"\n": " ", "\r": " ", "\t": " "})


def plain_text(text: str, limit: int = 1000) -> str:
    """Take out what could steer a terminal, and cut to `limit` characters."""
    printable = "".join(char for char in text[: limit * 4].translate(_NEWLINES) if char.isprintable())
    return printable if len(printable) <= limit else f"{printable[: limit - 1]}…"


def plain_tail(text: str, *, lines: int, limit_bytes: int) -> str:
    """The last lines, each made plain: whole ones, as many as fit into `limit_bytes` of UTF-8."""
    kept: list[str] = []
    left = limit_bytes
    for line in reversed(text.splitlines()[-lines:]):
        plain = plain_text(line).rstrip()
        left -= len(plain.encode()) + 1
        if left < 0:
            break
        kept.append(plain)
    return "\n".join(reversed(kept)).strip("\n")
