"""A model as the database has it, detached from any session: what the rest of the code passes around."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from modelport_crds.mlmodel import (
    Acceleration,
    Access,
    Framework,
    RolloutDecision,
    RolloutStatus,
    RolloutStrategy,
    Sticky,
)

from modelport_control_api.drift.records import DriftRecord, DriftThresholds

Traffic = Mapping[str, int]
"""Version → percent; sums to 100."""
CompatibleWith = Mapping[str, str]
"""Version → the one whose callers it is to get: while it lacks what they depend on, no traffic moves."""


ManagedBy = Literal["api", "kubectl"]
_PLATFORMS = DriftThresholds()


@dataclass(frozen=True, slots=True)
class OwnRequirements:
    """What a version was uploaded with, and the lock that was made of it, a file of the artifact store."""

    given: str
    lock_sha256: str
    packages: tuple[str, ...]
    """What is locked: `numpy==1.26.4`."""
    lock_bytes: int = 0


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """`environment` None: the framework's own. `size` is in bytes, None where only a URI is known; `sample`
    is a predict body with one row."""

    number: int
    framework: Framework
    environment: str | None
    sha256: str
    size: int | None
    sample: dict[str, Any] | None
    created_at: datetime
    data_drift: DriftRecord | None = None
    """None: the version has no reference."""
    own: OwnRequirements | None = None
    """None: it runs with libraries that the platform chose."""
    ensemble: dict[str, Any] | None = None
    """Which versions it was made of, and how they are joined; None: it is a file that was uploaded."""

    @property
    def name(self) -> str:
        return f"v{self.number}"


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """How much of a model's predictions is kept, in percent, days and bytes a row."""

    percent: int
    retention_days: int
    redact_fields: tuple[str, ...]
    max_row_bytes: int


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """How much of what a model predicts is kept to be compared with the truth, in percent and days.

    `id_field`: the column whose value stands for the row; None: the request's id does.
    """

    percent: int
    retention_days: int
    id_field: str | None


@dataclass(frozen=True, slots=True)
class RolloutRecord:
    """A rollout as it was asked for; `status`: how it ended, None while it goes on."""

    number: int
    version: str
    baseline: str
    strategy: RolloutStrategy
    paused: bool
    decision: RolloutDecision | None
    status: RolloutStatus | None
    created_by: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """`cache_ttl_seconds` None: responses are not cached. `rate_limit_requests` None: the platform's limit.
    `sticky` None: each request is drawn by the weights. `history` None: no predictions are kept.

    `revision` grows with every change, so that a publisher sees that it applied an outdated one.
    """

    id: str
    owner_id: str | None
    name: str
    description: str
    access: Access
    cache_ttl_seconds: int | None
    rate_limit_requests: int | None
    rate_limit_period_seconds: int
    timeout_seconds: int
    acceleration: Acceleration
    sticky: Sticky | None
    history: HistoryRecord | None
    traffic: Traffic
    revision: int
    created_at: datetime
    updated_at: datetime
    versions: tuple[VersionRecord, ...] = field(default=())
    compatible_with: CompatibleWith = field(default_factory=dict)
    data_drift: DriftThresholds = _PLATFORMS
    tags: tuple[str, ...] = ()
    """In the order of the alphabet; the cluster knows none."""
    rollout: RolloutRecord | None = None
    """The one that is going on."""
    experiment: int | None = None
    """The number of the one that is going on."""
    feedback: FeedbackRecord | None = None
    """None: nothing is compared with the truth."""
    managed_by: ManagedBy = "api"
    waits: bool = False
    """The last change is not yet published to the cluster."""

    def version(self, name: str) -> VersionRecord | None:
        """Return the version of this name; None: there is none."""
        return next((version for version in self.versions if version.name == name), None)
