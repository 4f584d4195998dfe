"""`modelport quality`, and `client.quality` behind it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from modelport import Metric, Modelport

from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Platform

ASK = "GET /api/v1/models/iris/quality"
CALIBRATION = "/api/v1/models/iris/versions/v1/calibration"
ACCURACY = {"value": 0.9312, "lower": 0.9, "upper": 0.95, "rows": 200}
EXPECTED = {"value": 0.91, "lower": None, "upper": None, "rows": 140, "estimated": True}
PART = {"predictions": 340, "labels": 200, "rewards": 0, "metrics": {"accuracy": ACCURACY}}
FOUND: dict[str, Any] = {
    "message": "",
    "versions": [
        {
            **PART,
            "version": "v1",
            "task": "classification",
            "expected": {"accuracy": EXPECTED},
            "series": [{**PART, "expected": {}, "start": "2026-11-30T00:00:00Z"}],
        }
    ],
}


def test_quality_is_read_by_version_and_time(client: Modelport, platform: Platform) -> None:
    platform.on(ASK, Answer(200, FOUND))
    [version] = client.quality("iris", days=7, bucket="hour", version="v1").versions
    assert version.whole.metrics["accuracy"] == Metric(0.9312, 0.9, 0.95, 200)
    assert version.whole.expected["accuracy"].estimated
    assert [(part.start.day if part.start else 0, part.labels) for part in version.series] == [(30, 200)]
    asked = parse_qs(urlsplit(platform.asked[-1].path).query)
    assert (asked["bucket"], asked["version"]) == (["hour"], ["v1"])


def test_a_version_is_calibrated_by_a_file(client: Modelport, platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    file.write_text("species,probability_a,probability_b\n")
    platform.on(f"PUT {CALIBRATION}", Answer(200, {"source": "uploaded", "rows": 300, "created_at": None}))
    platform.on(f"DELETE {CALIBRATION}", Answer(204))
    assert client.quality.calibrate("iris", "v1", file, label="species") == 300
    sent = platform.calls(f"PUT {CALIBRATION}")[0]
    assert (sent.body, urlsplit(sent.path).query) == (file.read_bytes(), "label=species")
    client.quality.remove_calibration("iris", "v1")


def test_the_command_shows_what_is_known_and_what_is_expected(cli: Cli, platform: Platform) -> None:
    platform.on(ASK, *[Answer(200, FOUND)] * 3)
    shown = cli("quality", "iris")
    assert shown.code == 0
    assert "v1: labels of 200 of 340 predictions" in shown.out
    assert ["all", "accuracy", "0.9312", "0.9", "to", "0.95", "200"] in [
        line.split() for line in shown.out.splitlines()
    ]
    assert "accuracy (expected)" in shown.out
    assert "2026-11-30" not in shown.out
    assert "2026-11-30" in cli("quality", "iris", "--by", "hour").out
    since = parse_qs(urlsplit(platform.asked[-1].path).query)["from"][0]
    assert 13 < (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds() / 86_400 < 15
    assert json.loads(cli("quality", "iris", "--json").out) == FOUND
