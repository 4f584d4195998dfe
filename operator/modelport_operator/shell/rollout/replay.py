"""Sends kept rows to both versions of a rollout and counts what came of it."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from modelport_evidence import counters
from modelport_evidence.comparing import disagreements
from modelport_evidence.counters import BASELINE, CANDIDATE, OK

from modelport_operator.core.rollout.facts import Counts, ReplayRequest
from modelport_operator.shell.runtimes import Answer, Runtimes

_ROWS_AT_ONCE = 50


async def replay(runtimes: Runtimes, request: ReplayRequest, rows: Sequence[Any]) -> Counts | None:
    """Return counters, of which PAIRS are rows here; None: a version did not respond, so try again."""
    total: Counter[str] = Counter()
    for block in _blocks(rows):
        found = await _compare(runtimes, request, block)
        if found is None:
            return None
        total.update(found)
    return total


def _blocks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[begin : begin + _ROWS_AT_ONCE]


async def _compare(runtimes: Runtimes, request: ReplayRequest, rows: Sequence[Any]) -> Counter[str] | None:
    answers = await _both(runtimes, request, rows)
    if answers is None:
        return None
    if len(rows) == 1 or all(answer.status == OK for answer in answers):
        return _counted(*answers, rows=len(rows))
    # One row may have spoiled it for all: each for itself tells which.
    total: Counter[str] = Counter()
    for row in rows:
        found = await _compare(runtimes, request, [row])
        if found is None:
            return None
        total.update(found)
    return total


async def _both(
    runtimes: Runtimes, request: ReplayRequest, rows: Sequence[Any]
) -> tuple[Answer, Answer] | None:
    body = json.dumps({"inputs": list(rows)}, separators=(",", ":")).encode()
    asked = (runtimes.answer(address, body) for address in (request.baseline, request.candidate))
    baseline, candidate = await asyncio.gather(*asked)
    return None if baseline is None or candidate is None else (baseline, candidate)


def _counted(baseline: Answer, candidate: Answer, *, rows: int) -> Counter[str]:
    total = Counter({counters.PAIRS: rows})
    statuses = {BASELINE: baseline.status, CANDIDATE: candidate.status}
    if baseline.status == candidate.status == OK:
        differing = disagreements(_decoded(baseline), _decoded(candidate))
        total.update({counters.ROWS: len(differing), counters.DISAGREEMENTS: sum(differing)})
    elif alone := counters.unanswered_alone(statuses):
        total[alone] += rows
    return total


def _decoded(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
