"""The `modelport` command: what it prints where, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from importlib.metadata import version as package_version
from pathlib import Path

import pytest
from modelport import credentials
from modelport.cli import command
from modelport.credentials import Credentials

from tests.client.unit.answers import ONE, USER, key, model, tokens, version
from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Platform, problem

MODEL = "GET /api/v1/models/iris-7kq2p"
PREDICT = "POST /predict/iris-7kq2p"


# Uploads


def test_an_upload_waits_until_the_model_is_ready(cli: Cli, platform: Platform, model_file: Path) -> None:
    platform.on("POST /api/v1/models/upload", Answer(202, model("pending")))
    platform.on(MODEL, Answer(200, model("pending")), Answer(200, model()))
    ended = cli("upload", str(model_file), "--name", "Iris [v2]")
    assert ended.code == 0
    assert "Iris [v2] (iris-7kq2p) is ready" in ended.out
    assert "http://127.0.0.1:8000/predict/iris-7kq2p" in ended.out
    assert "petal_width: number?" in ended.out
    assert "Waiting: Progressing: The model is loading." in ended.err


def test_an_upload_with_json_prints_the_model_and_nothing_else(
    cli: Cli, platform: Platform, model_file: Path
) -> None:
    platform.on("POST /api/v1/models/upload", Answer(202, model("pending")))
    platform.on(MODEL, Answer(200, model()))
    ended = cli("upload", str(model_file), "--json")
    assert json.loads(ended.out) == model()
    assert b'name="name"\r\n\r\nmy model\r\n' in platform.asked[0].body, "named after the file"


def test_an_upload_need_not_wait(cli: Cli, platform: Platform, model_file: Path) -> None:
    platform.on("POST /api/v1/models/upload", Answer(202, model("pending")))
    ended = cli("upload", str(model_file), "--no-wait", "--sample", '{"petal_width": 0.2}')
    assert (ended.code, len(platform.asked)) == (0, 1)
    assert "is pending" in ended.out


def test_a_model_that_fails_says_why_and_ends_with_seven(
    cli: Cli, platform: Platform, model_file: Path
) -> None:
    failed = model("failed", reason="MissingModule", message="No module named 'mine'. Export to ONNX.")
    platform.on("POST /api/v1/models/upload", Answer(202, model("pending")))
    platform.on(MODEL, Answer(200, failed))
    ended = cli("upload", str(model_file))
    assert (ended.code, ended.out) == (7, "")
    assert "MissingModule: No module named 'mine'. Export to ONNX." in ended.err


def test_a_model_that_takes_too_long_ends_with_seven_and_says_how_to_go_on(
    cli: Cli, platform: Platform
) -> None:
    platform.on(MODEL, Answer(200, model("pending")))
    ended = cli("status", "iris-7kq2p", "--wait", "--timeout", "1")
    assert ended.code == 7
    assert "modelport status" in ended.err


def test_another_version_is_uploaded_to_a_model(cli: Cli, platform: Platform, model_file: Path) -> None:
    path = "/api/v1/models/iris-7kq2p/versions"
    platform.on(f"POST {path}", Answer(202, version("v2", "pending")))
    platform.on(f"GET {path}/v2", Answer(200, version("v2")))
    ended = cli("upload", str(model_file), "--to", "iris-7kq2p", "--no-traffic")
    assert (ended.code, ended.out) == (0, "v2 is ready: It serves.\n")
    assert b'name="traffic"' in platform.asked[0].body
    assert json.loads(cli("upload", str(model_file), "--to", "iris-7kq2p", "--json").out) == version("v2")


VERSIONS = "/api/v1/models/iris-7kq2p/versions"
CHANGES = [
    {"what": "input_removed", "name": "age", "message": "input age is gone"},
    {"what": "input_added", "name": "town", "message": "input town is new\x1b[31m and required"},
    {"what": "input_type", "name": "pay", "message": "input pay has the type text, not number"},
]
DIFFERENCE = {"compatible_with": "v1", "changes": CHANGES, "more": 4}
HELD = version("v2", reason="SignatureChanged", message="It gets no requests.", compatibility=DIFFERENCE)
SHOWN = """v2 against v1:
  - input age is gone
  + input town is new\N{REPLACEMENT CHARACTER}[31m and required
  ~ input pay has the type text, not number
  and 4 more
"""


def test_a_version_that_is_held_ends_with_eight_and_says_what_differs(
    cli: Cli, platform: Platform, model_file: Path
) -> None:
    platform.on(f"POST {VERSIONS}", Answer(202, version("v2", "pending")))
    platform.on(f"GET {VERSIONS}/v2", Answer(200, HELD))
    ended = cli("upload", str(model_file), "--to", "iris-7kq2p")
    assert (ended.code, ended.out) == (8, "")
    assert "Error: No traffic was moved: callers depend on what v2 lacks or changes.\n" in ended.err
    assert SHOWN in ended.err
    assert "modelport traffic iris-7kq2p v2=100 --force" in ended.err
    assert "modelport predict iris-7kq2p --version v2" in ended.err
    printed = cli("upload", str(model_file), "--to", "iris-7kq2p", "--json")
    said = json.loads(printed.out)["error"]
    assert (printed.code, said["kind"], said["last_seen"]) == (8, "SignatureChanged", HELD)
    assert said["differences"] == {"v2": HELD["compatibility"]}


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ((), {}),
        (("--traffic", "100"), {}),
        (("--traffic", "10"), {"traffic": "10"}),
        (("--traffic", "0"), {"traffic": "0"}),
        (("--no-traffic",), {"traffic": "0"}),
        (("--traffic", "10", "--force"), {"traffic": "10", "force": "true"}),
        (("--force",), {"force": "true"}),
    ],
)
def test_a_new_version_gets_the_share_that_was_asked_for(
    cli: Cli, platform: Platform, model_file: Path, words: tuple[str, ...], sent: dict[str, str]
) -> None:
    platform.on(f"POST {VERSIONS}", Answer(202, version("v2", "pending")))
    assert cli("upload", str(model_file), "--to", "iris-7kq2p", "--no-wait", *words).code == 0
    body = platform.asked[0].body
    for name in ("traffic", "force"):
        part = f'name="{name}"\r\n\r\n{sent.get(name)}\r\n'.encode()
        assert (part in body) == (name in sent)
        assert (f'name="{name}"'.encode() in body) == (name in sent)


@pytest.mark.parametrize(
    "words",
    [
        ("--traffic", "10"),
        ("--no-traffic",),
        ("--force",),
        ("--to", "iris-7kq2p", "--traffic", "101"),
        ("--to", "iris-7kq2p", "--traffic", "-1"),
        ("--to", "iris-7kq2p", "--traffic", "some"),
        ("--to", "iris-7kq2p", "--traffic", "10", "--no-traffic"),
    ],
)
def test_a_share_that_makes_no_sense_is_wrong_usage(
    cli: Cli, platform: Platform, model_file: Path, words: tuple[str, ...]
) -> None:
    assert cli("upload", str(model_file), *words).code == 2
    assert platform.asked == []


def test_traffic_to_a_version_that_lacks_something_takes_force(cli: Cli, platform: Platform) -> None:
    path = "PUT /api/v1/models/iris-7kq2p/traffic"
    refusal = problem(409, "v2 lacks …", reason="SignatureChanged", differences={"v2": DIFFERENCE})
    platform.on(path, refusal, Answer(200, model(wanted_traffic={"v2": 100})))
    ended = cli("traffic", "iris-7kq2p", "v2=100")
    assert (ended.code, ended.out) == (8, "")
    assert SHOWN in ended.err
    forced = cli("traffic", "iris-7kq2p", "v2=100", "--force")
    assert (forced.code, forced.out) == (0, "v2 100 %\n")
    assert [asked.path.partition("?")[2] for asked in platform.calls(path)] == ["", "force=true"]
    assert cli("traffic", "iris-7kq2p", "--force").code == 2


def test_so_does_an_experiment_with_it(cli: Cli, platform: Platform) -> None:
    refusal = problem(409, "v2 lacks …", reason="SignatureChanged", differences={"v2": DIFFERENCE})
    platform.on("POST /api/v1/models/iris-7kq2p/experiments", refusal)
    ended = cli("experiments", "start", "iris-7kq2p", "v1=50", "v2=50")
    assert ended.code == 8
    assert "`modelport experiments start iris-7kq2p VERSION=PERCENT… --force`" in ended.err


@pytest.mark.parametrize(
    ("going", "words"),
    [
        ({"rollout": 3}, "  rollout   3: `modelport rollout status iris-7kq2p` shows how it goes\n"),
        ({"experiment": 2}, "  A/B test  2: `modelport experiments status iris-7kq2p` shows how it goes\n"),
    ],
)
def test_status_says_what_decides_on_the_traffic(
    cli: Cli, platform: Platform, going: dict[str, int], words: str
) -> None:
    platform.on(MODEL, Answer(200, model(**going)))
    assert words in cli("status", "iris-7kq2p").out


def test_waiting_for_a_model_whose_new_version_is_held_ends_with_eight(cli: Cli, platform: Platform) -> None:
    found = model("degraded", reason="SignatureChanged", message="v2 is held.", versions=[version(), HELD])
    platform.on(MODEL, Answer(200, found))
    ended = cli("status", "iris-7kq2p", "--wait")
    assert ended.code == 8
    assert SHOWN in ended.err
    assert cli("status", "iris-7kq2p").code == 0


def test_a_platform_that_does_not_say_what_differs_says_it_in_its_words(cli: Cli, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model("degraded", reason="SignatureChanged", message="v2 is held.")))
    ended = cli("status", "iris-7kq2p", "--wait")
    assert (ended.code, "Iris [v2]: v2 is held." in ended.err) == (8, True)


@pytest.mark.parametrize("arguments", [("gone.joblib",), (".",), ()])
def test_a_file_that_is_none_is_wrong_usage(cli: Cli, platform: Platform, arguments: Sequence[str]) -> None:
    assert cli("upload", *arguments).code == 2
    assert platform.asked == []


def test_a_sample_that_is_no_json_is_wrong_usage(cli: Cli, platform: Platform, model_file: Path) -> None:
    ended = cli("upload", str(model_file), "--sample", "{x: 1}")
    assert (ended.code, platform.asked) == (2, [])
    assert "not JSON" in ended.err


# Predictions


@pytest.mark.parametrize(
    ("arguments", "stdin", "sent"),
    [
        (['{"petal_width": 0.2}'], "", {"input": {"petal_width": 0.2}}),
        (["[5.1, 3.5]"], "", {"input": [5.1, 3.5]}),
        (["petal_width=0.2", "town=Rome", "code=\"7\"", "gone=null"], "",
         {"input": {"petal_width": 0.2, "town": "Rome", "code": "7", "gone": None}}),
        (["win a prize"], "", {"input": "win a prize"}),
        (['"1=2"'], "", {"input": "1=2"}),
        (["-"], '{"petal_width": 1}', {"input": {"petal_width": 1}}),
        ([], '{"petal_width": 1}', {"input": {"petal_width": 1}}),
        ([], "win a prize\n", {"input": "win a prize"}),
        (['{"input": [1], "return": ["probabilities"]}'], "", {"input": [1], "return": ["probabilities"]}),
        (['{"input": 1, "output": 2}'], "", {"input": {"input": 1, "output": 2}}),
        (["[1]", "-p"], "", {"input": [1], "return": ["prediction", "probabilities"]}),
    ],
)  # fmt: skip
def test_a_row_can_be_given_in_many_ways(
    cli: Cli, platform: Platform, arguments: list[str], stdin: str, sent: object
) -> None:
    platform.on(PREDICT, Answer(200, ONE))
    ended = cli("predict", "iris-7kq2p", *arguments, stdin=stdin)
    assert (ended.code, ended.out, ended.err) == (0, "setosa\n", "")
    assert platform.asked[0].json == sent


def test_a_file_of_rows_is_many_predictions(cli: Cli, platform: Platform, tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text("[[1], [2]]")
    platform.on(PREDICT, Answer(200, {"model": "m", "version": "v1", "predictions": [0.5, None]}))
    assert cli("predict", "iris-7kq2p", f"@{rows}").out == "0.5\nnull\n"
    assert platform.asked[0].json == {"inputs": [[1], [2]]}
    shown = json.loads(cli("predict", "iris-7kq2p", f"@{rows}", "--json").out)
    assert [each["prediction"] for each in shown] == [0.5, None]


def test_probabilities_are_shown_below(cli: Cli, platform: Platform) -> None:
    body = {**ONE, "probabilities": {"setosa": 0.98, "versicolor": 0.02}}
    platform.on(PREDICT, Answer(200, body, {"X-Cache": "hit"}))
    assert cli("predict", "iris-7kq2p", "[1]", "-p").out == "setosa\n  setosa  0.9800\n  versicolor  0.0200\n"
    shown = json.loads(cli("predict", "iris-7kq2p", "[1]", "-p", "--json").out)
    assert shown == {**body, "cached": True, "request_id": None}


def test_contributions_are_shown_the_largest_first(cli: Cli, platform: Platform) -> None:
    terms = {"base": 0.5, "values": {"a": -0.25, "b": 1.0, "c": None}}
    explained = {"scale": "log_odds", "class": "good", **terms, "values": {"a": -0.25, "b": 1.0}}
    platform.on(PREDICT, Answer(200, {**ONE, "contributions": explained}))
    ended = cli("predict", "iris-7kq2p", "[1]", "--return", "contributions")
    assert ended.out.splitlines()[1:] == [
        "  contributions to the log-odds of good: 1.25",
        "    +0.5  (base)",
        "    +1  b",
        "    -0.25  a",
    ]
    assert platform.asked[0].json == {"input": [1], "return": ["prediction", "contributions"]}
    platform.on(PREDICT, Answer(200, {**ONE, "contributions": {"scale": "score", "classes": {"x": terms}}}))
    assert cli("predict", "iris-7kq2p", "[1]", "--return", "contributions").out.splitlines()[1:] == [
        "  contributions to the score of x: ?",
        "    +0.5  (base)",
        "    +1  b",
        "    -0.25  a",
        "    ?  c",
    ]


def test_an_output_that_is_called_contributions_is_shown_as_it_is(cli: Cli, platform: Platform) -> None:
    platform.on(PREDICT, Answer(200, {**ONE, "contributions": [0.5]}))
    ended = cli("predict", "iris-7kq2p", "[1]", "--return", "contributions")
    assert ended.out == "setosa\n  contributions  [0.5]\n"


@pytest.mark.parametrize("arguments", [["{x: 1}"], ["[1,"], ["@gone.json"], ["a", "b"], [""]])
def test_an_input_that_cannot_be_read_is_wrong_usage(
    cli: Cli, platform: Platform, arguments: list[str]
) -> None:
    ended = cli("predict", "iris-7kq2p", *arguments)
    assert (ended.code, ended.out, platform.asked) == (2, "", [])


# Failures


@pytest.mark.parametrize(
    ("status", "code"), [(400, 5), (401, 3), (403, 3), (404, 4), (409, 5), (422, 5), (500, 1), (504, 6)]
)
def test_each_kind_of_failure_has_its_exit_code(cli: Cli, platform: Platform, status: int, code: int) -> None:
    credentials.save(platform.url, Credentials(api_key="k"))
    platform.on(MODEL, problem(status, "What [happened].", errors=[{"field": "a", "message": "b"}]))
    ended = cli("status", "iris-7kq2p")
    assert (ended.code, ended.out) == (code, "")
    assert "Error: What [happened]." in ended.err
    assert "a: b" in ended.err
    assert "r-9" in ended.err


def test_a_limit_that_frees_too_late_ends_with_six(cli: Cli, platform: Platform) -> None:
    platform.on(MODEL, problem(429, "The limit is used up.", headers={"Retry-After": "3600"}))
    assert cli("status", "iris-7kq2p").code == 6


def test_an_unknown_command_is_wrong_usage(cli: Cli) -> None:
    assert cli("serve").code == 2


def test_ctrl_c_ends_with_130_and_no_trace(platform: Platform) -> None:
    def pending(_asked: object) -> Answer:
        return Answer(200, model("pending"))

    platform.on(MODEL, pending)
    process = subprocess.Popen(
        [sys.executable, "-m", "modelport", "status", "iris-7kq2p", "--wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MODELPORT_API_KEY": "k"},
    )
    deadline = time.monotonic() + 120
    while len(platform.asked) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err


# Accounts


def test_a_login_is_kept_and_used(cli: Cli, platform: Platform) -> None:
    platform.on("POST /api/v1/auth/login", Answer(200, tokens()))
    platform.on("GET /api/v1/auth/me", Answer(200, USER))
    assert cli("login", "ada@example.com", "--password-stdin", stdin="pass word\n").code == 0
    assert platform.asked[0].json == {"email": "ada@example.com", "password": "pass word"}
    assert cli("whoami").out == f"ada@example.com at {platform.url}\n"
    assert platform.asked[1].token == "access-1"
    assert json.loads(cli("whoami", "--json").out) == {
        "url": platform.url,
        "id": "u1",
        "email": "ada@example.com",
    }


def test_a_wrong_password_gets_no_advice_to_log_in(cli: Cli, platform: Platform) -> None:
    platform.on("POST /api/v1/auth/login", problem(401, "Wrong e-mail address or password."))
    ended = cli("login", "ada@example.com", "--password-stdin", stdin="pw\n")
    assert ended.code == 3
    assert "`modelport register EMAIL`" in ended.err
    assert "modelport login" not in ended.err
    assert credentials.load(platform.url) is None


def test_an_account_is_made_and_logged_in(cli: Cli, platform: Platform) -> None:
    platform.on("POST /api/v1/auth/register", Answer(201, USER))
    platform.on("POST /api/v1/auth/login", Answer(200, tokens()))
    ended = cli("register", "ada@example.com", "--name", "Ada", "--password-stdin", "--json", stdin="pw\n")
    assert json.loads(ended.out) == {"url": platform.url, "email": "ada@example.com"}
    assert platform.asked[0].json["full_name"] == "Ada"
    assert credentials.load(platform.url) is not None


def test_a_password_is_never_an_argument(cli: Cli, platform: Platform) -> None:
    assert cli("login", "ada@example.com", "--password", "pw").code == 2
    assert platform.asked == []


def test_a_logout_ends_the_session_here_and_there(cli: Cli, platform: Platform) -> None:
    platform.on("POST /api/v1/auth/logout", Answer(204))
    credentials.save(
        platform.url, Credentials(access_token="a", refresh_token="r", expires_at=time.time() + 99)
    )
    assert cli("logout").code == 0
    assert platform.asked[0].json == {"refresh_token": "r"}
    assert credentials.load(platform.url) is None


def test_a_logout_works_without_the_platform(cli: Cli) -> None:
    url = "http://127.0.0.1:9"
    credentials.save(url, Credentials(access_token="a", refresh_token="r"))
    ended = cli("logout", "--url", url)
    assert ended.code == 0
    assert "was not notified" in ended.err
    assert credentials.load(url) is None


def test_whoami_with_an_api_key_says_so(
    cli: Cli, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELPORT_API_KEY", "k")
    platform.on("GET /api/v1/auth/me", problem(403, "An API key cannot manage accounts."))
    assert cli("whoami").out == f"An API key at {platform.url}\n"


# Models, versions, keys


def test_models_are_listed(cli: Cli, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    platform.on("GET /api/v1/models", Answer(200, {"items": [model()], "next_cursor": None}))
    out = cli("list").out
    assert [" ".join(line.split()[:4]) for line in out.splitlines()] == [
        "ID NAME STATUS FRAMEWORK",
        "iris-7kq2p Iris [v2] ready",
    ], "one line a model, however narrow the terminal"
    assert json.loads(cli("list", "--json").out) == [model()]


def test_on_a_narrow_terminal_each_model_is_a_block(
    cli: Cli, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    platform.on("GET /api/v1/models", Answer(200, {"items": [model()], "next_cursor": None}))
    lines = cli("list").out.splitlines()
    assert "iris-7kq2p" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == [
        "name",
        "status",
        "framework",
        "traffic",
        "access",
        "created",
    ]


def test_a_status_names_each_engine_and_its_proof(cli: Cli, platform: Platform) -> None:
    fresh = version("v3", "pending", engine=None, acceleration=None)
    native = version("v2", engine="native", acceleration={"detail": "Acceleration is switched off."})
    platform.on(MODEL, Answer(200, model(versions=[version(), native, fresh])))
    lines = cli("status", "iris-7kq2p").out.splitlines()
    assert [line.strip() for line in lines if "engine" in line] == [
        "engine    v1 numpy: They are equal.",
        "engine    v2 native: Acceleration is switched off.",
    ]
    assert "numpy" in cli("versions", "iris-7kq2p").out


def test_a_platform_of_an_earlier_release_reports_no_engine(cli: Cli, platform: Platform) -> None:
    old = version()
    del old["engine"], old["acceleration"]
    platform.on(MODEL, Answer(200, model(versions=[old])))
    assert "engine" not in cli("status", "iris-7kq2p").out
    assert cli("versions", "iris-7kq2p").code == 0


def test_an_upload_and_an_update_switch_acceleration_off(
    cli: Cli, platform: Platform, model_file: Path
) -> None:
    platform.on("POST /api/v1/models/upload", Answer(202, model("pending", acceleration="off")))
    cli("upload", str(model_file), "--no-wait", "--acceleration", "off")
    assert b'name="acceleration"\r\n\r\noff\r\n' in platform.asked[0].body
    platform.on("PATCH /api/v1/models/iris-7kq2p", Answer(200, model(acceleration="off")))
    ended = cli("update", "iris-7kq2p", "--acceleration", "off")
    assert (ended.code, platform.asked[1].json) == (0, {"acceleration": "off"})
    assert "Iris [v2] (iris-7kq2p) is ready" in ended.out
    cli("update", "iris-7kq2p", "--name", "A", "--access", "public", "--description", "", "--yes")
    assert platform.asked[2].json == {"name": "A", "access": "public", "description": ""}


def test_going_public_asks_once_and_shows(cli: Cli, platform: Platform) -> None:
    public = model(access="public")
    platform.on(
        MODEL, Answer(200, model(access="private")), Answer(200, model(access="private")), Answer(200, public)
    )
    platform.on("PATCH /api/v1/models/iris-7kq2p", Answer(200, public))
    refused = cli("update", "iris-7kq2p", "--access", "public", stdin="n\n")
    assert (refused.code, platform.calls("PATCH /api/v1/models/iris-7kq2p")) == (1, [])
    assert "without an account or a key" in refused.err
    done = cli("update", "iris-7kq2p", "--access", "public", stdin="y\n")
    assert (done.code, "public: everyone may call it" in done.out) == (0, True)
    again = cli("update", "iris-7kq2p", "--access", "public", "--name", "B")
    assert (again.code, again.err) == (0, ""), "it is public already"
    platform.on("GET /api/v1/models", Answer(200, {"items": [public], "next_cursor": None}))
    assert " public " in cli("list").out


@pytest.mark.parametrize(("given", "sent"), [("caller", "caller"), ("session", "session"), ("off", None)])
def test_an_update_says_what_sticks_to_a_version(
    cli: Cli, platform: Platform, given: str, sent: str | None
) -> None:
    platform.on("PATCH /api/v1/models/iris-7kq2p", Answer(200, model(sticky=sent)))
    ended = cli("update", "iris-7kq2p", "--sticky", given)
    assert (ended.code, platform.asked[0].json) == (0, {"sticky": sent})


def test_tags_are_set_removed_and_shown(cli: Cli, platform: Platform) -> None:
    tagged = Answer(200, model(tags=["eu", "prod"]))
    platform.on("PATCH /api/v1/models/iris-7kq2p", tagged, Answer(200, model(tags=[])))
    shown = cli("update", "iris-7kq2p", "--tag", "eu", "--tag", "prod").out
    assert "tags      eu, prod" in shown
    assert "tags" not in cli("update", "iris-7kq2p", "--no-tags").out
    assert [asked.json for asked in platform.asked] == [{"tags": ["eu", "prod"]}, {"tags": []}]


def test_a_list_is_of_the_models_with_all_tags_and_shows_them(cli: Cli, platform: Platform) -> None:
    page = {"items": [model(tags=["eu", "prod"])], "next_cursor": None}
    platform.on("GET /api/v1/models", Answer(200, page), Answer(200, {"items": [], "next_cursor": None}))
    heads, row = cli("list", "--tag", "eu", "--tag", "prod").out.splitlines()
    assert (heads.split()[-1], row.split()[-2:]) == ("TAGS", ["eu,", "prod"])
    assert platform.asked[0].path == "/api/v1/models?tag=eu&tag=prod"
    assert "No model has the tags: gone." in cli("list", "--tag", "gone").err


@pytest.mark.parametrize(
    "arguments",
    [
        ("update", "iris-7kq2p"),
        ("update", "iris-7kq2p", "--tag", "eu", "--no-tags"),
        ("update", "iris-7kq2p", "--sticky", "address"),
        ("update", "iris-7kq2p", "--acceleration", "on"),
        ("upload", "{file}", "--acceleration", "numpy"),
        ("upload", "{file}", "--to", "iris-7kq2p", "--acceleration", "off"),
    ],
)
def test_a_setting_that_means_nothing_is_wrong_usage(
    cli: Cli, platform: Platform, model_file: Path, arguments: tuple[str, ...]
) -> None:
    assert cli(*(each.replace("{file}", str(model_file)) for each in arguments)).code == 2
    assert platform.asked == []


def test_logs_are_readable_and_cannot_steer_the_terminal(cli: Cli, platform: Platform) -> None:
    event = {"time": "2026-01-01T10:00:00.5+00:00", "level": "warning", "event": "load_failed", "seconds": 1}
    lines = [json.dumps(event | {"trace": "Traceback:\n  ValueError"}), "hello \x1b]0;owned\x07 [1]", "7"]
    logs = "GET /api/v1/models/iris-7kq2p/versions/v1/logs"
    platform.on(logs, Answer(200, "\n".join(lines).encode()))
    assert cli("logs", "iris-7kq2p", "--version", "v1").out.splitlines() == [
        "2026-01-01 10:00:00 WARNING load_failed seconds=1",
        "  Traceback:",
        "    ValueError",
        "hello \ufffd]0;owned\ufffd [1]",
        "7",
    ]


def test_no_models_yet_says_what_to_do(cli: Cli, platform: Platform) -> None:
    platform.on("GET /api/v1/models", Answer(200, {"items": [], "next_cursor": None}))
    ended = cli("list")
    assert ended.out == ""
    assert "modelport upload" in ended.err


def test_versions_traffic_and_rollback_are_shown(cli: Cli, platform: Platform) -> None:
    path = "/api/v1/models/iris-7kq2p"
    platform.on(MODEL, Answer(200, model()))
    platform.on(f"PUT {path}/traffic", Answer(200, model(wanted_traffic={"v1": 90, "v2": 10})))
    platform.on(f"POST {path}/rollback", Answer(200, model()))
    out = cli("versions", "iris-7kq2p").out
    assert all(text in out for text in ("v1", "ready", "100 %", "1.2 MB", "abababababab"))
    assert json.loads(cli("versions", "iris-7kq2p", "--json").out) == [version()]
    assert cli("traffic", "iris-7kq2p").out == "v1 100 %\n"
    assert cli("traffic", "iris-7kq2p", "v1=90", "v2=10").out == "v1 90 %, v2 10 %\n"
    assert platform.calls(f"PUT {path}/traffic")[0].json == {"v1": 90, "v2": 10}
    assert json.loads(cli("rollback", "iris-7kq2p", "--json").out)["traffic"] == {"v1": 100}
    assert cli("traffic", "iris-7kq2p", "v1").code == 2


def test_logs_are_of_the_newest_version_unless_named(cli: Cli, platform: Platform) -> None:
    path = "/api/v1/models/iris-7kq2p/versions"
    platform.on(MODEL, Answer(200, model(versions=[version("v1"), version("v2")])))
    platform.on(f"GET {path}/v2/logs", Answer(200, b"new\n"))
    platform.on(f"GET {path}/v1/logs", Answer(200, b"old [b]\n"))
    assert cli("logs", "iris-7kq2p").out == "new\n"
    assert cli("logs", "iris-7kq2p", "--version", "v1").out == "old [b]\n"
    assert json.loads(cli("logs", "iris-7kq2p", "--json").out)["lines"] == ["new"]


def test_deleting_prompts_for_confirmation_first(cli: Cli, platform: Platform) -> None:
    path = "/api/v1/models/iris-7kq2p"
    platform.on(f"DELETE {path}", Answer(204))
    platform.on(f"DELETE {path}/versions/v1", Answer(204))
    assert cli("delete", "iris-7kq2p", stdin="n\n").code == 1
    assert platform.asked == []
    assert cli("delete", "iris-7kq2p", stdin="y\n").code == 0
    assert cli("delete", "iris-7kq2p", "--version", "v1", "--yes").code == 0
    assert [asked.path for asked in platform.asked] == [path, f"{path}/versions/v1"]


def test_what_was_ended_or_deleted_is_json_too(cli: Cli, platform: Platform) -> None:
    platform.on("DELETE /api/v1/models/iris-7kq2p", Answer(204))
    platform.on("DELETE /api/v1/models/iris-7kq2p/versions/v1", Answer(204))
    platform.on("DELETE /api/v1/api-keys/k1", Answer(204))
    said = [
        json.loads(cli(*words, "--json").out)
        for words in (
            ("delete", "iris-7kq2p", "--yes"),
            ("delete", "iris-7kq2p", "--version", "v1", "--yes"),
            ("keys", "revoke", "k1", "--yes"),
            ("logout",),
        )
    ]
    assert said == [
        {"model": "iris-7kq2p", "version": None},
        {"model": "iris-7kq2p", "version": "v1"},
        {"id": "k1"},
        {"url": platform.url},
    ]


def test_the_version_is_that_of_the_package(cli: Cli) -> None:
    assert cli("--version").out == f"modelport {package_version('modelport')}\n"


def test_a_new_key_is_all_of_stdout(cli: Cli, platform: Platform) -> None:
    path = "/api/v1/api-keys"
    platform.on(f"POST {path}", Answer(201, key(key="mlp_live_secret")))
    platform.on(f"POST {path}/k1/rotate", Answer(200, key(key="mlp_live_other")))
    platform.on(f"DELETE {path}/k1", Answer(204))
    platform.on(f"GET {path}", Answer(200, {"items": [key()], "next_cursor": None}))
    ended = cli("keys", "create", "ci", "--scope", "predict", "--model", "m", "--expires-days", "30")
    assert (ended.code, ended.out) == (0, "mlp_live_secret\n")
    sent = platform.asked[0].json
    assert (sent["scopes"], sent["model_ids"]) == (["predict"], ["m"])
    assert 29 <= (datetime.fromisoformat(sent["expires_at"]) - datetime.now(UTC)).days <= 30
    assert cli("keys", "rotate", "k1").out == "mlp_live_other\n"
    assert json.loads(cli("keys", "rotate", "k1", "--json").out)["key"] == "mlp_live_other"
    assert "mlp_live_ab12" in cli("keys", "list").out
    assert json.loads(cli("keys", "list", "--json").out) == [key()]
    assert cli("keys", "revoke", "k1", stdin="n\n").code == 1
    assert cli("keys", "revoke", "k1", "--yes").code == 0


def test_a_command_starts_without_the_awaiting_clients_modules() -> None:
    code = "import sys; before = {*sys.modules}; import modelport.cli; print(*({*sys.modules} - before))"
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "modelport.client" in started.stdout.split()
    assert {"asyncio", "modelport.async_client"}.isdisjoint(started.stdout.split())


# Commands of other parts


def start(arguments: Sequence[str]) -> int:
    print("started with", *arguments)
    return 9


def test_a_command_of_another_part_gets_its_arguments_as_they_are(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("up", f"{__name__}:start", command.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _self: start)
    monkeypatch.setattr(command, "entry_points", lambda group: [entry])
    ended = cli("up", "--demo", "--port", "9000", "--help")
    assert (ended.code, ended.out) == (9, "started with --demo --port 9000 --help\n")


def test_without_the_platform_installed_up_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "entry_points", lambda group: [])
    ended = cli("up")
    assert ended.code == 1
    assert "pip install 'modelport[standalone]'" in ended.err


def test_a_command_whose_libraries_are_missing_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("up", "no_such_module.cli:up", command.GROUP)
    monkeypatch.setattr(command, "entry_points", lambda group: [entry])
    ended = cli("up")
    assert ended.code == 1
    assert "No module named 'no_such_module'" in ended.err
