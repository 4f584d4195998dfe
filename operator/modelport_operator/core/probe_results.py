"""What a runtime says of itself, after checks: it is the model's own process and may say anything."""

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
    """The version answered its sample with something other than a prediction: final for this template."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class ProbeResult:
    """All that one version's runtime said in one pass. None: it was not asked or could not be reached."""

    status: RuntimeStatus | None = None
    sample: SampleAnswer | SampleRefused | None = None
