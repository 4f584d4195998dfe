"""Rows of references, counts and states, in and out of one transaction."""

from collections.abc import Collection, Sequence

from modelport_telemetry.usage import drift_counts
from modelport_telemetry.usage.drift_counts import DriftCounts
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from modelport_control_api.db import statements
from modelport_control_api.drift.evaluation.evaluate import Counted, total
from modelport_control_api.drift.profiles.profile import Profile, size_of, to_json
from modelport_control_api.drift.profiles.times import slot_of_minute
from modelport_control_api.drift.tables import DriftCountsRow, DriftReferenceRow, DriftStateRow

_SLICE_ROWS = 1000


def find_reference(session: Session, model_id: str, number: int) -> DriftReferenceRow | None:
    """Return the version's reference; None: it has none."""
    return session.scalars(
        select(DriftReferenceRow).where(
            DriftReferenceRow.model_id == model_id, DriftReferenceRow.number == number
        )
    ).one_or_none()


def keep_reference(session: Session, model_id: str, number: int, profile: Profile) -> DriftReferenceRow:
    """Store it in place of the one before, whose counts and state go."""
    remove_reference(session, model_id, number)
    row = DriftReferenceRow(
        model_id=model_id,
        number=number,
        rows=profile.rows,
        profile=to_json(profile),
        bytes=size_of(profile),
    )
    return _add_reference(session, row)


def copy_reference(session: Session, model_id: str, number: int, to: int) -> None:
    """Give the version `to`, which has none, the reference of `number`, if that has one; not its counts."""
    given = find_reference(session, model_id, number)
    if given is not None:
        copy = DriftReferenceRow(
            model_id=model_id, number=to, rows=given.rows, profile=given.profile, bytes=given.bytes
        )
        _add_reference(session, copy)


def _add_reference(session: Session, row: DriftReferenceRow) -> DriftReferenceRow:
    session.add(row)
    session.flush()
    # Pending, so that it soon shows how many rows are wanted.
    state = DriftStateRow(
        reference_id=row.id, model_id=row.model_id, number=row.number, state="collecting", pending=True
    )
    session.add(state)
    session.flush()
    return row


def remove_reference(session: Session, model_id: str, number: int) -> int | None:
    """Return how many rows it was made of; None: there was none."""
    of_version = (DriftReferenceRow.model_id == model_id, DriftReferenceRow.number == number)
    gone = delete(DriftReferenceRow).where(*of_version).returning(DriftReferenceRow.rows)
    rows = session.scalars(gone).one_or_none()
    if rows is not None:
        session.expire_all()
    return rows


def all_references(session: Session) -> list[tuple[str, str, int]]:
    """Id, model and version number of each."""
    columns = (DriftReferenceRow.id, DriftReferenceRow.model_id, DriftReferenceRow.number)
    return [(id_, model_id, number) for id_, model_id, number in session.execute(select(*columns))]


def add_counts(session: Session, arrived: Sequence[DriftCounts]) -> None:
    """Add to the rows of their minutes. What is for a reference that is no longer there is left out."""
    of_reference: dict[tuple[str, int], list[DriftCounts]] = {}
    for counts in arrived:
        of_reference.setdefault((counts.reference, counts.minute), []).append(counts)
    known = _existing(session, {reference for reference, _ in of_reference})
    # In the order of their keys: two writers never wait for each other.
    for (reference, minute), parts in sorted(of_reference.items()):
        if reference in known:
            _add(session, reference, minute, parts)
    mark_pending(session, known)


def mark_pending(session: Session, references: Collection[str]) -> None:
    """Have the references with these ids evaluated again. An unknown id is no error."""
    session.execute(
        update(DriftStateRow).where(DriftStateRow.reference_id.in_(sorted(references))).values(pending=True)
    )


def mark_model_pending(session: Session, model_id: str) -> None:
    """Have the references of all versions of the model evaluated again."""
    session.execute(update(DriftStateRow).where(DriftStateRow.model_id == model_id).values(pending=True))


def pending_references(session: Session) -> list[str]:
    """Return the ids of references that are to be evaluated again."""
    return list(session.scalars(select(DriftStateRow.reference_id).where(DriftStateRow.pending)))


