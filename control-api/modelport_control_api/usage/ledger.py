"""Writing batches down: each once, however often and in whatever order it comes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from modelport_telemetry.usage.wire import UsageBatch, UsageLine
from sqlalchemy.orm import Session

from modelport_control_api.db import statements
from modelport_control_api.ground_truth.writing import write_predictions
from modelport_control_api.usage import tables
from modelport_control_api.usage.metrics import BATCHES_AGAIN, REQUESTS_DROPPED, REQUESTS_WRITTEN
from modelport_control_api.usage.tables import (
    EVERYBODY,
    RequestsOfDay,
    RequestsOfHour,
    RequestsOfMinute,
    RolloutEvidence,
    TotalsOfDay,
    TotalsOfHour,
    TotalsOfMinute,
    UsageBatchRow,
)

Key = tuple[str, int, str]
"""Model's id, start, version: the primary key."""


@dataclass(slots=True)
class Total:
    """`latencies`: requests by bucket."""

    requests: int = 0
    errors: int = 0
    refused: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    latencies: dict[int, int] = field(default_factory=dict)

    def add(self, line: UsageLine) -> None:
        """Add the line's requests: as errors from status 500 on, as refused from 400 to 499."""
        self.requests += line.requests
        self.errors += line.requests if line.status >= 500 else 0
        self.refused += line.requests if 400 <= line.status < 500 else 0
        self.cache_hits += line.requests if line.cache == "hit" else 0
        self.cache_misses += line.requests if line.cache == "miss" else 0
        for bucket, requests in line.latency.items():
            self.latencies[bucket] = self.latencies.get(bucket, 0) + requests


def totals(lines: Iterable[UsageLine], seconds: int) -> Mapping[Key, Total]:
    """Of each model and version, and of everybody's, in each period of so many seconds."""
    found: dict[Key, Total] = {}
    for line in lines:
        start = line.minute * 60 // seconds * seconds
        for key in ((line.model, start, line.version), (EVERYBODY, start, "")):
            found.setdefault(key, Total()).add(line)
    return found


_HOUR, _DAY = 3600, 86_400
_PERIODS = (
    (60, RequestsOfMinute, TotalsOfMinute),
    (_HOUR, RequestsOfHour, TotalsOfHour),
    (_DAY, RequestsOfDay, TotalsOfDay),
)
_SUMS = ("requests", "errors", "refused", "cache_hits", "cache_misses")

_Key = tuple[str | int, ...]


def write(session: Session, batches: Sequence[UsageBatch]) -> int:
    """Add those batches that the ledger does not have yet, and give how many they were.

    When the transaction is committed the ledger has all of `batches`.
    """
    new = _remember(session, {batch.id: batch for batch in batches})
    # Only of nothing is a row's sum not more than what was added to it, which `_add_totals` goes by.
    lines = [line for batch in new for line in batch.lines if line.requests]
    _add(session, RolloutEvidence.__table__, _evidence(new), "count")
    write_predictions(session, _observed(new))
    for seconds, requests, _ in _PERIODS:
        _add(session, requests.__table__, _requests(lines, seconds))
    # Last: from everybody's totals on writers follow each other.
    for seconds, _, sums in _PERIODS:
        _add_totals(session, sums.__table__, totals(lines, seconds))
    REQUESTS_WRITTEN.inc(sum(line.requests for line in lines))
    REQUESTS_DROPPED.inc(sum(batch.dropped for batch in new))
    BATCHES_AGAIN.inc(len(batches) - len(new))
    return len(new)


def _remember(session: Session, batches: Mapping[str, UsageBatch]) -> list[UsageBatch]:
    """Note the batches as written; give those that were not before. One that another writes is waited for."""
    table = UsageBatchRow.__table__
    new: list[UsageBatch] = []
    # In the order of their keys, as all that is written here: two writers never wait for each other.
    for id_ in sorted(batches):
        batch = batches[id_]
        row = {
            "id": id_,
            "gateway": batch.gateway,
            "requests": sum(line.requests for line in batch.lines),
            "dropped": batch.dropped,
        }
        added = session.execute(
            statements.insert(session, table).values(row).on_conflict_do_nothing().returning(table.c.id)
        )
        if added.first() is not None:
            new.append(batch)
    return new


def _requests(lines: Sequence[UsageLine], seconds: int) -> Mapping[_Key, int]:
    counts: Counter[_Key] = Counter()
    for line in lines:
        who = (line.caller, line.api_key, line.status, line.reason, line.cache)
        counts[(line.model, _start(line, seconds), line.version, *who)] += line.requests
    return counts


def _evidence(batches: Sequence[UsageBatch]) -> Mapping[_Key, int]:
    counts: Counter[_Key] = Counter()
    for batch in batches:
        for line in batch.evidence:
            counts[(line.model, line.rollout, line.step, line.counter)] += line.count
    return counts


def _observed(batches: Sequence[UsageBatch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        for each in batch.observed:
            yield {
                "model_id": each.model, "prediction_id": each.id, "row": each.row, "version": each.version,
                "at": datetime.fromtimestamp(each.at, UTC), "unit": each.unit, "arm": each.arm,
                "prediction": each.prediction, "probabilities": each.probabilities,
            }  # fmt: skip


def _start(line: UsageLine, seconds: int) -> int:
    return line.minute * 60 // seconds * seconds


def _add(session: Session, table: Any, counts: Mapping[_Key, int], column: str = "requests") -> None:
    names = [each.name for each in table.primary_key.columns]
    statement = _adding(session, table, [column])
    for keys in statements.slices(sorted(counts)):
        rows = [dict(zip(names, key, strict=True)) | {column: counts[key]} for key in keys]
        session.execute(statement, rows)


def _add_totals(session: Session, table: Any, sums: Mapping[Key, Total]) -> None:
    key = table.primary_key.columns
    statement = _adding(session, table, _SUMS).returning(*key, table.c.requests, table.c.latencies)
    for keys in statements.slices(sorted(sums)):
        # Locked from here on: nobody else adds to the latencies that are read.
        found = session.execute(statement, [_row(*each, sums[each]) for each in keys])
        grown = {(model, start, version): packed for model, start, version, requests, packed in found
                 if requests > sums[model, start, version].requests}  # fmt: skip
        _set_latencies(session, table, {each: sums[each] for each in sorted(grown)}, grown)


def _set_latencies(
    session: Session, table: Any, sums: Mapping[Key, Total], packed: Mapping[Key, str | None]
) -> None:
    """Histograms are added up here, not in the database: no function of both of ours does that."""
    insert = statements.insert(session, table)
    # Every row is there: an insert of many rows is an update of many rows in one statement.
    statement = insert.on_conflict_do_update(
        index_elements=list(table.primary_key.columns), set_={"latencies": insert.excluded.latencies}
    )
    rows = [
        _row(*key, total) | {"latencies": tables.added(packed[key], total.latencies)}
        for key, total in sums.items()
    ]
    if rows:
        session.execute(statement, rows)


def _row(model_id: str, start: int, version: str, total: Total) -> dict[str, Any]:
    return {
        "model_id": model_id, "start": start, "version": version, "requests": total.requests,
        "errors": total.errors, "refused": total.refused, "cache_hits": total.cache_hits,
        "cache_misses": total.cache_misses, "latencies": tables.pack(total.latencies),
    }  # fmt: skip


def _adding(session: Session, table: Any, columns: Sequence[str]) -> Any:
    """An insert that adds to those columns of a row that is there."""
    insert = statements.insert(session, table)
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: table.c[name] + insert.excluded[name] for name in columns},
    )
