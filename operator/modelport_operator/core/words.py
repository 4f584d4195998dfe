"""What a runtime says of itself, already bounded and checked: it is untrusted, like all that model code can touch."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class RuntimeWord:
    """The runtime's /status. `sample` is the predict body it made or was given."""

    state: Literal["loading", "ready", "failed"]
    reason: str = ""
    message: str = ""
    sha256: str = ""
    signature: dict[str, Any] | None = None
    sample: dict[str, Any] | None = None
    libraries: dict[str, Any] | None = None
    sandbox: dict[str, Any] | None = None
    differences: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class SampleReply:
    """What /predict gave for the sample: `body` of a 200, or the reason and message of a refusal."""

    status: int
    body: str = ""
    reason: str = ""
    message: str = ""
