"""The gateway's process: what is wrong with its settings is one line and exit code 1."""

import pytest
from modelport_gateway.__main__ import main


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "MODELPORT_GATEWAY_CONTROL_URL is not set"),
        ({"MODELPORT_GATEWAY_CONTROL_URL": "control-api:8001"}, "MODELPORT_GATEWAY_CONTROL_URL is wrong"),
        ({"MODELPORT_LIMIT_PREDICT": "many"}, "MODELPORT_LIMIT_PREDICT is wrong"),
        ({"MODELPORT_GATEWAY_LISTEN": "8080"}, "MODELPORT_GATEWAY_LISTEN=8080 cannot be listened on"),
        ({"MODELPORT_REDIS_URL": "http://redis"}, "MODELPORT_REDIS_URL is no address"),
        ({"KUBECONFIG": "/nonexistent/kubeconfig"}, "No access to a Kubernetes cluster"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    environment: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = {"MODELPORT_GATEWAY_CONTROL_URL": "http://127.0.0.1:9", "MODELPORT_GATEWAY_LISTEN": "127.0.0.1:0"}
    for name, value in ((good if environment else {}) | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("modelport_process.logging.configure", lambda *_: None)
    assert main() == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
