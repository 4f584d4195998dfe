"""Pages of models, jobs and history: other users find nothing there and change nothing."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import joblib
import pytest
from modelport_control_api.accounts.tables import User
from modelport_control_api.db.base import utc_now
from modelport_control_api.history.tables import KeptPrediction
from modelport_control_api.registry.tables import BatchJob, ExperimentRow, RolloutRow
from modelport_http.rate_limiting import enforce

from tests.control_api.unit.models.platform import PASSWORD, Platform, running_platform, settings_at
from tests.support.models import iris_logistic

ORIGIN = "http://localhost"


@dataclass
class Scene:
    """`owner` and `outsider` are browsers. What has an owner is in `pages` and `changes`, by its path."""

    platform: Platform
    owner: httpx.AsyncClient
    outsider: httpx.AsyncClient
    pages: list[str]
    changes: list[str]

    def rows(self) -> tuple[int, ...]:
        """Count jobs, stored predictions, and rollouts and experiments that nobody has steered."""
        with self.platform.plane.context.database.transaction(read_only=True) as session:
            counts = [session.query(table).count() for table in (BatchJob, KeptPrediction)]
            rollouts = session.query(RolloutRow).filter_by(paused=False, decision=None).count()
            experiments = session.query(ExperimentRow).filter_by(ended_at=None).count()
        return (*counts, rollouts, experiments)


@asynccontextmanager
async def browser(platform: Platform, name: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=platform.plane.public)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        form = {"email": f"{name}@example.com", "password": PASSWORD}
        assert (await client.post("/ui/login", data=form)).status_code == 303
        yield client


@pytest.fixture
async def scene(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Scene]:
    joblib.dump(iris_logistic().model, tmp_path / "iris.joblib")
    async with running_platform(settings_at(tmp_path, sqlite_url), tmp_path) as platform:
        ann = await platform.account("ann")
        await platform.account("bob")
        content = (tmp_path / "iris.joblib").read_bytes()
        model_id = (await ann.upload(content)).json()["id"]
        await platform.serve(model_id, {"v1": 100})
        assert (await ann.upload_version(model_id, content, rollout="guarded")).status_code == 202
        job, kept = add_rows(platform, model_id)
        hook = await ann.http.post("/api/v1/webhooks", json={"url": "https://ann.example.com/"})
        webhook = f"/ui/alerts/webhooks/{hook.json()['id']}"
        async with browser(platform, "ann") as owner, browser(platform, "bob") as outsider:
            pages = [*pages_of(model_id, job), webhook, f"{webhook}/live"]
            of_webhook = [f"{webhook}/{change}" for change in ("test", "turn/off", "rotate", "delete")]
            changes = [*changes_of(model_id, job, kept), *of_webhook]
            yield Scene(platform, owner, outsider, pages, changes)


def add_rows(platform: Platform, model_id: str) -> tuple[str, str]:
    """A job of ann's that was cancelled, a stored prediction, and an experiment that goes on."""
    now = utc_now()
    with platform.plane.context.database.transaction() as session:
        owner = session.query(User).filter_by(email="ann@example.com").one().id
        job = BatchJob(
            owner_id=owner, model_id=model_id, version="v1", state="cancelled", input_format="csv",
            output_format="csv", finished_at=now, expires_at=now.replace(year=now.year + 1),
        )  # fmt: skip
        kept = KeptPrediction(
            model_id=model_id, version="v1", created_at=now, caller_id="", api_key_id="", request_id="r",
            status=200, reason="", cache="miss", seconds=0.1, request='{"input": "ann alone"}',
            request_bytes=22, answer="{}", truncated=False,
        )  # fmt: skip
        experiment = ExperimentRow(
            model_id=model_id, number=1, arms={"v1": 50, "v2": 50}, state="running", created_by=owner,
            design={"goal": {"metric": "reward"}, "control": "v1"}, before={}, look_at=job.expires_at,
        )  # fmt: skip
        session.add_all([job, kept, experiment])
        session.flush()
        return job.id, kept.id


def pages_of(model_id: str, job: str) -> list[str]:
    tabs = ("", "/head", "/versions", "/versions/live", "/versions/v1/logs", "/versions/v1/steps", "/usage")
    more = (
        "/versions/v1/arrival",
        "/versions/v1/logs/live",
        "/usage/live",
        "/usage/drift",
        "/usage/importance",
        "?row=reference",
        "/quality",
        *("/rollouts", "/rollouts/live", "/rollouts/new", "/rollouts/1", "/rollouts/1/live"),
        *("/experiments", "/experiments/new", "/experiments/1", "/experiments/1/live"),
    )
    return [
        *(f"/ui/models/{model_id}{tab}" for tab in (*tabs, *more, "/settings")),
        f"/ui/upload?model={model_id}",
        f"/ui/upload?model={model_id}&replaces=v1",
        f"/ui/batch/{job}",
        f"/ui/batch/{job}/live",
        f"/ui/batch/{job}/results?partial=true",
        f"/ui/history?model={model_id}",
        f"/ui/history/export?model={model_id}",
    ]


