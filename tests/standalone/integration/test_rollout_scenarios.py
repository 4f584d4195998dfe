"""Candidates of many kinds, through an open loop of callers: each ends as it should, in the right words."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest

from tests.support.open_loop import OpenLoop, Report
from tests.support.platform_process import PlatformProcess, wait_until_ready
from tests.support.slowness import slowness

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
RATE = 100
SECONDS = 300
QUICK = {
    "replay": {"rows": 0},
    "steps": [5, 50],
    "step_minutes": 0,
    "step_requests": 30,
    "bake_minutes": 0,
}
# Nothing but how slow callers find it can end this one.
BY_CALLERS = QUICK | {
    "shadow": {"percent": 1, "min_rows": 0},
    "steps": [50],
    "step_requests": 100_000,
    "guardrails": {"disagreement": "off", "error_rate": "off", "refusal_rate": "off"},
}
CODE = """
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
USUAL = "'big' if row['size'] > 0.5 else 'small'"
# On a busy machine 50 ms are nothing beside what callers wait anyway.
SLOW = f"time.sleep({0.05 * slowness():.3f})"
# A tenth is square.
BODIES = [
    orjson.dumps({"input": {"size": number / 200, "shape": "round" if number % 10 else "square"}})
    for number in range(200)
]


@dataclass(frozen=True)
class Scenario:
    """A candidate's code beside `CODE`'s usual one, and how its rollout ends."""

    state: str
    verdict: str
    row: str = USUAL
    each: str = "pass"
    load: str = "pass"
    strategy: dict[str, Any] = field(default_factory=dict)
    baseline: str = USUAL


ONE_MORE = re.escape(" more of the requests than v1 (1 % tolerated); v1 serves on.")
OTHERWISE = re.escape(" of rows otherwise than v1 (1 % tolerated)")
SLOWER = r"the slowest hundredth of v2's answers takes at least [\d.e+]+ times as long as v1's "
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
        rf"v2 answers 100 %{OTHERWISE}; v1 serves on\.",
        row="'small' if row['size'] > 0.5 else 'big'",
    ),
    "slow": Scenario("rolled_back", rf"{SLOWER}\(2 times tolerated\); v1 serves on\.", each=SLOW),
    "slow, as callers find": Scenario(
        "rolled_back",
        rf"{SLOWER}\(2 times tolerated\); v1 serves on\.",
        each=SLOW,
        strategy=BY_CALLERS,
    ),
    "raises on a segment": Scenario(
        "rolled_back", rf"v2 fails [\d.]+ %{ONE_MORE}", row="{'round': 1}[row['shape']] and " + USUAL
    ),
    "answers NaN on a segment": Scenario(
        "rolled_back",
        rf"v2 answers [\d.]+ %{OTHERWISE}, mostly where `shape` is square; v1 serves on\.",
        row="row['size'] if row['shape'] == 'round' else float('nan')",
        baseline="row['size']",
    ),
    "too big": Scenario(
        "rolled_back",
        r"v2 did not start: .*memory.*\. v1 serves on\.",
        load="self.much = np.ones((1 << 20, 1 << 12))",
    ),
}
EACH_TIME = {"raises on a segment", "too big"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    running = PlatformProcess(tmp_path_factory.mktemp("scenarios")).start()
    yield running
    running.stop()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in EACH_TIME else pytest.mark.nightly) for name in SCENARIOS],
)
async def test_a_candidate_ends_as_it_should(name: str, platform: PlatformProcess) -> None:
    scenario = SCENARIOS[name]
    with await asyncio.to_thread(platform.register_user) as owner:
        model = await asyncio.to_thread(serve, owner, scenario.baseline)
        # Else the cache answers: there are few different rows.
        headers = {"Authorization": owner.headers["Authorization"], "Cache-Control": "no-store"}
        async with OpenLoop(f"{platform.url}/predict/{model}", BODIES, headers, rate=RATE) as loop:
            found = await asyncio.to_thread(rolled_out, owner, model, scenario)
            report = await loop.finish()
    assert found["state"] == scenario.state, found
    assert re.fullmatch(scenario.verdict, found["verdict"]), found["verdict"]
    print(name, found["verdict"], said(report))
    assert set(report.statuses) == {200}, said(report)


def code(row: str, each: str = "pass", load: str = "pass", note: str = "") -> bytes:
    return (CODE.format(row=row, each=each, load=load) + f"# {note}\n").encode()


def serve(owner: httpx.Client, row: str) -> str:
    files = {"file": ("model.py", code(row))}
    made = owner.post("/api/v1/models/upload", files=files, data={"name": "Shapes"})
    model = str(made.raise_for_status().json()["id"])
    wait_until_ready(owner, model)
    return model


def rolled_out(owner: httpx.Client, model: str, scenario: Scenario) -> dict[str, Any]:
    """Begin it, and return it as it ends."""
    files = {"file": ("model.py", code(scenario.row, scenario.each, scenario.load, note="v2"))}
    owner.post(f"/api/v1/models/{model}/versions", files=files, data={"traffic": "0"}).raise_for_status()
    strategy = QUICK | scenario.strategy
    begun = owner.post(f"/api/v1/models/{model}/rollouts", json={"version": "v2", "strategy": strategy})
    assert begun.status_code == 201, begun.text
    path = f"/api/v1/models/{model}/rollouts/{begun.json()['id']}"
    deadline = time.monotonic() + SECONDS
    while True:
        found: dict[str, Any] = owner.get(path).raise_for_status().json()
        if found["ended_at"] or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def said(report: Report) -> dict[str, Any]:
    return {
        "statuses": dict(report.statuses),
        "versions": dict(Counter(each.version for each in report.sent)),
        "p99_ms": round(1000 * report.latency(99), 1),
        "errors": [each.error for each in report.failed[:3]],
    }
