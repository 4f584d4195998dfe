"""What README.md has users type, typed."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest
from modelport.cli import run
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.support.platform_process import PlatformProcess, wait_until_ready

_ROOT = Path(__file__).parents[3]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", _README, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no {language} block"
    return found


def curls() -> list[str]:
    return [line for block in blocks("bash") for line in block.splitlines() if line.startswith("curl ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a person types: with a model file in it, trained on a bare array."""
    data = load_iris()
    model = LogisticRegression(max_iter=500).fit(data.data, data.target_names[data.target])
    for name in ("model.pkl", "my.joblib"):
        joblib.dump(model, tmp_path / name)
    return tmp_path


def typed(line: str, folder: Path) -> Any:
    ended = subprocess.run(
        ["bash", "-c", f"{line} --silent --show-error"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_four_curl_lines_lead_a_new_user_to_a_prediction(platform: PlatformProcess, folder: Path) -> None:
    register, login, upload, predict = (
        line.replace("http://localhost:8000", platform.url) for line in curls()
    )
    assert "id" in typed(register, folder)
    token = typed(login, folder)["access_token"]
    model = typed(upload.replace("TOKEN", token), folder)
    with platform.session(token) as client:
        wait_until_ready(client, model["id"])
    answer = typed(predict.replace("TOKEN", token).replace("MODEL_ID", model["id"]), folder)
    assert answer["prediction"] == "setosa"


def recipe() -> str:
    """The Python that the page of an empty dashboard shows."""
    page = _ROOT / "control-api/modelport_control_api/ui/templates/models/first_model.html"
    (code,) = re.findall(r"{% set recipe %}(.*?){% endset %}", page.read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


def test_the_last_curl_line_fits_the_model_that_an_empty_dashboard_has_users_make(
    platform: PlatformProcess, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-c", recipe()], cwd=tmp_path, check=True, timeout=90)
    predict = curls()[-1].replace("http://localhost:8000", platform.url)
    with platform.register_user() as client:
        with (tmp_path / "iris.joblib").open("rb") as file:
            made = client.post("/api/v1/models/upload", files={"file": file}, data={"name": "Iris"})
        model_id = made.raise_for_status().json()["id"]
        wait_until_ready(client, model_id)
        token = client.headers["Authorization"].removeprefix("Bearer ")
        answer = typed(predict.replace("TOKEN", token).replace("MODEL_ID", model_id), tmp_path)
    assert answer["prediction"] == "setosa"


@pytest.fixture
def demo(new_platform: Any) -> Iterator[tuple[str, str, str]]:
    """A platform with its demo model: URL, an API key, and the model's id, as it printed them."""
    started = new_platform().start("--demo")
    printed = re.search(r'(\S+)/predict/(\S+) -H "X-API-Key: ([^"]+)"', started.output)
    assert printed is not None, started.output
    url, model_id, key = printed.groups()
    yield url, key, model_id
    started.stop()


def test_the_python_block_prints_the_prediction(demo: tuple[str, str, str], folder: Path) -> None:
    url, key, model_id = demo
    (code,) = blocks("python")
    filled = code.replace("http://127.0.0.1:8000", url)
    for pattern, value in ((r"mlp_live_[^\"]*", key), (r'(?<=")iris-\w+(?=")', model_id)):
        filled, count = re.subn(pattern, value, filled)
        assert count == 1, f"{pattern} is {count} times in the block"
    ended = subprocess.run(
        [sys.executable, "-c", filled], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.stdout, ended.stderr) == ("setosa\n", "")


def commands() -> list[list[str]]:
    """Every `modelport …` that stands in a console block or between backticks, as words."""
    in_blocks = re.findall(r"^\$ (?:\S*/)?modelport (.*)$", "".join(blocks("console")), re.MULTILINE)
    in_text = re.findall(r"`(?:\S*/)?modelport ([^`]+)`", _README)
    return [line.split() for line in (*in_blocks, *in_text)]


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run([command, "--help"]) == 0, f"there is no modelport {command}"
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_that_is_mentioned_exists_with_its_options(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = help_of(words[0], capsys)
    for option in (word for word in words if word.startswith("--")):
        assert f"{option} " in shown


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[a-z-]+)[ `]", _README))))
def test_an_option_that_is_mentioned_alone_is_one_of_up(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"{option} " in help_of("up", capsys)