def changes_of(model_id: str, job: str, kept: str) -> list[str]:
    of_version = ("versions/v1/delete", "versions/v1/retry", "usage/importance/v1")
    steps = ("pause", "resume", "promote", "rollback", "cancel")
    of_rollouts = ("rollouts", *(f"rollouts/1/{step}" for step in steps))
    of_experiments = ("experiments", "experiments/1/promote", "experiments/1/stop")
    of_model = (
        "settings",
        "delete",
        "traffic",
        "rollback",
        "redeploy",
        *of_version,
        *of_rollouts,
        *of_experiments,
    )
    return [
        *(f"/ui/models/{model_id}/{change}" for change in of_model),
        f"/ui/batch/{job}/retry",
        f"/ui/batch/{job}/delete",
        f"/ui/history/{model_id}/delete",
        f"/ui/history/rows/{kept}/delete",
    ]


async def token_of(client: httpx.AsyncClient) -> str:
    return re.findall(r'name="csrf-token" content="([^"]+)"', (await client.get("/ui/")).text)[0]


async def test_other_users_find_nothing(scene: Scene) -> None:
    for page in scene.pages:
        assert (await scene.owner.get(page)).status_code == 200, page
        answer = await scene.outsider.get(page)
        assert answer.status_code == 404, page
        assert "ann alone" not in answer.text
    for page in ("/ui/", "/ui/models", "/ui/batch", "/ui/history"):
        assert "Iris" in (await scene.owner.get(page)).text, page
        assert "Iris" not in (await scene.outsider.get(page)).text, page


async def test_other_users_change_nothing(scene: Scene) -> None:
    before, token = scene.rows(), await token_of(scene.outsider)
    for change in scene.changes:
        form = {"csrf_token": token, "confirm_name": "Iris", "v1": "100", "version": "v2"}
        assert (await scene.outsider.post(change, data=form)).status_code == 404, change
        # A token of another session is none.
        assert (await scene.owner.post(change, data=form)).status_code == 403, change
    assert scene.rows() == before
    assert "Iris" in (await scene.owner.get("/ui/models")).text


async def test_after_the_session_ended_its_downloads_are_gone(scene: Scene) -> None:
    form = {"csrf_token": await token_of(scene.owner)}
    cookies = dict(scene.owner.cookies)
    assert (await scene.owner.post("/ui/logout", data=form)).status_code == 303
    scene.owner.cookies.update(cookies)
    for page in scene.pages:
        answer = await scene.owner.get(page)
        assert answer.status_code == 303, page
        assert answer.headers["Location"].startswith("/ui/login"), page


async def test_owners_delete_a_kept_row_and_remove_a_job(scene: Scene) -> None:
    token = await token_of(scene.owner)
    for change in scene.changes:
        if "/rows/" in change or ("/batch/" in change and change.endswith("/delete")):
            assert (await scene.owner.post(change, data={"csrf_token": token})).status_code == 303, change
    assert scene.rows() == (0, 0, 1, 1)


def _retry_of_job(scene: Scene) -> str:
    return next(change for change in scene.changes if re.fullmatch(r"/ui/batch/[^/]+/retry", change))


async def test_an_owner_tries_a_job_again_and_is_shown_the_new_one(scene: Scene) -> None:
    retry = _retry_of_job(scene)
    form = {"csrf_token": await token_of(scene.owner), "rows": "all"}
    answer = await scene.owner.post(retry, data=form)
    assert answer.status_code == 303, answer.text
    page = (await scene.owner.get(answer.headers["Location"])).text
    origin = retry.split("/")[3]
    assert "It waits for the batch worker to read its input." in page
    assert f'href="/ui/batch/{origin}"' in page
    assert "Retry all rows" in (await scene.owner.get(f"/ui/batch/{origin}")).text


async def test_tries_in_the_browser_count_like_jobs(scene: Scene) -> None:
    context = scene.platform.plane.context
    with context.database.transaction(read_only=True) as session:
        owner = session.query(User).filter_by(email="ann@example.com").one().id
    for _ in range(context.settings.limit_batch.requests):
        await enforce(context.store, "batch", context.settings.limit_batch, owner)
    retry = _retry_of_job(scene)
    before, form = scene.rows(), {"csrf_token": await token_of(scene.owner), "rows": "all"}
    assert (await scene.owner.post(retry, data=form)).status_code == 429
    assert scene.rows() == before
