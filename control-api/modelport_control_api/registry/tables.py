"""The tables of models, their versions, and their batch jobs with chunks."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy import false as sa_false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from modelport_control_api.db.base import Base, Identified, utc_now
from modelport_control_api.drift.tables import DriftStateRow


class BatchJob(Identified, Base):
    """`version` is pinned at submission. A job is prepared (its input cut into chunks), then predicted.

    `lease_until` and `worker` name who prepares it; each chunk has its own.
    """

    __tablename__ = "batch_jobs"
    __table_args__ = (
        Index(None, "owner_id", "created_at", "id"),
        Index(None, "owner_id", "files_removed_at"),
        Index(None, "state", "created_at"),
        UniqueConstraint("owner_id", "idempotency_key"),
    )

    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    model_id: Mapped[str] = mapped_column(String(127), index=True)
    version: Mapped[str] = mapped_column(String(63))
    purpose: Mapped[str] = mapped_column(String(20), default="", server_default="")
    """Empty: a user's. Else the platform's own, which nobody sees as a job."""
    state: Mapped[str] = mapped_column(String(10), default="queued")
    """queued, running, succeeded, failed or cancelled."""
    reason: Mapped[str] = mapped_column(String(63), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    waiting_for: Mapped[str] = mapped_column(Text, default="")
    """In words, while its rows wait for a pod."""
    input_format: Mapped[str] = mapped_column(String(10))
    output_format: Mapped[str] = mapped_column(String(10))
    signature: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    """The version's, at submission."""
    input_name: Mapped[str] = mapped_column(String(255), default="")
    """Of the file, as its submitter called it; empty where that is unknown."""
    retry_of: Mapped[str | None] = mapped_column(String(36))
    """The job whose rows are tried again. It may be gone."""
    retry_rows: Mapped[str] = mapped_column(String(10), default="")
    """Which of them: all or failed."""
    input_uri: Mapped[str | None] = mapped_column(Text)
    """Where the input is read from, unless it was uploaded."""
    input_bytes: Mapped[int | None] = mapped_column(BigInteger)
    key_columns: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    probabilities: Mapped[bool] = mapped_column(default=False)
    """Whether results have them beside the prediction."""
    contributions: Mapped[bool] = mapped_column(default=False, server_default=sa_false())
    """Likewise."""
    rows_total: Mapped[int | None] = mapped_column(BigInteger)
    """Known once the input was read to its end."""
    rows_done: Mapped[int] = mapped_column(BigInteger, default=0)
    """With a prediction or an error."""
    rows_failed: Mapped[int] = mapped_column(BigInteger, default=0)
    result_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    """Of the result files that are counted in `rows_done`."""
    chunk_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Of the files of its chunks."""
    chunks_prepared: Mapped[int] = mapped_column(default=0)
    prepare_attempts: Mapped[int] = mapped_column(default=0)
    """How often its input was taken to be cut, and not given back."""
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    request_sha256: Mapped[str | None] = mapped_column(String(64))
    """Of what was requested: another request under the same key is a mistake."""
    webhook_url: Mapped[str | None] = mapped_column(Text)
    webhook_secret: Mapped[str | None] = mapped_column(String(64))
    worker: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    """When its files are removed; set at its end."""
    files_removed_at: Mapped[datetime | None]

    @property
    def has_rows_of_another(self) -> bool:
        """They are taken from the files of `retry_of`: there is no input of its own."""
        return self.retry_of is not None and self.input_bytes is None and self.input_uri is None


class BatchChunk(Base):
    """Done: its result file is whole. That is written first, so a crash in between repeats the chunk only."""

    __tablename__ = "batch_chunks"

    job_id: Mapped[str] = mapped_column(ForeignKey("batch_jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[int]
    rows_failed: Mapped[int] = mapped_column(default=0)
    done: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]


DEFAULT_CACHE_TTL_SECONDS = 3600
DEFAULT_TIMEOUT_SECONDS = 30
DEFAULT_ACCELERATION = "auto"
DEFAULT_HISTORY_RETENTION_DAYS = 30
DEFAULT_HISTORY_MAX_ROW_BYTES = 16_384
DEFAULT_FEEDBACK_RETENTION_DAYS = 90


class ModelRow(Base):
    """`last_version` counts up forever: a name like v2 never means two different files."""

    __tablename__ = "models"
    __table_args__ = (Index(None, "owner_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(63), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    """As `models.schemas.Tag` has them: no quotes among their characters."""
    access: Mapped[str] = mapped_column(String(20), default="private")
    cache_ttl_seconds: Mapped[int | None] = mapped_column(default=DEFAULT_CACHE_TTL_SECONDS)
    rate_limit_requests: Mapped[int | None] = mapped_column(default=None)
    rate_limit_period_seconds: Mapped[int] = mapped_column(default=60)
    timeout_seconds: Mapped[int] = mapped_column(default=DEFAULT_TIMEOUT_SECONDS)
    acceleration: Mapped[str] = mapped_column(
        String(10), default=DEFAULT_ACCELERATION, server_default=DEFAULT_ACCELERATION
    )
    sticky: Mapped[str | None] = mapped_column(String(10), default=None)
    history_percent: Mapped[int | None] = mapped_column(default=None)
    history_retention_days: Mapped[int] = mapped_column(
        default=DEFAULT_HISTORY_RETENTION_DAYS, server_default=str(DEFAULT_HISTORY_RETENTION_DAYS)
    )
    """Holds for the rows that are there also once no more are kept."""
    history_redact_fields: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    history_max_row_bytes: Mapped[int] = mapped_column(
        default=DEFAULT_HISTORY_MAX_ROW_BYTES, server_default=str(DEFAULT_HISTORY_MAX_ROW_BYTES)
    )
    feedback_percent: Mapped[int | None] = mapped_column(default=None)
    feedback_retention_days: Mapped[int] = mapped_column(
        default=DEFAULT_FEEDBACK_RETENTION_DAYS, server_default=str(DEFAULT_FEEDBACK_RETENTION_DAYS)
    )
    """Holds for the rows that are there also once no more are kept."""
    feedback_id_field: Mapped[str | None] = mapped_column(String(200), default=None)
    drift_psi_threshold: Mapped[float | None] = mapped_column(default=None)
    drift_alpha: Mapped[float | None] = mapped_column(default=None)
    drift_window_rows: Mapped[int | None] = mapped_column(default=None)
    traffic: Mapped[dict[str, int]] = mapped_column(JSON)
    compatible_with: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """Versions of `traffic` that are compared with another one, whose callers they are to get."""
    previous_traffic: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True), default=None)
    last_version: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    rollout: Mapped["RolloutRow | None"] = relationship(
        primaryjoin="and_(ModelRow.id == RolloutRow.model_id, RolloutRow.ended_at.is_(None))",
        lazy="selectin",
        viewonly=True,
        uselist=False,
    )
    """The one that is going on."""
    experiment: Mapped["ExperimentRow | None"] = relationship(
        primaryjoin="and_(ModelRow.id == ExperimentRow.model_id, ExperimentRow.ended_at.is_(None))",
        lazy="selectin",
        viewonly=True,
        uselist=False,
    )
    """Likewise."""
    versions: Mapped[list["VersionRow"]] = relationship(
        order_by="VersionRow.number", lazy="selectin", cascade="all, delete-orphan", passive_deletes=True
    )


class RolloutRow(Base):
    """What was asked for, and how it ended. Where one stands that has not ended, the cluster knows.

    Of a model one at most has not ended. Numbers are never used again: what is counted has them in its key.
    """

    __tablename__ = "rollouts"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(String(63))
    baseline: Mapped[str] = mapped_column(String(63))
    """What had the most traffic when it was asked for."""
    strategy: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As `spec.rollout.strategy`."""
    paused: Mapped[bool] = mapped_column(default=False)
    decision: Mapped[str | None] = mapped_column(String(10), default=None)
    status: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """`status.rollout` when it ended."""
    counts: Mapped[dict[str, dict[str, int]] | None] = mapped_column(
        JSON(none_as_null=True), default=None, deferred=True
    )
    """What was counted when it ended, step → counter → count, but for segments: their names hold values of
    callers' rows."""
    created_by: Mapped[str] = mapped_column(String(36))
    """The user's id."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class ExperimentRow(Base):
    """An A/B test. Of a model one at most has not ended; until then its arms have the traffic.

    Numbers are never used again.
    """

    __tablename__ = "experiments"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    arms: Mapped[dict[str, int]] = mapped_column(JSON)
    """Version → percent."""
    design: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What else was asked for, as `experiments.schemas` has it."""
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The model's settings that it changed, as they were."""
    state: Mapped[str] = mapped_column(String(15), default="starting")
    """starting, running, decided, inconclusive, promoted or stopped."""
    winner: Mapped[str | None] = mapped_column(String(63), default=None)
    promoted: Mapped[str | None] = mapped_column(String(63), default=None)
    """Who got all traffic at its end, by its verdict or by a person's."""
    verdict: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """What the last look found."""
    looks: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, deferred=True)
    """What earlier ones found, in short, some of them."""
    look_at: Mapped[datetime] = mapped_column(default=utc_now)
    """When it is looked at next."""
    created_by: Mapped[str] = mapped_column(String(36))
    """The user's id."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    """What was predicted from then on counts: the arms had the traffic."""
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class BundleRow(Base):
    """What was packed of a lock; both are files of the artifact store. The bundle is wanted as long as a
    version names the lock, and a row that outlives its file says nothing."""

    __tablename__ = "bundles"

    lock_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)


class VersionRow(Base):
    """`sha256` names a file of the artifact store, which lives as long as a row does that names it."""

    __tablename__ = "model_versions"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    framework: Mapped[str] = mapped_column(String(20))
    environment: Mapped[str | None] = mapped_column(String(63), default=None)
    """None: the framework's own."""
    requirements: Mapped[str | None] = mapped_column(Text, default=None)
    """Its own, as they were given."""
    packages: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """What is locked of them."""
    lock_sha256: Mapped[str | None] = mapped_column(String(64), index=True, default=None)
    """Of the lock, a file of the artifact store too."""
    lock_bytes: Mapped[int] = mapped_column(default=0, server_default="0")
    ensemble: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """Which versions it was made of, and how they are joined."""
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    sample: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    drift_state: Mapped[DriftStateRow | None] = relationship(
        primaryjoin=(
            "and_(VersionRow.model_id == foreign(DriftStateRow.model_id), "
            "VersionRow.number == foreign(DriftStateRow.number))"
        ),
        lazy="selectin",
        viewonly=True,
    )

    @property
    def stored_bytes(self) -> int:
        """Of the files in the artifact store that it names."""
        return self.size + self.lock_bytes

    @property
    def digests(self) -> set[str]:
        """Of the files in the artifact store that it names."""
        return {self.sha256} if self.lock_sha256 is None else {self.sha256, self.lock_sha256}
