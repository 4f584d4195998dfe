"""Rows of models and versions, in and out of one transaction."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import cast

import msgspec
from modelport_crds.mlmodel import (
    Acceleration,
    Access,
    Framework,
    RolloutDecision,
    RolloutStatus,
    RolloutStrategy,
    Sticky,
)
from sqlalchemy import ColumnElement, Text, select
from sqlalchemy.orm import Session

from modelport_control_api.alerts.events import Subject
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.drift.records import DriftThresholds, to_drift_record
from modelport_control_api.identity import Principal
from modelport_control_api.registry.records import (
    FeedbackRecord,
    HistoryRecord,
    ModelRecord,
    OwnRequirements,
    RolloutRecord,
    VersionRecord,
)
from modelport_control_api.registry.tables import BundleRow, ModelRow, RolloutRow, VersionRow

# What comes from a URL may hold anything; PostgreSQL refuses a NUL with an error instead of finding nothing.
_MODEL_ID = re.compile(r"[a-z0-9-]{1,63}")


def find(session: Session, model_id: str) -> ModelRow | None:
    """Return the model; None: there is none, or the id is malformed."""
    return session.get(ModelRow, model_id) if _MODEL_ID.fullmatch(model_id) else None


def find_locked(session: Session, model_id: str) -> ModelRow | None:
    """Hold the row until the transaction ends, so that two changes of one model follow each other."""
    return session.get(ModelRow, model_id, with_for_update=True) if _MODEL_ID.fullmatch(model_id) else None


def page(
    session: Session,
    principal: Principal,
    limit: int,
    cursor: str | None,
    *,
    name: str | None = None,
    tags: Collection[str] = (),
) -> Page[ModelRow]:
    """Return the caller's own models that its credential may use, newest first. Raises CursorInvalid.

    `name`, `tags`: only those that are called so, and that have all of these.
    """
    query = select(ModelRow).where(ModelRow.owner_id == principal.user_id, *map(_has_tag, tags))
    if principal.model_ids is not None:
        query = query.where(ModelRow.id.in_(principal.model_ids))
    if name is not None:
        query = query.where(ModelRow.name == name)
    return read_page(session, query, ModelRow, limit, cursor)


def _has_tag(tag: str) -> ColumnElement[bool]:
    # Of the column's text, alike on both databases: no tag has quotes, so what is in quotes is a whole one.
    text: ColumnElement[str] = ModelRow.tags.cast(Text)
    return text.contains(json.dumps(tag), autoescape=True)


def all_rows(session: Session) -> Sequence[ModelRow]:
    """Return every owner's models, in no particular order, with their versions and drift states loaded."""
    return session.scalars(select(ModelRow)).all()


def all_ids(session: Session) -> set[str]:
    """Return the ids of every owner's models."""
    return set(session.scalars(select(ModelRow.id)))


def existing_ids(session: Session, ids: Collection[str]) -> set[str]:
    """Return those of `ids` that are models of the database."""
    found: set[str] = set()
    for batch in _batches(ids):
        found |= set(session.scalars(select(ModelRow.id).where(ModelRow.id.in_(batch))))
    return found


def referenced_digests(session: Session, digests: Collection[str]) -> set[str]:
    """Return those of `digests` that some version names, or that were packed of a lock which one names."""
    found: set[str] = set()
    for batch in _batches(digests):
        for column in (VersionRow.sha256, VersionRow.lock_sha256):
            named = session.scalars(select(column).where(column.in_(batch)).distinct())
            found |= {each for each in named if each is not None}
        found |= _of_named_locks(session, batch)
    return found


def _of_named_locks(session: Session, digests: Collection[str]) -> set[str]:
    query = (
        select(BundleRow.sha256)
        .join(VersionRow, VersionRow.lock_sha256 == BundleRow.lock_sha256)
        .where(BundleRow.sha256.in_(digests))
    )
    return set(session.scalars(query.distinct()))


def find_bundle(session: Session, lock_sha256: str) -> str | None:
    """Return the digest of what was packed of a lock; None: nothing was."""
    row = session.get(BundleRow, lock_sha256)
    return row.sha256 if row else None


def name_bundle(session: Session, lock_sha256: str, sha256: str) -> None:
    """Note what was packed of a lock."""
    session.merge(BundleRow(lock_sha256=lock_sha256, sha256=sha256))


def to_record(row: ModelRow, *, waits: bool = False) -> ModelRecord:
    """Copy the row and its versions, so that they outlive the session. `waits`: it is not published yet."""
    return ModelRecord(
        id=row.id,
        owner_id=row.owner_id,
        name=row.name,
        description=row.description,
        tags=tuple(row.tags),
        access=cast(Access, row.access),
        cache_ttl_seconds=row.cache_ttl_seconds,
        rate_limit_requests=row.rate_limit_requests,
        rate_limit_period_seconds=row.rate_limit_period_seconds,
        timeout_seconds=row.timeout_seconds,
        acceleration=cast(Acceleration, row.acceleration),
        sticky=cast(Sticky | None, row.sticky),
        history=_to_history_record(row),
        feedback=_to_feedback_record(row),
        data_drift=DriftThresholds(row.drift_psi_threshold, row.drift_alpha, row.drift_window_rows),
        traffic=dict(row.traffic),
        compatible_with=dict(row.compatible_with or {}),
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        versions=tuple(_to_version_record(version) for version in row.versions),
        rollout=to_rollout_record(row.rollout) if row.rollout else None,
        experiment=row.experiment.number if row.experiment else None,
        waits=waits,
    )


def to_rollout_record(row: RolloutRow) -> RolloutRecord:
    """Copy the row, so that it outlives the session."""
    return RolloutRecord(
        number=row.number,
        version=row.version,
        baseline=row.baseline,
        strategy=msgspec.convert(row.strategy, RolloutStrategy),
        paused=row.paused,
        decision=cast(RolloutDecision | None, row.decision),
        status=msgspec.convert(row.status, RolloutStatus) if row.status else None,
        created_by=row.created_by,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def subject_of(row: ModelRow) -> Subject:
    """Return who is told of what happens to the model."""
    return Subject(row.owner_id, row.id, row.name)


def own_of(row: VersionRow) -> OwnRequirements | None:
    """Return the version's own requirements; None: it has none."""
    if row.lock_sha256 is None:
        return None
    return OwnRequirements(row.requirements or "", row.lock_sha256, tuple(row.packages or ()), row.lock_bytes)


def _to_history_record(row: ModelRow) -> HistoryRecord | None:
    if row.history_percent is None:
        return None
    return HistoryRecord(
        percent=row.history_percent,
        retention_days=row.history_retention_days,
        redact_fields=tuple(row.history_redact_fields),
        max_row_bytes=row.history_max_row_bytes,
    )


def _to_feedback_record(row: ModelRow) -> FeedbackRecord | None:
    if row.feedback_percent is None:
        return None
    return FeedbackRecord(row.feedback_percent, row.feedback_retention_days, row.feedback_id_field)


def _batches(values: Collection[str]) -> Iterator[list[str]]:
    """Databases bound the parameters of one statement."""
    ordered = sorted(values)
    for start in range(0, len(ordered), 500):
        yield ordered[start : start + 500]


def _to_version_record(row: VersionRow) -> VersionRecord:
    return VersionRecord(
        number=row.number,
        framework=cast(Framework, row.framework),
        environment=row.environment,
        sha256=row.sha256,
        size=row.size,
        sample=row.sample,
        created_at=row.created_at,
        data_drift=to_drift_record(row.drift_state) if row.drift_state else None,
        own=own_of(row),
        ensemble=row.ensemble,
    )
