"""What the CLI says after an error: where, and the next command, which is there and can be typed."""

import re
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from modelport import credentials
from modelport.cli.command import build_app
from modelport.credentials import Credentials

from tests.client.unit.answers import model, version
from tests.client.unit.conftest import Cli, Ended
from tests.client.unit.platform import Answer, Platform, problem

MODEL = "GET /api/v1/models/iris-7kq2p"
KEYS = "POST /api/v1/api-keys"
NO_SESSION = problem(403, "An API key cannot manage accounts or keys: log in and use the access token.")
NO_SCOPE = problem(403, "This API key lacks the scope models:read: use one that has it.")
UNKNOWN = problem(401, "The credential is unknown, expired or revoked: log in again.")


def commands(ended: Ended) -> list[str]:
    """Those in backquotes; each must be one that the CLI has, with options that it takes."""
    found = re.findall(r"`(modelport [^`]+)`", ended.err)
    for each in found:
        check_is_there(shlex.split(each)[1:])
    return found


def check_is_there(words: list[str]) -> None:
    command: Any = typer.main.get_command(build_app())
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


@pytest.fixture
def kept_key(platform: Platform) -> None:
    credentials.save(platform.url, Credentials(api_key="mlp_live_k"))


# Credentials


def test_without_credentials_the_hint_names_where_and_how_to_log_in(cli: Cli, platform: Platform) -> None:
    platform.on(MODEL, problem(401, "This call needs a credential: send Authorization: Bearer <token>."))
    ended = cli("status", "iris-7kq2p")
    assert (ended.code, commands(ended)) == (3, ["modelport login EMAIL", "modelport up"])
    assert f"Error: You are not logged in to {platform.url}.\n" in ended.err
    assert "Bearer" not in ended.err