def newest(session: Session, reference: str, wanted_rows: int) -> list[DriftCountsRow]:
    """Return the newest minutes that hold as many rows, or all there are; the newest first."""
    minutes = session.execute(
        select(DriftCountsRow.minute, DriftCountsRow.rows)
        .where(DriftCountsRow.reference_id == reference)
        .order_by(DriftCountsRow.minute.desc())
    )
    start, held = None, 0
    for minute, rows in minutes:
        start, held = minute, held + rows
        if held >= wanted_rows:
            break
    if start is None:
        return []
    return between(session, [reference], start, None)


def between(
    session: Session, references: Collection[str], start: int, end: int | None
) -> list[DriftCountsRow]:
    """Return the minutes from `start` to before `end`, the newest first."""
    query = select(DriftCountsRow).where(
        DriftCountsRow.reference_id.in_(sorted(references)), DriftCountsRow.minute >= start
    )
    if end is not None:
        query = query.where(DriftCountsRow.minute < end)
    return list(session.scalars(query.order_by(DriftCountsRow.minute.desc())))


def predictions_between(
    session: Session, model_id: str, numbers: Collection[int] | None, start: int, end: int
) -> list[dict[str, int]]:
    """Return the predictions' counts of each minute in `start` to `end` (minutes since 1970)."""
    query = (
        select(DriftCountsRow.predictions)
        .join(DriftReferenceRow, DriftReferenceRow.id == DriftCountsRow.reference_id)
        .where(
            DriftReferenceRow.model_id == model_id,
            DriftCountsRow.minute >= start,
            DriftCountsRow.minute < end,
        )
    )
    if numbers is not None:
        query = query.where(DriftReferenceRow.number.in_(sorted(numbers)))
    return list(session.scalars(query))


def remove_before(session: Session, minute: int) -> int:
    """Remove a slice of the counts before that minute; give how many went."""
    old = (
        select(DriftCountsRow.reference_id, DriftCountsRow.minute)
        .where(DriftCountsRow.minute < minute)
        .limit(_SLICE_ROWS)
    )
    keys = session.execute(old).all()
    for reference, at in keys:
        session.execute(
            delete(DriftCountsRow).where(
                DriftCountsRow.reference_id == reference, DriftCountsRow.minute == at
            )
        )
    return len(keys)


def counted(rows: Sequence[DriftCountsRow]) -> Counted:
    """Return the rows' counts added up, with the hours that their minutes are in; zeros for no rows."""
    return total(map(_counted, rows))


def _counted(row: DriftCountsRow) -> Counted:
    counts = row.counts
    counted = counts.get("counted", row.rows)
    return Counted(
        rows=row.rows,
        counted=counted,
        features=counts.get("features", {}),
        predictions=row.predictions,
        values=counts.get("values", {}),
        blocks=counts.get("blocks", {}),
        hours={slot_of_minute(row.minute): counted},
    )


def _existing(session: Session, references: Collection[str]) -> set[str]:
    query = select(DriftReferenceRow.id).where(DriftReferenceRow.id.in_(sorted(references)))
    return set(session.scalars(query))


def _add(session: Session, reference: str, minute: int, parts: Sequence[DriftCounts]) -> None:
    empty = {"reference_id": reference, "minute": minute, "rows": 0, "counts": {}, "predictions": {}}
    insert = statements.insert(session, DriftCountsRow.__table__)
    session.execute(insert.values(empty).on_conflict_do_nothing())
    row = session.get_one(DriftCountsRow, (reference, minute), with_for_update=True, populate_existing=True)
    whole = counted([row])
    for part in parts:
        whole.add(_arrived(part))
    row.rows = whole.rows
    row.counts = {
        "features": whole.features,
        "counted": whole.counted,
        "values": whole.values,
        "blocks": whole.blocks,
    }
    row.predictions = whole.predictions
    session.flush()


def _arrived(part: DriftCounts) -> Counted:
    counted = part.rows if part.counted is None else part.counted
    return Counted(part.rows, counted, part.features, part.predictions, part.values, part.blocks)


def write(session: Session, payloads: list[bytes]) -> None:
    """Raises ValueError if one of them is no `DriftCounts`."""
    add_counts(session, [drift_counts.decode(payload) for payload in payloads])
