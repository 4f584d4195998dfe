"""Commands on a model's versions, settings and logs, and what the shell completes of them."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from modelport.cli import logs
from modelport.cli.logs import fresh_lines
from modelport_control_api.drift.schemas import DataDriftSetting
from modelport_control_api.models.schemas import (
    FeedbackSetting,
    HistorySetting,
    ModelChange,
    RateLimitSetting,
)

from tests.client.unit.answers import key, model, version
from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Platform, problem

MODEL = "GET /api/v1/models/iris-7kq2p"
PATCH = "PATCH /api/v1/models/iris-7kq2p"
VERSIONS = "/api/v1/models/iris-7kq2p/versions"
CONTENT = b"\x80\x04model"


# Names and versions that failed


def test_a_name_that_exists_is_said(cli: Cli, platform: Platform, model_file: Path) -> None:
    made = model("pending", same_name=[{"id": "iris-old01", "status": "failed"}])
    platform.on("POST /api/v1/models/upload", Answer(202, made))
    ended = cli("upload", str(model_file), "--no-wait")
    assert ended.code == 0
    assert "another model of this name, iris-old01 (failed)" in ended.err
    assert "--to iris-old01`" in ended.err
    assert "modelport delete iris-old01`" in ended.err


def test_a_corrected_file_takes_the_place_of_a_failed_version(
    cli: Cli, platform: Platform, model_file: Path
) -> None:
    platform.on(f"POST {VERSIONS}", Answer(202, version("v2", "pending")))
    ended = cli("upload", str(model_file), "--to", "iris-7kq2p", "--replace", "v1", "--no-wait")
    assert ended.code == 0
    assert b'name="replaces"\r\n\r\nv1\r\n' in platform.asked[0].body
    assert cli("upload", str(model_file), "--replace", "v1").code == 2
    assert len(platform.asked) == 1


def test_a_version_is_uploaded_to_prove_itself(cli: Cli, platform: Platform, model_file: Path) -> None:
    platform.on(f"POST {VERSIONS}", Answer(202, version("v2", "pending")))
    add = ("upload", str(model_file), "--to", "iris-7kq2p", "--no-wait")
    ended = cli(*add, "--guarded")
    assert ended.code == 0, ended.err
    assert b'name="rollout"\r\n\r\nguarded\r\n' in platform.asked[0].body
    assert b'name="traffic"' not in platform.asked[0].body
    assert "modelport rollout status iris-7kq2p --watch" in ended.err
    join = ("ensemble", "--join", "vote", "a-1", "b-2", "--to", "iris-7kq2p", "--no-wait")
    joined = cli(*join, "--guarded")
    assert b'name="rollout"\r\n\r\nguarded\r\n' in platform.asked[1].body
    assert "modelport rollout status" in joined.err
    assert b'name="rollout"' not in (cli(*add), platform.asked[2].body)[1]
    for wrong in (
        ("upload", str(model_file), "--guarded"),
        (*add, "--guarded", "--traffic", "10"),
        (*add, "--guarded", "--force"),
    ):
        assert cli(*wrong).code == 2, wrong
    assert len(platform.asked) == 3


def test_versions_are_joined(cli: Cli, platform: Platform) -> None:
    platform.on("POST /api/v1/models/upload", Answer(202, model("pending")))
    platform.on(f"POST {VERSIONS}", Answer(202, version("v2", "pending")))

    ended = cli(
        "ensemble", "--join", "vote", "a-1", "b-2@v3", "--weights", "2,1", "--name", "Both", "--no-wait"
    )

    assert ended.code == 0, ended.err
    members = [{"model": "a-1", "weight": 2.0}, {"model": "b-2", "version": "v3", "weight": 1.0}]
    assert json.dumps({"join": "vote", "members": members}).encode() in platform.asked[0].body
    assert b'name="name"\r\n\r\nBoth\r\n' in platform.asked[0].body
    stack = ("ensemble", "--join", "stack", "seg=a-1", "--final", "b-2", "--passthrough", "--no-wait")
    assert cli(*stack, "--to", "iris-7kq2p", "--no-traffic").code == 0
    told = {"join": "stack", "members": [{"model": "a-1", "name": "seg"}], "final": {"model": "b-2"}}
    assert json.dumps(told | {"passthrough": True}).encode() in platform.asked[1].body
    assert b'name="traffic"\r\n\r\n0\r\n' in platform.asked[1].body
    for wrong in (
        ("--join", "vote", "a", "b"),
        ("--join", "vote", "a", "b", "--name", "x", "--to", "y"),
        ("--join", "vote", "a", "b", "--name", "x", "--weights", "1"),
        ("--join", "vote", "a", "b", "--name", "x", "--weights", "1,x"),
        ("--join", "vote", "a", "b", "--name", "x", "--force"),
        ("--join", "sum", "a", "b", "--name", "x"),
    ):
        assert cli("ensemble", *wrong).code == 2
    assert len(platform.asked) == 2


def test_the_members_of_a_version_are_shown(cli: Cli, platform: Platform) -> None:
    each = {"model": "a-1", "version": "v1", "framework": "sklearn", "name": None, "weight": 1.0}
    ensemble = {"join": "stack", "members": [each], "final": {**each, "model": "b-2"}, "passthrough": False}
    platform.on(MODEL, Answer(body=model(versions=[version("v1", ensemble=ensemble)])))
    assert "made of   v1 stack of a-1 v1, then b-2 v1" in cli("status", "iris-7kq2p").out


def test_code_goes_along_with_a_model_and_with_a_version(
    cli: Cli, platform: Platform, model_file: Path, tmp_path: Path
) -> None:
    code = tmp_path / "prep.py"
    code.write_text("def preprocess(rows): return rows")
    platform.on("POST /api/v1/models/upload", Answer(202, model("pending")))
    platform.on(f"POST {VERSIONS}", Answer(202, version("v2", "pending")))
    for more in ((), ("--to", "iris-7kq2p")):
        assert cli("upload", str(model_file), "--code", str(code), "--no-wait", *more).code == 0
        assert b'name="code"; filename="prep.py"' in platform.asked[-1].body
    assert cli("upload", str(model_file), "--code", str(tmp_path / "gone.py")).code == 2


@pytest.mark.parametrize(
    ("words", "sent"),
    [(("--sample", '{"x": 1}'), {"sample": {"x": 1}}), ((), {}), (("--version", "v2"), {})],
)
def test_the_newest_failed_version_is_tried_again(
    cli: Cli, platform: Platform, words: tuple[str, ...], sent: dict[str, Any]
) -> None:
    versions = [version("v1", "failed"), version("v2", "failed"), version("v3")]
    platform.on(MODEL, Answer(200, model("degraded", versions=versions)))
    platform.on(f"POST {VERSIONS}/v2/retry", Answer(202, version("v4", "pending")))
    platform.on(f"GET {VERSIONS}/v4", Answer(200, version("v4")))
    ended = cli("retry", "iris-7kq2p", *words)
    assert (ended.code, ended.out) == (0, "v4 is ready: It serves.\n")
    assert platform.calls(f"POST {VERSIONS}/v2/retry")[0].json == sent


def test_where_nothing_failed_there_is_nothing_to_try(cli: Cli, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model()))
    ended = cli("retry", "iris-7kq2p")
    assert (ended.code, len(platform.asked)) == (1, 1)
    assert "nothing to try again" in ended.err


# Files


def test_a_file_is_saved_whole_and_compared_with_its_digest(
    cli: Cli, platform: Platform, tmp_path: Path
) -> None:
    digest = sha256(CONTENT).hexdigest()
    platform.on(MODEL, Answer(200, model()))
    platform.on(f"GET {VERSIONS}/v1", Answer(200, version(sha256=digest)))
    platform.on(f"GET {VERSIONS}/v1/artifact", Answer(200, CONTENT))
    target = tmp_path / "saved.joblib"
    ended = cli("download", "iris-7kq2p", "-o", str(target), "--json")
    assert target.read_bytes() == CONTENT
    assert json.loads(ended.out) == {
        "model": "iris-7kq2p",
        "version": "v1",
        "file": str(target),
        "size": len(CONTENT),
        "sha256": digest,
    }


def test_a_file_that_changed_on_the_way_is_an_error(cli: Cli, platform: Platform, tmp_path: Path) -> None:
    platform.on(f"GET {VERSIONS}/v2", Answer(200, version("v2")))
    platform.on(f"GET {VERSIONS}/v2/artifact", Answer(200, CONTENT))
    ended = cli("download", "iris-7kq2p", "--version", "v2", "-o", str(tmp_path / "saved"))
    assert ended.code == 1
    assert "changed on the way" in ended.err
    assert cli("download", "iris-7kq2p", "-o", str(tmp_path / "none" / "saved")).code == 2


# Settings


def test_every_setting_of_a_model_has_an_option(cli: Cli, platform: Platform) -> None:
    platform.on(PATCH, Answer(200, model()))
    ended = cli(
        *("update", "iris-7kq2p", "--name", "B", "--description", "d", "--access", "public", "--yes"),
        *("--acceleration", "off", "--sticky", "caller", "--cache-ttl", "60", "--rate-limit", "100/30"),
        *("--predict-timeout", "9", "--history", "10", "--retention-days", "7", "--redact", "age"),
        *("--tag", "eu", "--tag", "production"),
        *("--feedback", "50", "--feedback-days", "7", "--id-field", "order"),
        *("--max-row-bytes", "2048", "--drift-psi", "0.3", "--drift-alpha", "0.05", "--drift-rows", "900"),
    )
    assert ended.code == 0, ended.err
    sent = ModelChange.model_validate(platform.asked[0].json)
    assert sent.model_fields_set == set(ModelChange.model_fields)
    for kind, given in (
        (RateLimitSetting, sent.rate_limit),
        (HistorySetting, sent.history),
        (FeedbackSetting, sent.feedback),
        (DataDriftSetting, sent.data_drift),
    ):
        assert given is not None
        assert given.model_fields_set == set(kind.model_fields)


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("--cache-ttl", "0"), {"cache_ttl_seconds": 0}),
        (("--rate-limit", "5"), {"rate_limit": {"requests": 5, "period_seconds": 60}}),
        (("--rate-limit", "platform"), {"rate_limit": None}),
        (("--history", "off"), {"history": None}),
        (("--feedback", "off"), {"feedback": None}),
        (
            ("--feedback", "50", "--feedback-days", "7", "--id-field", "order"),
            {"feedback": {"percent": 50, "retention_days": 7, "id_field": "order"}},
        ),
        (("--drift-default",), {"data_drift": None}),
        (("--drift-psi", "0.4"), {"data_drift": {"psi_threshold": 0.4}}),
        (("--description", ""), {"description": ""}),
        (("--no-tags",), {"tags": []}),
    ],
)
def test_a_setting_is_changed_alone_or_taken_away(
    cli: Cli, platform: Platform, words: tuple[str, ...], sent: dict[str, Any]
) -> None:
    platform.on(PATCH, Answer(200, model()))
    assert cli("update", "iris-7kq2p", *words).code == 0
    assert platform.asked[0].json == sent


@pytest.mark.parametrize(
    "words",
    [
        ("--rate-limit", "often"),
        ("--rate-limit", "5/"),
        ("--cache-ttl", "-1"),
        ("--history", "some"),
        ("--feedback", "some"),
        ("--id-field", "order"),
        ("--redact", "age"),
        ("--drift-default", "--drift-psi", "0.4"),
    ],
)
def test_what_is_no_setting_is_wrong_usage(cli: Cli, platform: Platform, words: tuple[str, ...]) -> None:
    assert cli("update", "iris-7kq2p", *words).code == 2
    assert platform.asked == []


# Logs that go on


@pytest.mark.parametrize(
    ("before", "now", "fresh"),
    [
        ("a\nb", "a\nb\nc", ["c"]),
        ("a\nb", "a\nb", []),
        ("", "a", ["a"]),
        ("a\nb\nc", "b\nc\nd\ne", ["d", "e"]),
        ("a\nb", "y\nz", ["y", "z"]),
        ("a\nb\na", "a\nb\na\nb", ["b"]),
        ("==> p <==\na\n==> q <==\nx", "==> p <==\na\nb\n==> q <==\nx", ["==> p <==", "b"]),
        ("a", "==> p <==\na\n==> q <==\nx", ["==> q <==", "x"]),
        ("==> p <==\na\n==> q <==\nx", "a\nb", ["b"]),
        ("==> p <==\na\n==> q <==\nx\ny", "x\ny", []),
    ],
)
def test_only_what_is_new_is_printed(before: str, now: str, fresh: list[str]) -> None:
    assert [*fresh_lines(before, now)] == fresh


def test_logs_are_followed_until_the_version_is_gone(
    cli: Cli, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_EVERY_SECONDS", 0.01)
    platform.on(
        f"GET {VERSIONS}/v1/logs",
        Answer(200, b"1\n2\n3"),
        Answer(200, b"1\n2\n3\n4"),
        Answer(200, b"1\n2\n3\n4"),
        problem(404, "The model has no version v1."),
    )
    ended = cli("logs", "iris-7kq2p", "--version", "v1", "--tail", "2", "-f")
    assert (ended.out, ended.code) == ("2\n3\n4\n", 4)
    assert cli("logs", "iris-7kq2p", "--follow", "--json").code == 2


# What the shell completes


def complete(platform: Platform, *words: str) -> list[str]:
    """What bash is given for the last word, by the program that it calls."""
    done = subprocess.run(
        [sys.executable, "-c", "from modelport.cli import main; main()"],
        env={
            **os.environ,
            "_MODELPORT_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(["modelport", *words]),
            "COMP_CWORD": str(len(words)),
            "MODELPORT_URL": platform.url,
            "MODELPORT_API_KEY": "k",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


def listed(*items: dict[str, Any]) -> Answer:
    return Answer(200, {"items": [*items], "next_cursor": None})


JOB = {
    "id": "j-77",
    "model_id": "m",
    "version": "v1",
    "state": "queued",
    "created_at": "2026-01-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("predict", ""), ["iris-7kq2p", "wine-00000"]),
        (("predict", "wi"), ["wine-00000"]),
        (("upload", "--to", "ir"), ["iris-7kq2p"]),
        (("logs", "iris-7kq2p", "--version", ""), ["v1", "v2"]),
        (("jobs", "show", "j"), ["j-77"]),
        (("keys", "revoke", ""), ["k1"]),
        (("predict", "nothing"), []),
    ],
)
def test_ids_are_completed(platform: Platform, words: tuple[str, ...], offered: list[str]) -> None:
    platform.on("GET /api/v1/models", listed(model(), model(id="wine-00000", name="Wine")))
    platform.on(MODEL, Answer(200, model(versions=[version("v1"), version("v2")])))
    platform.on("GET /api/v1/jobs", listed(JOB))
    platform.on("GET /api/v1/api-keys", listed(key()))
    assert complete(platform, *words) == offered


def test_where_the_platform_refuses_nothing_is_completed_and_nothing_said(platform: Platform) -> None:
    platform.on("GET /api/v1/models", problem(401, "No."))
    assert complete(platform, "predict", "") == []


# Help


@pytest.mark.parametrize("words", [(), ("upload",), ("keys", "create"), ("jobs",)])
def test_h_is_help_everywhere(cli: Cli, words: tuple[str, ...]) -> None:
    short, long = cli(*words, "-h"), cli(*words, "--help")
    assert (short.code, short.out) == (0, long.out)
    assert "Usage:" in short.out


def test_h_is_help_of_up_too(capsys: pytest.CaptureFixture[str]) -> None:
    from modelport_standalone.cli import up

    assert up(["-h"]) == 0
    assert "--data-dir" in capsys.readouterr().out
