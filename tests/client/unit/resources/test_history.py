"""Stored predictions through the SDK and the command."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from modelport import Modelport, NotFound

from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Asked, Platform, problem

PREDICTIONS, EXPORT = "GET /api/v1/predictions", "GET /api/v1/predictions/export"
MODEL = "PATCH /api/v1/models/iris-7kq2p"


def kept(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"p{number}", "model_id": "iris-7kq2p", "version": "v1", "at": "2026-01-02T03:04:05.000006Z",
        "caller_id": None, "api_key_id": None, "request_id": "r", "status": 200, "reason": None,
        "cache": "miss", "seconds": 0.0021, "request": {"input": [1, "[redacted]"]}, "request_bytes": 20,
        "answer": {"prediction": "setosa"}, "truncated": False, **changed,
    }  # fmt: skip


def test_pages_are_requested_as_they_are_reached(platform: Platform) -> None:
    pages = (
        Answer(200, {"items": [kept(1)], "next_cursor": "c1"}),
        Answer(200, {"items": [kept(2)], "next_cursor": None}),
    )
    platform.on(PREDICTIONS, *pages)
    with Modelport(platform.url, "mlp_live_key") as client:
        found = client.predictions("iris-7kq2p", outcome="ok", start=datetime(2026, 1, 1, tzinfo=UTC))
        first = next(found)
        assert len(platform.asked) == 1
        assert (first.id, first.reason, first.at.year) == ("p1", "", 2026)
        assert [each.id for each in found] == ["p2"]
    assert "cursor=c1" in platform.asked[1].path
    assert all("model_id=iris-7kq2p&from=2026-01-01T00" in asked.path for asked in platform.asked)


def test_an_export_is_a_whole_file_or_none(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    platform.on(EXPORT, problem(404, "no"), Answer(cut=True), Answer(200, {"a": 1}))
    with Modelport(platform.url, "mlp_live_key") as client:
        with pytest.raises(NotFound):
            client.export_predictions("iris-7kq2p", file)
        with pytest.raises(Exception, match="broke off"):
            client.export_predictions("iris-7kq2p", file)
        assert list(tmp_path.iterdir()) == []
        client.export_predictions("iris-7kq2p", file)
    assert json.loads(file.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [file]


def test_the_command_shows_exports_and_deletes(cli: Cli, platform: Platform, tmp_path: Path) -> None:
    evil = kept(request={"input": "\x9b31m\u202e"}, status=422, reason="SampleInvalid")
    page = {"items": [kept(), evil, kept(request=None, truncated=True)], "next_cursor": "more"}
    platform.on(PREDICTIONS, Answer(200, page))
    shown = cli("history", "iris-7kq2p", "--limit", "3").out
    assert '{"input": [1, "[redacted]"]}' in shown
    assert "422 SampleInvalid" in shown
    assert "(too long)" in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown
    assert json.loads(cli("history", "iris-7kq2p", "--json", "--limit", "1").out) == [kept()]
    platform.on(EXPORT, Answer(200, {}))
    ended = cli("history", "iris-7kq2p", "--export", str(tmp_path / "x.csv"), "--outcome", "error")
    assert (ended.code, (tmp_path / "x.csv").exists()) == (0, True)
    platform.on("DELETE /api/v1/predictions", Answer(204))
    assert cli("history", "iris-7kq2p", "--delete", "--yes").code == 0


def test_the_setting(cli: Cli, platform: Platform) -> None:
    def echo(_: Asked) -> Answer:
        return problem(418, "only what was asked counts")

    platform.on(MODEL, echo)
    cli("update", "iris-7kq2p", "--history", "10", "--redact", "name", "--redact", "age")
    cli("update", "iris-7kq2p", "--history", "100", "--retention-days", "7")
    cli("update", "iris-7kq2p", "--history", "off")
    assert [asked.json for asked in platform.asked] == [
        {"history": {"percent": 10, "redact_fields": ["name", "age"]}},
        {"history": {"percent": 100, "redact_fields": [], "retention_days": 7}},
        {"history": None},
    ]
    assert cli("update", "iris-7kq2p", "--history", "half").code == 2
    assert cli("update", "iris-7kq2p", "--redact", "name").code == 2
