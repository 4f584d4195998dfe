from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at, sign_in


@pytest.fixture(scope="session")
def iris_model() -> LogisticRegression:
    features, target = load_iris(return_X_y=True)
    return LogisticRegression(max_iter=500).fit(features, target)


@pytest.fixture(scope="session")
def iris_bytes(iris_model: LogisticRegression, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path: Path = tmp_path_factory.mktemp("iris") / "model.joblib"
    joblib.dump(iris_model, path)
    return path.read_bytes()


@pytest.fixture
async def platform(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Platform]:
    async with running_platform(settings_at(tmp_path, sqlite_url), tmp_path) as running:
        yield running


@pytest.fixture
async def ann(platform: Platform) -> Account:
    return await platform.account("ann")


@pytest.fixture
async def bob(platform: Platform) -> Account:
    return await platform.account("bob")


@pytest.fixture
async def browser(platform: Platform, ann: Account) -> httpx.AsyncClient:
    """Where ann is signed in."""
    return await sign_in(platform, "ann")
