"""What is wrong with a setting: its variable, what it must be in plain words, and an example; no secret."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from modelport_control_api.artifacts.store import open_artifact_store
from modelport_control_api.batch_worker.settings import Settings as WorkerSettings
from modelport_control_api.db.engine import build_engine
from modelport_control_api.settings import Settings as ControlApiSettings
from modelport_gateway.settings import ServeSettings
from modelport_gateway.settings import Settings as GatewaySettings
from modelport_http.settings import Settings as EdgeSettings
from modelport_operator.settings import Settings as OperatorSettings
from modelport_process.settings import read_settings, variable_of
from modelport_process.start import CannotStart
from modelport_runtime.settings import SettingsError, from_environment
from pydantic_settings import BaseSettings

API, OPERATOR, GATEWAY = "MODELPORT_CONTROL_API_", "MODELPORT_OPERATOR_", "MODELPORT_GATEWAY_"
ARTIFACTS = {f"{OPERATOR}ARTIFACT_BASE_URL": "file:///{sha256}"}
ALL = (ControlApiSettings, WorkerSettings, OperatorSettings, GatewaySettings, ServeSettings, EdgeSettings)


def said_of(kind: type[BaseSettings], environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CannotStart) as raised:
        read_settings(kind)
    return str(raised.value)


@pytest.mark.parametrize(
    ("kind", "variable", "value", "said"),
    [
        (GatewaySettings, f"{GATEWAY}MAX_IN_FLIGHT", "many", "it must be a whole number, e.g. {}=128"),
        (GatewaySettings, f"{GATEWAY}MAX_IN_FLIGHT", "1.5", "it must be a whole number, e.g. {}=128"),
        (GatewaySettings, f"{GATEWAY}MAX_IN_FLIGHT", "0", "it must be 1 or more, e.g. {}=128"),
        (GatewaySettings, f"{GATEWAY}DRAIN_SECONDS", "soon", "it must be a number, e.g. {}=30.0"),
        (GatewaySettings, f"{GATEWAY}CONNECT_TIMEOUT_SECONDS", "0", "it must be more than 0, e.g. {}=1.0"),
        (GatewaySettings, f"{GATEWAY}WATCH_ALL_NAMESPACES", "ja", "it must be true or false, e.g. {}=false"),
        (GatewaySettings, "MODELPORT_TRUSTED_PROXIES", "10/99", "IPv4 or IPv6 network, e.g. {}=10.0.0.0/8"),
        (
            GatewaySettings,
            "MODELPORT_LIMIT_PREDICT",
            "5",
            "write <requests>/<second|minute|hour|day>, e.g. 10/",
        ),
        (
            ServeSettings,
            f"{GATEWAY}CONTROL_URL",
            "api:8001",
            "it must be http://<host>:<port>, e.g. {}=http://",
        ),
        (
            EdgeSettings,
            "MODELPORT_LOG_LEVEL",
            "loud",
            "it must be one of DEBUG, INFO, WARNING, ERROR, e.g. {}=INFO",
        ),
        (
            ControlApiSettings,
            f"{API}REGISTRATION",
            "maybe",
            "it must be open, invite or closed, e.g. {}=open",
        ),
        (ControlApiSettings, f"{API}BCRYPT_ROUNDS", "99", "it must be 18 or less, e.g. {}=12"),
        (
            ControlApiSettings,
            "MODELPORT_INTERNAL_KEY",
            "hunter2",
            "must have at least 16 characters, e.g. {}=$(",
        ),
        (ControlApiSettings, "MODELPORT_LIMIT_LOGIN", "5", "e.g. 10/hour"),
        (WorkerSettings, f"{API}BATCH_LEASE_SECONDS", "1", "it must be 3 or more"),
        (
            OperatorSettings,
            f"{OPERATOR}IMAGE_PULL_POLICY",
            "never",
            "it must be IfNotPresent, Always or Never, e.g. {}=",
        ),
        (
            OperatorSettings,
            f"{OPERATOR}NODE_SELECTOR",
            "pool=models",
            'it must be JSON, e.g. {}={{"pool": "models"}}',
        ),
        (OperatorSettings, f"{OPERATOR}NODE_SELECTOR", "[]", "it must be a JSON object, e.g. {}="),
        (OperatorSettings, f"{OPERATOR}TOLERATIONS", "{}", "it must be a JSON list, e.g. {}="),
        (
            OperatorSettings,
            f"{OPERATOR}METRICS_SCRAPER",
            '{"namespac": "a"}',
            "namespac: it is not a known field",
        ),
        (OperatorSettings, f"{OPERATOR}METRICS_SCRAPER", '{"namespac": "a"}', "namespace: it is missing"),
        (
            OperatorSettings,
            f"{OPERATOR}RUNTIME_IMAGES",
            '{"tf": "x"}',
            "tf: it must be sklearn, onnx, xgboost, lightgbm, catboost, jax, river, statsmodels, torch, "
            "transformers, autogluon, tensorflow, python or ensemble",
        ),
        (
            OperatorSettings,
            "MODELPORT_RUNTIME_MEMORY_BYTES",
            "2G",
            "it must be a whole number, e.g. {}=2147483648",
        ),
    ],
)
def test_a_wrong_value_is_reported_by_variable_problem_and_example(
    kind: type[BaseSettings], variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = said_of(kind, {**ARTIFACTS, variable: value}, monkeypatch)
    assert f"{variable} is wrong: " in text
    assert said.format(variable) in text
    assert not any(words in text for words in ("Input should", "Value error", "Field required", "hunter2"))
    assert "\n" not in text


@pytest.mark.parametrize(
    ("kind", "variable"),
    [
        (ServeSettings, f"{GATEWAY}CONTROL_URL"),
        (ControlApiSettings, f"{API}DATABASE_URL"),
        (ControlApiSettings, f"{API}ARTIFACTS_URL"),
        (ControlApiSettings, f"{API}SIGNING_KEYS_DIR"),
        (WorkerSettings, "MODELPORT_INTERNAL_KEY"),
        (OperatorSettings, f"{OPERATOR}ARTIFACT_BASE_URL"),
    ],
)
def test_what_is_not_set_has_an_example(
    kind: type[BaseSettings], variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"{variable} is not set: give it a value, e.g. {variable}=" in said_of(kind, {}, monkeypatch)


def test_a_rule_over_several_names_the_variable_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    text = said_of(OperatorSettings, {f"{OPERATOR}ARTIFACT_BASE_URL": "file:///x"}, monkeypatch)
    assert text.startswith(f"{OPERATOR}ARTIFACT_BASE_URL must hold {{sha256}}, for example file:///")


@pytest.mark.parametrize("kind", ALL)
def test_every_number_choice_and_list_has_an_example(
    kind: type[BaseSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else is not set: each wrong variable has one, and none is reported in pydantic's words."""
    for field, info in kind.model_fields.items():
        if info.annotation not in {str, Path} and "Secret" not in str(info.annotation):
            monkeypatch.setenv(variable_of(kind, field), "[\x7f")
    said = said_of(kind, {}, monkeypatch)
    assert "Input should" not in said
    assert all("e.g. " in each for each in said.split("; "))


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "junk", ["", "-1", "1e999", "nan", "1.5", "x" * 20_000, "null", "{}", "[1]", '{"a": 1}']
)
def test_no_junk_in_any_variable_is_reported_in_pydantics_words(
    kind: type[BaseSettings], junk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for field in kind.model_fields:
        monkeypatch.setenv(variable_of(kind, field), junk)
    said = refusal_of(kind)
    assert not re.search(r"should|Input|Value error|pydantic|errors\.", said), said


def refusal_of(kind: type[BaseSettings]) -> str:
    """Empty if every variable will do."""
    try:
        read_settings(kind)
    except CannotStart as error:
        return str(error)
    return ""


# What is found when it is used


@pytest.mark.parametrize(
    "url",
    ["hunter2", "mysql://me:hunter2@db/x", "postgresql:/me:hunter2@db", "postgresql://me:hunter2@db:x/y"],
)
def test_an_invalid_database_url_is_reported_without_its_password(url: str) -> None:
    with pytest.raises(
        CannotStart, match=r"MODELPORT_CONTROL_API_DATABASE_URL.*write postgresql://"
    ) as raised:
        build_engine(url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("url", ["ftp://me:hunter2@host", "s3://", "s3:/bucket"])
def test_an_invalid_object_store_url_is_reported_in_one_line_without_its_password(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(CannotStart, match=r"MODELPORT_CONTROL_API_ARTIFACTS_URL.*write s3://") as raised:
        open_artifact_store(url, tmp_path)
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="cannot be made"):
        open_artifact_store(str(tmp_path / "file"), tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAX_QUEUE", "many", "it must be a whole number above 0, e.g. MODELPORT_RUNTIME_MAX_QUEUE=256"),
        ("FRAMEWORK", "tf", "it must be one of sklearn, onnx"),
        ("LISTEN", "8080:", "host:port or unix:/path, e.g. MODELPORT_RUNTIME_LISTEN=127.0.0.1:8080"),
        ("ALLOW_UNSANDBOXED", "ja", "true or false, e.g. MODELPORT_RUNTIME_ALLOW_UNSANDBOXED=false"),
    ],
)
def test_a_wrong_variable_of_a_runtime_is_reported_in_the_same_way(name: str, value: str, said: str) -> None:
    good = {
        "MODEL": "m",
        "VERSION": "v1",
        "FRAMEWORK": "onnx",
        "ARTIFACT": "/a",
        "ARTIFACT_SHA256": "ab" * 32,
    }
    variables = {f"MODELPORT_RUNTIME_{key}": text for key, text in {**good, name: value}.items()}
    with pytest.raises(SettingsError, match=f"MODELPORT_RUNTIME_{name} is '{value}', but ") as raised:
        from_environment(variables)
    assert said in str(raised.value)
