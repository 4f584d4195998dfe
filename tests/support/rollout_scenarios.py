"""Candidates of many kinds, through an open loop of callers: how the rollout of each ends, in which words."""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from tests.support.open_loop import UNLIMITED, OpenLoop, Report
from tests.support.platform_process import wait_until_ready
from tests.support.slowness import slowness
from tests.support.waiting import eventually

_RATE = 100
_SECONDS = 400
_QUICK = {
    "replay": {"rows": 0},
    "steps": [5, 50],
    "step_minutes": 0,
    "step_requests": 30,
    "bake_minutes": 0,
}
# Nothing but how slow callers find it can end this one.
_BY_CALLERS = _QUICK | {
    "shadow": {"percent": 1, "min_rows": 0},
    "steps": [50],
    "step_requests": 100_000,
    "guardrails": {"disagreement": "off", "error_rate": "off", "refusal_rate": "off"},
}
_CODE = """
import time
from typing import Literal, TypedDict

import numpy as np


class Row(TypedDict):
    size: float
    shape: Literal["round", "square"]


class Model:
    def load(self, folder):
        {load}

    def predict(self, rows: list[Row]):
        {each}
        return [{row} for row in rows]
"""
_USUAL = "'big' if row['size'] > 0.5 else 'small'"
# On a busy machine 50 ms are nothing beside what callers wait anyway.
_SLOW = f"time.sleep({0.05 * slowness():.3f})"
# A tenth is square.
_BODIES = [
    orjson.dumps({"input": {"size": number / 200, "shape": "round" if number % 10 else "square"}})
    for number in range(200)
]


@dataclass(frozen=True)
class Scenario:
    """A candidate's code beside `_CODE`'s usual one, and how its rollout ends."""

    state: str
    verdict: str
    row: str = _USUAL
    each: str = "pass"
    load: str = "pass"
    strategy: dict[str, Any] = field(default_factory=dict)
    baseline: str = _USUAL


_ONE_MORE = re.escape(" more of the requests than v1 (1 % tolerated); v1 serves on.")
_OTHERWISE = re.escape(" of rows otherwise than v1 (1 % tolerated)")
_SLOWER = r"the slowest hundredth of v2's answers takes at least [\d.e+]+ times as long as v1's "
SCENARIOS = {
    "the same": Scenario("promoted", r"v2 stayed within what is tolerated over .* of callers; v2 serves\."),
    "better where it was wrong": Scenario(
        "promoted",
        r"v2 stayed within what is tolerated over .* of callers; v2 serves\.",
        row="'big' if row['size'] > 0.45 else 'small'",
        strategy={"guardrails": {"disagreement": 0.2}},
    ),
    "other labels": Scenario(
        "rolled_back",
        rf"v2 answers 100 %{_OTHERWISE}; v1 serves on\.",
        row="'small' if row['size'] > 0.5 else 'big'",
    ),
    "slow": Scenario("rolled_back", rf"{_SLOWER}\(2 times tolerated\); v1 serves on\.", each=_SLOW),
    "slow, as callers find": Scenario(
        "rolled_back",
        rf"{_SLOWER}\(2 times tolerated\); v1 serves on\.",
        each=_SLOW,
        strategy=_BY_CALLERS,
    ),
    "raises on a segment": Scenario(
        "rolled_back", rf"v2 fails [\d.]+ %{_ONE_MORE}", row="{'round': 1}[row['shape']] and " + _USUAL
    ),
    "answers NaN on a segment": Scenario(
        "rolled_back",
        rf"v2 answers [\d.]+ %{_OTHERWISE}, mostly where `shape` is square; v1 serves on\.",
        row="row['size'] if row['shape'] == 'round' else float('nan')",
        baseline="row['size']",
    ),
    "too big": Scenario(
        "rolled_back",
        r"v2 did not start: .*memory.*\. v1 serves on\.",
        load="self.much = np.ones((1 << 20, 1 << 12))",
    ),
}


async def check_end(name: str, owner: httpx.Client) -> None:
    """Have the candidate of that name rolled out by a user's session, while others call the model."""
    scenario = SCENARIOS[name]
    model = await asyncio.to_thread(_serve, owner, scenario.baseline)
    # Else the cache answers: there are few different rows.
    headers = {"Authorization": owner.headers["Authorization"], "Cache-Control": "no-store"}
    async with OpenLoop(f"{owner.base_url}/predict/{model}", _BODIES, headers, rate=_RATE) as loop:
        found = await asyncio.to_thread(_rolled_out, owner, model, scenario)
        report = await loop.finish()
    assert found["state"] == scenario.state, found
    assert re.fullmatch(scenario.verdict, found["verdict"]), found["verdict"]
    print(name, found["verdict"], _said(report))
    assert set(report.statuses) == {200}, _said(report)


def _code(row: str, each: str = "pass", load: str = "pass", note: str = "") -> bytes:
    return (_CODE.format(row=row, each=each, load=load) + f"# {note}\n").encode()


def _serve(owner: httpx.Client, row: str) -> str:
    files = {"file": ("model.py", _code(row))}
    made = owner.post("/api/v1/models/upload", files=files, data={"name": "Shapes"})
    model = str(made.raise_for_status().json()["id"])
    owner.patch(f"/api/v1/models/{model}", json=UNLIMITED).raise_for_status()
    wait_until_ready(owner, model)
    return model


def _rolled_out(owner: httpx.Client, model: str, scenario: Scenario) -> dict[str, Any]:
    """Begin it, and return it as it ends."""
    files = {"file": ("model.py", _code(scenario.row, scenario.each, scenario.load, note="v2"))}
    owner.post(f"/api/v1/models/{model}/versions", files=files, data={"traffic": "0"}).raise_for_status()
    strategy = _QUICK | scenario.strategy
    begun = owner.post(f"/api/v1/models/{model}/rollouts", json={"version": "v2", "strategy": strategy})
    assert begun.status_code == 201, begun.text
    path = f"/api/v1/models/{model}/rollouts/{begun.json()['id']}"

    def ended() -> Any:
        found = owner.get(path).raise_for_status().json()
        return found if found["ended_at"] else None

    found: dict[str, Any] = eventually(ended, seconds=_SECONDS, every=0.2)
    return found


def _said(report: Report) -> dict[str, Any]:
    return {
        "statuses": dict(report.statuses),
        "versions": dict(Counter(each.version for each in report.sent)),
        "p99_ms": round(1000 * report.latency(99), 1),
        "errors": [each.error for each in report.failed[:3]],
    }
