"""`modelport usage`, and the SDK's method behind it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from modelport import Modelport

from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Platform, problem


def counts(requests: int, **more: Any) -> dict[str, Any]:
    figures = dict.fromkeys(("error_rate", "cache_hit_rate", "p50_ms", "p95_ms", "p99_ms"))
    return {"requests": requests, "errors": 0, "refused": 0, "cache_hits": 0} | figures | more


ASKED = counts(1234, errors=37, error_rate=0.03, cache_hits=617, cache_hit_rate=0.5, p50_ms=1.25, p95_ms=9.9)
DAYS = [{"start": f"2026-06-0{day}T00:00:00+02:00", **counts(day)} for day in (1, 2)]
SHARED = {"totals": ASKED, "previous": counts(7), "series": DAYS, "by_reason": []}
OF_ALL = Answer(body={**SHARED, "by_model": [{"id": "iris-7kq2p", "name": "Iris", **ASKED}]})
OF_ONE = Answer(body={**SHARED, "by_version": [{"version": "v2", **ASKED}]})
ALL, ONE = "GET /api/v1/analytics/overview", "GET /api/v1/analytics/models/iris-7kq2p"


def test_all_models_are_rows_of_a_table(cli: Cli, platform: Platform) -> None:
    platform.on(ALL, OF_ALL)
    done = cli("usage")
    assert done.code == 0
    header, *rows = [" ".join(line.split()) for line in done.out.strip().split("\n")]
    assert header == "MODEL REQUESTS ERRORS REFUSED CACHE HITS P50 MS P95 MS P99 MS"
    assert rows[0] == "iris-7kq2p 1,234 37 (3.0%) 0 617 (50.0%) 1.2 9.9 –"
    assert rows[1].startswith("all 1,234")
    assert rows[2].startswith("before 7")


def test_the_usage_of_one_model_is_listed_by_day_of_the_time_zone(cli: Cli, platform: Platform) -> None:
    platform.on(ONE, OF_ONE)
    done = cli("usage", "iris-7kq2p", "--days", "30", "--timezone", "Europe/Paris")
    assert [line.split()[:2] for line in done.out.strip().split("\n")[1:3]] == [
        ["2026-06-01", "1"],
        ["2026-06-02", "2"],
    ]
    asked = parse_qs(urlsplit(platform.asked[-1].path).query)
    assert (asked["bucket"], asked["timezone"]) == (["day"], ["Europe/Paris"])
    since = datetime.now(UTC) - datetime.fromisoformat(asked["from"][0])
    assert timedelta(0) <= since - timedelta(days=30) < timedelta(minutes=1)


def test_with_json_the_whole_response_is_printed(cli: Cli, platform: Platform) -> None:
    platform.on(ONE, OF_ONE)
    assert json.loads(cli("usage", "iris-7kq2p", "--json").out) == OF_ONE.body


def test_no_requests_and_no_such_model_are_distinguished(cli: Cli, platform: Platform) -> None:
    platform.on(ALL, Answer(body={**SHARED, "totals": counts(0), "by_model": []}))
    platform.on(ONE, problem(404, "There is no such model, or it is not yours."))
    none, missing = cli("usage", "--days", "1"), cli("usage", "iris-7kq2p")
    assert (none.code, none.err.strip()) == (0, "No requests in the last day.")
    assert missing.code == 4


def test_the_sdk_gives_periods_and_parts(platform: Platform) -> None:
    platform.on(ONE, OF_ONE)
    with Modelport(platform.url, "mlp_live_x") as client:
        found = client.usage("iris-7kq2p", days=2, bucket="hour")
    assert (found.totals.requests, found.previous.requests) == (1234, 7)
    assert [each.name for each in found.parts] == ["v2"]
    assert found.series[0].start == datetime.fromisoformat("2026-06-01T00:00:00+02:00")
    assert found.totals.p99_ms is None
