"""Every test has a home, a platform and an environment of its own."""

import asyncio
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from modelport import AsyncModelport, Modelport, RetryPolicy
from modelport.cli import run

from tests.client.unit.awaited import Awaited
from tests.client.unit.platform import Platform


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ended]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MODELPORT_URL", "MODELPORT_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    # Wide: tables are not folded in the middle of what a test looks for.
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    platform = Platform()
    monkeypatch.setenv("MODELPORT_URL", platform.url)
    yield platform
    platform.close()


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the client made, instead of making them."""
    return []


@pytest.fixture(params=["blocking", "awaiting"])
def client(
    request: pytest.FixtureRequest, platform: Platform, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Modelport]:
    """Both clients, which have to do the same; the awaiting one through `Awaited`."""
    retries = RetryPolicy(sleep=pauses.append, random=lambda: 1.0)
    if request.param == "blocking":
        with Modelport(platform.url, "mlp_live_key", retries=retries) as client:
            yield client
        return

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("modelport.transport.asynchronous.sleep", note)
    with asyncio.Runner() as runner:
        awaiting = Awaited(AsyncModelport(platform.url, "mlp_live_key", retries=retries), runner)
        yield cast(Modelport, awaiting)
        awaiting.close()


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "my model.joblib"
    path.write_bytes(bytes(range(256)) * 1000)
    return path


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    def call(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = run(arguments)
        return Ended(code, *capsys.readouterr())

    return call
