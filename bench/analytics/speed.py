"""How fast the analytics calls are over 10 million minute rows: `make bench-analytics` (2 minutes, 9 GB).

Fills a PostgreSQL of its own, queries a real control API over HTTP, one call after the other, and writes
bench/analytics.md: times by kind of call, and the plans of each statement of the slowest calls.
"""

import argparse
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path

import httpx
from modelport_control_api.accounts.api_keys import repository
from modelport_control_api.accounts.tables import ApiKey
from modelport_control_api.db.session import Database

from bench.analytics.ledger import CALLERS, MODELS, OWNERS, fill, model_id, owner_id
from bench.analytics.plans import plans_of
from tests.support.postgres_fixtures import PostgresServer

PAGE = Path(__file__).parents[1] / "analytics.md"
GOAL_MS = 50
GROUPS = ("`/models/{id}`", "`/overview`", "`/overview?all=true`")
_SCOPES = ["analytics:read"]
# Days and bucket, and how often it is asked: what the pages show most is asked most.
_RANGES = [
    (1 / 24, "minute", 2),
    (1, "hour", 4),
    (7, "hour", 2),
    (30, "day", 2),
    (90, "day", 1),
    (14, "hour", 1),
    (1 / 4, "minute", 1),
]
_ZONES = ["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"]


@dataclass(frozen=True)
class Call:
    """`kind`: what it is counted under. `owner`: whose key it sends. `ago`: when the range ends; 0 is now."""

    kind: str
    path: str
    length: timedelta
    ago: timedelta
    others: dict[str, str]
    owner: int

    @property
    def group(self) -> str:
        return GROUPS[("one", "own", "all").index(self.kind.split()[0])]

    def parameters(self) -> dict[str, str]:
        to = datetime.now(UTC) - self.ago
        params = {"from": (to - self.length).isoformat(), **self.others}
        return params | {"to": to.isoformat()} if self.ago else params


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="one that was filled before")
    parser.add_argument("--calls", type=int, default=600)
    parser.add_argument("--dry", action="store_true", help="print, and write nothing")
    given = parser.parse_args()
    with database(given.database) as (url, rows), api(url) as client:
        report = measure(client, url, rows, given.calls)
    print(report)
    if not given.dry:
        PAGE.write_text(report)


