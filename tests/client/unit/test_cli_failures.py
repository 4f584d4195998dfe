"""With `--json` a failure is JSON too: a script reads stdout, whatever happens."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.client.unit.answers import model, version
from tests.client.unit.conftest import Cli, Ended
from tests.client.unit.platform import Answer, Platform, problem

MODEL = "GET /api/v1/models/iris-7kq2p"
UPLOAD = "POST /api/v1/models/upload"


def error_of(ended: Ended) -> dict[str, Any]:
    shown = json.loads(ended.out)
    assert [*shown] == ["error"]
    error: dict[str, Any] = shown["error"]
    assert error["exit_code"] == ended.code
    return error


def test_what_the_platform_refuses_is_in_its_words(cli: Cli, platform: Platform) -> None:
    wrong = [{"field": "input.x", "message": "is missing"}]
    refusal = problem(422, "input.x is missing", errors=wrong, type="/help/reasons/#SampleInvalid")
    platform.on("POST /predict/iris-7kq2p", refusal)
    ended = cli("predict", "iris-7kq2p", "[1]", "--json")
    error = error_of(ended)
    assert (error["kind"], error["status"], error["errors"]) == ("InvalidRequest", 422, wrong)
    assert (error["detail"], error["request_id"]) == ("input.x is missing", "r-9")
    assert error["help_url"] == f"{platform.url}/help/reasons/#SampleInvalid"
    assert "modelport status iris-7kq2p" in error["next_step"]
    assert "Error: input.x is missing" in ended.err, "a person reads it as before"


def test_a_model_that_fails_is_there_as_it_was_last_seen(
    cli: Cli, platform: Platform, model_file: Path
) -> None:
    failed = model("failed", reason="LoadFailed", versions=[version("v1", "failed")])
    platform.on(UPLOAD, Answer(202, model("pending")))
    platform.on(MODEL, Answer(200, failed))
    error = error_of(cli("upload", str(model_file), "--json"))
    assert (error["kind"], error["reason"], error["exit_code"]) == ("ModelFailed", "LoadFailed", 7)
    assert error["last_seen"] == failed
    assert error["help_url"] == f"{platform.url}/help/reasons/#LoadFailed"


def test_a_model_that_is_not_ready_in_time_is_there_too(cli: Cli, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model("pending")))
    error = error_of(cli("status", "iris-7kq2p", "--wait", "--timeout", "1", "--json"))
    assert (error["kind"], error["last_seen"]["id"]) == ("NotReadyInTime", "iris-7kq2p")


def test_a_job_that_fails_is_there_too(cli: Cli, platform: Platform) -> None:
    job = {
        "id": "j1",
        "model_id": "m",
        "version": "v1",
        "state": "failed",
        "created_at": "2026-01-01T00:00:00Z",
    }
    platform.on("GET /api/v1/jobs/j1", Answer(200, job))
    error = error_of(cli("jobs", "show", "j1", "--wait", "--json"))
    assert (error["kind"], error["last_seen"]) == ("JobFailed", job)


def test_an_address_without_a_platform_is_a_failure_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelport.transport.retries.RetryPolicy.attempts", 1)
    error = error_of(cli("list", "--url", "http://127.0.0.1:9", "--json"))
    assert (error["kind"], error["status"]) == ("ConnectionFailed", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("update", "iris-7kq2p"), "say what to change"),
        (("upload", "no-such-file.joblib"), "no-such-file.joblib"),
        (("status", "iris-7kq2p", "--no-such-option"), "--no-such-option"),
    ],
)
def test_wrong_usage_is_json_too(cli: Cli, words: tuple[str, ...], said: str) -> None:
    error = error_of(cli(*words, "--json"))
    assert (error["kind"], error["exit_code"]) == ("WrongUsage", 2)
    assert said in error["detail"]


def test_an_input_that_says_json_is_no_option(cli: Cli, platform: Platform) -> None:
    platform.on("POST /predict/iris-7kq2p", problem(404, "No such model."))
    assert cli("predict", "iris-7kq2p", "--", "--json").out == ""


def test_a_success_is_the_result_alone(cli: Cli, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model()))
    ended = cli("status", "iris-7kq2p", "--json")
    assert (json.loads(ended.out), ended.err) == (model(), "")


def test_a_reason_leads_to_its_page(cli: Cli, platform: Platform) -> None:
    platform.on(MODEL, problem(503, "It is busy.", reason="QueueFull"))
    assert (
        f"More about QueueFull: {platform.url}/help/reasons/#QueueFull\n" in cli("status", "iris-7kq2p").err
    )
