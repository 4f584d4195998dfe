"""Sends kept rows to both versions of a rollout and counts what came of it."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from modelport_evidence import counters
from modelport_evidence.comparing import disagreements
from modelport_evidence.counters import BASELINE, CANDIDATE

from modelport_operator.core.rollout.facts import Counts, ReplayRequest
from modelport_operator.shell.runtimes import Answer, Runtimes

_ROWS_AT_ONCE = 50
_OK = 200


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
    if len(rows) == 1 or all(answer.status == _OK for answer in answers):
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
    if baseline.status == candidate.status == _OK:
        differing = disagreements(_decoded(baseline), _decoded(candidate))
        total.update({counters.ROWS: len(differing), counters.DISAGREEMENTS: sum(differing)})
    elif baseline.status == _OK:
        total[_alone(candidate, CANDIDATE)] += rows
    elif candidate.status == _OK:
        total[_alone(baseline, BASELINE)] += rows
    return total


def _alone(answer: Answer, side: str) -> str:
    return counters.refused_alone(side) if 400 <= answer.status < 500 else counters.failed_alone(side)


def _decoded(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
