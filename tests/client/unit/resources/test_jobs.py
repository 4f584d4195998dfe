"""Batch jobs of the SDK and of the command, against a server that answers what the test says."""

import json
from pathlib import Path
from typing import Any

import pytest
from modelport import JobFailed, Modelport, NotFound
from modelport.cli import run

from tests.client.unit.platform import Answer, Platform, problem

JOBS = "/api/v1/jobs"


def a_job(**changed: Any) -> dict[str, Any]:
    facts = {
        "id": "j1",
        "model_id": "iris",
        "version": "v1",
        "state": "running",
        "reason": "",
        "message": "",
        "output_format": "csv",
        "rows_total": 10,
        "rows_done": 4,
        "rows_failed": 1,
        "progress": 0.4,
        "created_at": "2026-11-01T12:00:00Z",
    }
    return {**facts, **changed}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,2\n")
    return file


def test_a_file_that_is_sent_again_after_a_cut_connection_makes_one_job(
    platform: Platform, client: Modelport, rows: Path
) -> None:
    platform.on(
        "POST /api/v1/predict/iris/versions/v2/batch",
        Answer(cut=True),
        Answer(202, a_job(state="queued", webhook_secret="whsec_x")),
    )
    job = client.batch("iris", rows, version="v2", key_columns=["a", "b"], webhook_url="https://example.com/")
    assert (job.state, job.ended, job.webhook_secret) == ("queued", False, "whsec_x")
    first, second = platform.calls("POST /api/v1/predict/iris/versions/v2/batch")
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    for asked in (first, second):
        assert b"1,2\n" in asked.body
        assert b"a,b\r\n" in asked.body


def test_waiting_ends_with_the_job(platform: Platform, client: Modelport) -> None:
    done = a_job(state="succeeded", rows_done=10, progress=1.0)
    platform.on(f"GET {JOBS}/j1", Answer(body=a_job()), Answer(body=a_job()), Answer(body=done))
    seen: list[int] = []
    job = client.wait_for_job("j1", on_status=lambda each: seen.append(each.rows_done))
    assert (job.state, seen) == ("succeeded", [4, 4, 10])
    failed = a_job(state="failed", reason="InputInvalid", message="It has no rows.")
    platform.on(f"GET {JOBS}/j1", Answer(body=failed))
    with pytest.raises(JobFailed, match="InputInvalid: It has no rows"):
        client.wait_for_job("j1")


def test_results_are_whole_or_not_there(platform: Platform, client: Modelport, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    platform.on(f"GET {JOBS}/j1/results", Answer(body=b"PAR1"))
    client.save_results("j1", target, output="parquet", partial=True)
    assert target.read_bytes() == b"PAR1"
    assert platform.asked[-1].path.endswith("?format=parquet&partial=true")
    platform.on(f"GET {JOBS}/j2/results", problem(404, "No such job."))
    with pytest.raises(NotFound):
        client.save_results("j2", tmp_path / "none.csv")
    assert [file.name for file in tmp_path.glob("none*")] == []


def test_the_command_sends_waits_and_saves(
    platform: Platform, rows: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELPORT_URL", platform.url)
    monkeypatch.setenv("MODELPORT_API_KEY", "mlp_live_key")
    platform.on("POST /api/v1/predict/iris/batch", Answer(202, a_job(state="queued", webhook_secret=None)))
    platform.on(f"GET {JOBS}/j1", Answer(body=a_job(state="succeeded", rows_done=10)))
    platform.on(f"GET {JOBS}/j1/results", Answer(body=b"row,prediction\n"))
    output = rows.with_name("out.csv")
    assert run(["batch", "iris", str(rows), "--output", str(output)]) == 0
    assert "j1  succeeded  10 of 10 rows, 1 of them without a prediction" in capsys.readouterr().out
    assert output.read_text() == "row,prediction\n"
    platform.on(f"GET {JOBS}/j1", Answer(body=a_job(state="cancelled", message="Cancelled by its owner.")))
    assert run(["jobs", "show", "j1", "--wait"]) == 7
    assert "Cancelled by its owner" in capsys.readouterr().err
    assert run(["batch", "iris", str(rows), "--output", "out.xlsx"]) == 2


def test_jobs_are_listed_removed_and_shown_as_json(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELPORT_URL", platform.url)
    monkeypatch.setenv("MODELPORT_API_KEY", "mlp_live_key")
    platform.on(f"GET {JOBS}", Answer(body={"items": [a_job()], "next_cursor": None}))
    platform.on(f"DELETE {JOBS}/j1", Answer(204))
    assert run(["jobs", "list", "--model", "iris"]) == 0
    assert "j1" in capsys.readouterr().out
    assert platform.asked[-1].path == f"{JOBS}?model_id=iris"
    assert run(["jobs", "delete", "j1", "--yes"]) == 0
    platform.on(f"GET {JOBS}/j1", Answer(body=a_job()))
    capsys.readouterr()
    assert run(["jobs", "show", "j1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows_done"] == 4


def test_a_job_is_tried_again_in_one_new_job(
    platform: Platform, client: Modelport, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    again = a_job(id="j2", state="queued", retry_of="j1", waiting_for="It waits for the batch worker.")
    platform.on(f"POST {JOBS}/j1/retry", Answer(cut=True), Answer(202, again), Answer(202, again))
    job = client.retry_job("j1", rows="failed")
    assert (job.id, job.retry_of, job.waiting_for) == ("j2", "j1", "It waits for the batch worker.")
    first, second = platform.calls(f"POST {JOBS}/j1/retry")
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    monkeypatch.setenv("MODELPORT_API_KEY", "mlp_live_key")
    monkeypatch.setenv("MODELPORT_URL", platform.url)
    assert run(["jobs", "retry", "j1", "--failed"]) == 0
    assert "rows=failed" in platform.calls(f"POST {JOBS}/j1/retry")[-1].path
    assert "j2  queued" in capsys.readouterr().out