def test_the_option_url_is_in_the_next_command(
    cli: Cli, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MODELPORT_URL")
    platform.on(MODEL, UNKNOWN)
    ended = cli("status", "iris-7kq2p", "--url", platform.url)
    assert commands(ended)[0] == f"modelport login EMAIL --url {platform.url}"


@pytest.mark.usefixtures("kept_key")
@pytest.mark.parametrize(
    ("words", "call"),
    [
        (("keys", "list"), "GET /api/v1/api-keys"),
        (("keys", "create", "ci"), KEYS),
        (("keys", "rotate", "k1"), f"{KEYS}/k1/rotate"),
        (("keys", "revoke", "k1", "--yes"), "DELETE /api/v1/api-keys/k1"),
    ],
)
def test_what_no_key_can_do_a_login_can(
    cli: Cli, platform: Platform, words: tuple[str, ...], call: str
) -> None:
    platform.on(call, NO_SESSION)
    ended = cli(*words)
    assert (ended.code, commands(ended)) == (3, ["modelport login EMAIL", "modelport up"])
    assert "instead of using this key" in ended.err
    assert "unset" not in ended.err


@pytest.mark.usefixtures("kept_key")
@pytest.mark.parametrize(
    "said", ["lacks the scope models:read: use", "lacks the scope `models:read`; create"]
)
def test_a_scope_that_a_key_lacks_can_be_had_with_another(cli: Cli, platform: Platform, said: str) -> None:
    platform.on(MODEL, problem(403, f"This API key {said} one that has it."))
    assert commands(cli("status", "iris-7kq2p"))[:2] == [
        "modelport login EMAIL",
        "modelport keys create NAME --scope models:read",
    ]


@pytest.mark.parametrize("answer", [NO_SCOPE, UNKNOWN])
def test_a_key_of_the_environment_is_to_be_unset(
    cli: Cli, platform: Platform, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELPORT_API_KEY", "mlp_live_k")
    platform.on(MODEL, answer)
    ended = cli("status", "iris-7kq2p")
    assert "`unset MODELPORT_API_KEY`, then `modelport login EMAIL`" in ended.err
    assert "mlp_live_k" not in ended.err


def test_a_login_beside_a_key_of_the_environment_says_which_counts(
    cli: Cli, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELPORT_API_KEY", "mlp_live_k")
    assert "MODELPORT_API_KEY is set" in cli("logout").err


def test_a_session_that_ended_is_to_be_opened_again(cli: Cli, platform: Platform) -> None:
    credentials.save(platform.url, Credentials(access_token="a", refresh_token="r", expires_at=time.time()))
    platform.on("POST /api/v1/auth/refresh", problem(401, "The refresh token is expired."))
    ended = cli("status", "iris-7kq2p")
    assert "Error: Your session has ended." in ended.err
    assert commands(ended)[0] == "modelport login EMAIL"


def test_a_caller_who_is_no_administrator_gets_no_hint_to_log_in(cli: Cli, platform: Platform) -> None:
    platform.on(MODEL, problem(403, "This is for administrators of the platform."))
    assert commands(cli("status", "iris-7kq2p")) == []


def test_what_a_rollout_forbids_names_how_to_end_it(cli: Cli, platform: Platform) -> None:
    said = "Rollout 3 of v2 is going on and has the traffic: promote it, roll it back or cancel it first"
    platform.on(
        "POST /api/v1/models/iris-7kq2p/rollback", problem(409, f"{said} (POST …/rollouts/3/cancel).")
    )
    ended = cli("rollback", "iris-7kq2p")
    assert f"Error: {said}.\n" in ended.err
    assert commands(ended) == [
        "modelport rollout status iris-7kq2p 3", "modelport rollout cancel iris-7kq2p 3"
    ]  # fmt: skip


def test_a_rollout_that_is_not_there_is_looked_for_among_the_models(cli: Cli, platform: Platform) -> None:
    platform.on(f"{MODEL}/rollouts/99", problem(404, "The model has no rollout 99."))
    ended = cli("rollout", "status", "iris-7kq2p", "99")
    assert (ended.code, commands(ended)) == (4, ["modelport rollout list iris-7kq2p"])


def test_so_is_an_experiment_and_a_webhook_among_yours(cli: Cli, platform: Platform) -> None:
    platform.on(f"{MODEL}/experiments/99", problem(404, "The model has no experiment 99."))
    ended = cli("experiments", "status", "iris-7kq2p", "99")
    assert (ended.code, commands(ended)) == (4, ["modelport experiments list iris-7kq2p"])
    platform.on("DELETE /api/v1/webhooks/w1", problem(404, "There is no such webhook, or it is not yours."))
    ended = cli("webhooks", "delete", "w1", "--yes")
    assert (ended.code, commands(ended)) == (4, ["modelport webhooks list"])


# What is not there


@pytest.mark.parametrize(
    ("words", "call", "said", "command"),
    [
        (("status", "iris-7kq2p"), MODEL, "There is no such model.", "modelport list"),
        (
            ("logs", "iris-7kq2p", "--version", "v9"),
            f"{MODEL}/versions/v9/logs",
            "The model has no version v9.",
            "modelport versions iris-7kq2p",
        ),
        (
            ("predict", "iris-7kq2p", "--version", "v9", "[1]"),
            "POST /predict/iris-7kq2p/versions/v9",
            "The model iris-7kq2p has no version v9.",
            "modelport versions iris-7kq2p",
        ),
        (("jobs", "show", "j1"), "GET /api/v1/jobs/j1", "No such job.", "modelport jobs list"),
        (("keys", "rotate", "k9"), f"{KEYS}/k9/rotate", "No such API key.", "modelport keys list"),
    ],
)
def test_what_is_not_there_can_be_looked_up(
    cli: Cli, platform: Platform, words: tuple[str, ...], call: str, said: str, command: str
) -> None:
    platform.on(call, problem(404, said))
    ended = cli(*words)
    assert (ended.code, commands(ended)) == (4, [command])


def test_inputs_that_a_model_does_not_take_can_be_looked_up(cli: Cli, platform: Platform) -> None:
    wrong = problem(422, "input.x is missing", errors=[{"field": "input.x", "message": "is missing"}])
    platform.on("POST /predict/iris-7kq2p", wrong)
    assert commands(cli("predict", "iris-7kq2p", "[1]")) == ["modelport status iris-7kq2p"]


# What failed, or is not done


@pytest.mark.usefixtures("kept_key")
def test_a_limit_is_not_taken_for_the_end_of_an_account(
    cli: Cli, platform: Platform, model_file: Path
) -> None:
    keys = "The account holds 100 API keys. Revoke some that nobody uses."
    models = "The account holds 200 models; 200 is the most. Delete some."
    platform.on(KEYS, problem(409, keys))
    platform.on("POST /api/v1/models/upload", problem(409, models))
    for words, detail in ((("keys", "create", "ci"), keys), (("upload", str(model_file)), models)):
        ended = cli(*words)
        assert f"Error: {detail}\n" in ended.err
        assert "--delete-models" not in ended.err


def test_a_version_that_is_held_can_be_tried_and_forced(cli: Cli, platform: Platform) -> None:
    found = {"compatible_with": "v1", "changes": [], "more": 0}
    held = version("v2", reason="SignatureChanged", compatibility=found)
    platform.on(MODEL, Answer(200, model("degraded", reason="SignatureChanged", versions=[version(), held])))
    ended = cli("status", "iris-7kq2p", "--wait")
    tried, forced = commands(ended)
    assert tried == "modelport predict iris-7kq2p --version v2"
    assert forced == "modelport traffic iris-7kq2p v2=100 --force"


def test_a_version_that_failed_has_logs_and_a_place_for_another(
    cli: Cli, platform: Platform, model_file: Path
) -> None:
    path = "/api/v1/models/iris-7kq2p/versions"
    platform.on(f"POST {path}", Answer(202, version("v2", "pending")))
    platform.on(f"GET {path}/v2", Answer(200, version("v2", "failed", reason="LoadFailed")))
    ended = cli("upload", str(model_file), "--to", "iris-7kq2p")
    replacing = "modelport upload FILE --to iris-7kq2p --replace"
    retrying = "modelport retry iris-7kq2p --sample JSON"
    assert ended.code == 7
    assert commands(ended) == ["modelport logs iris-7kq2p --version v2", f"{replacing} v2", retrying]
    versions = [version("v1", "failed"), version("v2")]
    platform.on(MODEL, Answer(200, model("failed", versions=versions)))
    waited = cli("status", "iris-7kq2p", "--wait")
    assert commands(waited) == ["modelport logs iris-7kq2p", f"{replacing} v1", retrying]


def test_what_takes_too_long_can_be_waited_for_again(cli: Cli, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model("pending")))
    ended = cli("status", "iris-7kq2p", "--wait", "--timeout", "1")
    assert commands(ended) == ["modelport status iris-7kq2p --wait"]


# Somewhere else


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9", "`modelport up` starts one here"),
        ("http://no.such.invalid", "Is the address right"),
        ("http://127.0.0.1:99999", "write e.g. http://127.0.0.1:8000"),
        ("http://[::1", "write e.g. http://127.0.0.1:8000"),
        ("localhost:8000", "write e.g. http://127.0.0.1:8000"),
    ],
)
def test_an_address_without_a_platform_is_named(
    cli: Cli, url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelport.transport.retries.RetryPolicy.attempts", 1)
    ended = cli("keys", "create", "ci", "--url", url)
    assert ended.code in {1, 6}
    assert url in ended.err
    assert said in ended.err


def test_https_is_not_spoken_everywhere(cli: Cli, platform: Platform) -> None:
    ended = cli("keys", "create", "ci", "--url", platform.url.replace("http", "https"))
    assert ended.code == 6
    assert "begins with http://" in ended.err


PAGE = Answer(200, b"<html>", {"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (PAGE, 1, "answered 200 OK, and not as Modelport does"),
        (Answer(404, b"none"), 4, "answered 404 Not Found, and not as Modelport does"),
        (Answer(502, b"none"), 6, "and the platform running behind it?"),
        (Answer(301, b"", {"Location": "https://b.example/"}), 1, "redirects to https://b.example/"),
    ],
)
@pytest.mark.parametrize(
    ("words", "call"),
    [
        (("status", "iris-7kq2p"), MODEL),
        (("delete", "iris-7kq2p", "--yes"), MODEL.replace("GET", "DELETE")),
        (("history", "iris-7kq2p", "--export", "{file}"), "GET /api/v1/predictions/export"),
    ],
)
def test_another_server_is_no_platform(
    cli: Cli,
    platform: Platform,
    tmp_path: Path,
    answer: Answer,
    code: int,
    said: str,
    words: tuple[str, ...],
    call: str,
) -> None:
    platform.on(call, answer)
    file = tmp_path / "kept.csv"
    ended = cli(*(word.replace("{file}", str(file)) for word in words))
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert platform.url in ended.err
    assert commands(ended) == []
    assert not file.exists()


@pytest.mark.parametrize("target", ["none/kept.csv", "."])
@pytest.mark.parametrize(
    "words", [("history", "iris-7kq2p", "--export"), ("jobs", "fetch", "j1", "--output")]
)
def test_a_file_that_cannot_be_written_is_known_before(
    cli: Cli, platform: Platform, tmp_path: Path, words: tuple[str, ...], target: str
) -> None:
    ended = cli(*words, str(tmp_path / target))
    assert (ended.code, platform.asked) == (2, [])
