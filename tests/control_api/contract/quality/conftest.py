"""A model with an owner, whose predictions and labels a test writes."""

import pickle
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_control_api.ground_truth import writing
from sklearn.linear_model import LogisticRegression

from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at


@dataclass
class Scene:
    platform: Platform
    ann: Account
    model_id: str

    def predict(self, *rows: dict[str, Any]) -> None:
        with self.platform.plane.context.database.transaction() as session:
            writing.write_predictions(session, [{"model_id": self.model_id} | row for row in rows])

    def label(self, *rows: dict[str, Any]) -> None:
        with self.platform.plane.context.database.transaction() as session:
            writing.write_feedback(session, [{"model_id": self.model_id} | row for row in rows])

    async def ask(self, **query: Any) -> httpx.Response:
        return await self.ann.http.get(f"/api/v1/models/{self.model_id}/quality", params=query)

    async def quality(self, **query: Any) -> dict[str, Any]:
        answer = await self.ask(**query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with running_platform(settings_at(tmp_path, database_url), tmp_path) as running:
        ann = await running.account("ann")
        uploaded = await ann.upload(pickle.dumps(LogisticRegression().fit([[0], [1]], ["a", "b"])))
        yield Scene(running, ann, uploaded.json()["id"])