@contextmanager
def database(url: str | None) -> Iterator[tuple[str, dict[str, int]]]:
    if url is not None:
        yield url, {}
        return
    with tempfile.TemporaryDirectory(prefix="modelport-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            server.execute("CREATE DATABASE bench")
            yield server.url("bench"), fill(server.url("bench"))
        finally:
            server.stop()


@contextmanager
def api(url: str) -> Iterator[httpx.Client]:
    with tempfile.TemporaryDirectory(prefix="modelport-api-") as folder:
        address = f"{folder}/socket"
        command = [sys.executable, "-m", "bench.analytics.process", url, folder, address]
        with open(f"{folder}/log", "w") as log:
            process = subprocess.Popen(command, cwd=PAGE.parents[1], stdout=log, stderr=log)
        transport = httpx.HTTPTransport(uds=address)
        try:
            with httpx.Client(transport=transport, base_url="http://api", timeout=60) as client:
                _wait_until_it_answers(client)
                yield client
        finally:
            process.terminate()
            process.wait()


def _wait_until_it_answers(client: httpx.Client) -> None:
    for _ in range(300):
        try:
            client.get("/readyz").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The control API did not start.")


def measure(client: httpx.Client, url: str, rows: dict[str, int], count: int) -> str:
    keys = _make_keys(url)
    chooser = random.Random(6)
    calls = [_choose(chooser) for _ in range(count)]
    for call in calls[:50]:
        _milliseconds(client, call, keys)
    timed = [(_milliseconds(client, call, keys), call) for call in calls]
    slowest = [max((each for each in timed if each[1].group == group), key=itemgetter(0)) for group in GROUPS]
    plans = [
        f"## The slowest of {call.group}: {call.kind}, {call.others['timezone']}, {spent:.0f} ms\n\n"
        + plans_of(url, keys[call.owner], call.path, call.parameters())
        for spent, call in slowest
    ]
    return _report(rows, timed, plans)


def _choose(chooser: random.Random) -> Call:
    days, bucket, _ = chooser.choices(_RANGES, [weight for *_, weight in _RANGES])[0]
    zone = chooser.choice(_ZONES)
    # Most look at what was until now; some at an earlier period.
    ago = timedelta(days=chooser.choice([0, 0, 0, chooser.uniform(0, 6)]))
    others = {"bucket": bucket, "timezone": zone}
    shown = f"{f'{days * 24:g} hours' if days < 1 else f'{days:g} days'} by {bucket}"
    kind = chooser.choices(["model", "overview", "all"], [6, 5, 1])[0]
    owner = chooser.randrange(OWNERS)
    named = {
        "model": "one model",
        "overview": f"own {MODELS // OWNERS} models",
        "all": f"all {MODELS} models",
    }
    path = "/api/v1/analytics/overview"
    if kind == "model":
        number = chooser.randrange(MODELS)
        path, owner = f"/api/v1/analytics/models/{model_id(number)}", number % OWNERS
    if kind == "all":
        # The first owner is an administrator.
        others, owner = {**others, "all": "true"}, 0
    return Call(f"{named[kind]}, {shown}", path, timedelta(days=days), ago, others, owner)


def _milliseconds(client: httpx.Client, call: Call, keys: list[str]) -> float:
    begin = time.perf_counter()
    response = client.get(call.path, params=call.parameters(), headers={"X-API-Key": keys[call.owner]})
    spent = (time.perf_counter() - begin) * 1000
    if response.status_code != 200 or not response.json()["totals"]["requests"]:
        raise SystemExit(f"{call}: {response.status_code} {response.text[:500]}")
    return spent


def _make_keys(url: str) -> list[str]:
    """One of each owner; the first owner is an administrator."""
    made = [repository.new_key() for _ in range(OWNERS)]
    opened = Database(url)
    with opened.transaction() as session:
        for owner, key in enumerate(made):
            session.add(
                ApiKey(
                    user_id=owner_id(owner),
                    name="bench",
                    key_sha256=repository.sha256(key),
                    prefix=repository.shown_prefix(key),
                    scopes=_SCOPES,
                )
            )
    opened.close()
    return made


def _report(rows: dict[str, int], timed: list[tuple[float, Call]], plans: list[str]) -> str:
    times: defaultdict[str, list[float]] = defaultdict(list)
    for spent, call in timed:
        times[call.group].append(spent)
        times[call.kind].append(spent)
    kinds = sorted(times.keys() - set(GROUPS))
    lines = ["# Speed of the analytics calls", "", *_page_head(rows, len(timed))]
    lines += ["| call | calls | p50 ms | p95 ms | longest ms |", "|---|---:|---:|---:|---:|"]
    lines += [_line(name, times[name]) for name in [*GROUPS, *kinds]]
    return "\n".join([*lines, "", "\n\n".join(plans)]) + "\n"


def _page_head(rows: dict[str, int], calls: int) -> list[str]:
    counted = ", ".join(f"{count:,} in `{name}`" for name, count in rows.items())
    return [
        f"`make bench-analytics`, {datetime.now(UTC):%F}, {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, PostgreSQL with its default settings on the same machine; "
        f"{calls} calls, one after the other, over HTTP with an API key.",
        f"Goal: p95 ≤ {GOAL_MS} ms for one's own models.",
        "Ranges, buckets, models, owners and time zones vary; what the pages request most is requested most.",
        "",
        f"The ledger: {MODELS} models of {OWNERS} owners, each called in every minute of 14 days by 1 to "
        f"{CALLERS} callers (a row of requests a minute and caller: eight on average, of one outcome), "
        "a fifth of the models with a second version.",
        "Latencies are log-normal: a minute's total holds 12 buckets, an hour's 40.",
        "Hours go back 98 days, days 196.",
        f"Rows: {counted}.",
        "",
    ]


def _line(name: str, spents: list[float]) -> str:
    p95 = statistics.quantiles(spents, n=20)[-1] if len(spents) > 1 else spents[0]
    return f"| {name} | {len(spents)} | {statistics.median(spents):.1f} | {p95:.1f} | {max(spents):.1f} |"


if __name__ == "__main__":
    main()
