"""Pages about rollouts in a real browser: started, watched, steered, over, and hostile words."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import pytest
from modelport_control_api.usage import ledger
from modelport_telemetry.usage.wire import EvidenceLine, UsageBatch
from playwright.sync_api import expect

from tests.control_api.unit.models.fake_cluster import READY
from tests.control_api.unit.models.platform import PASSWORD, Account
from tests.support.drag_and_drop import drop
from tests.support.models import iris_logistic
from tests.support.staged_platform import StagedPlatform
from tests.support.visitor import Visitor, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.ui
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
DISAGREES = "v2 answers 0.4 % of rows otherwise than v1 (1 % tolerated)"
WITHIN = {
    "guardrail": "disagreement", "state": "within", "estimate": "0.004", "lower": "0.001", "upper": "0.009",
    "limit": "0.01", "observations": 2345, "message": DISAGREES,
}  # fmt: skip
UNKNOWN = {
    "guardrail": "p99_ratio", "state": "unknown", "lower": "0.2", "limit": "2", "observations": 12,
    "message": "How slow v2 is beside v1 is not known yet.",
}  # fmt: skip
BEYOND = WITHIN | {
    "state": "beyond", "estimate": "0.061", "lower": "0.04", "upper": "0.09",
    "message": "v2 answers 6.1 % of rows otherwise than v1 (1 % tolerated), mostly where `shape` is missing",
}  # fmt: skip
COUNTED: dict[str, dict[str, int]] = {
    "shadow": {
        "shadow.rows": 300, "shadow.disagreements": 1, "shadow.pairs": 300, "shadow.dropped": 2,
        "shadow.latency.candidate:80": 300, "shadow.latency.baseline:75": 300,
        "segment.rows:`shape` is missing": 20, "segment.disagreements:`shape` is missing": 1,
    },
    "5": {
        "shadow.rows": 2045, "shadow.disagreements": 8, "shadow.pairs": 2000, "shadow.failed.candidate": 1,
        "live.requests.candidate": 101, "live.requests.baseline": 1899, "live.errors.candidate": 1,
        "segment.rows:`shape` is missing": 100, "segment.disagreements:`shape` is missing": 6,
        f"segment.rows:`hue` is {HOSTILE}": 10, f"segment.disagreements:`hue` is {HOSTILE}": 2,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def ann(stage: StagedPlatform) -> Account:
    return stage.run(stage.platform.account("ann"))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "iris.joblib"
    joblib.dump(iris_logistic().model, path)
    return path


@pytest.fixture
def visitor(chromium: "Browser", stage: StagedPlatform, ann: Account) -> Iterator[Visitor]:
    made = visit(chromium, stage)
    yield made.sign_in("ann@example.com", PASSWORD)
    made.context.close()
    assert not made.faults


def beside(stage: StagedPlatform, ann: Account, file: Path, name: str) -> str:
    """Make a model whose v1 serves and whose v2 is ready and gets nothing."""
    made: str = stage.run(ann.upload(file.read_bytes(), name)).json()["id"]
    stage.run(stage.platform.serve(made, {"v1": 100}, v1=READY))
    stage.run(ann.upload_version(made, file.read_bytes(), traffic="0"))
    stage.run(stage.platform.serve(made, {"v1": 100}, v1=READY, v2=READY))
    return made


def report(stage: StagedPlatform, model_id: str, **status: Any) -> None:
    """Play the operator."""
    wanted = {"id": 1, "version": "v2", "baseline": "v1", "startedAt": "2026-12-01T02:00:00Z", **status}

    async def say() -> None:
        stage.platform.cluster.set_rollout(model_id, **wanted)
        state = wanted["state"]
        await stage.platform.heard(
            model_id, lambda live: live.status.rollout and live.status.rollout.state == state
        )

    stage.run(say())


def count(stage: StagedPlatform, model_id: str) -> None:
    """Play a gateway."""
    lines = [
        EvidenceLine(model_id, 1, step, counter, n)
        for step, found in COUNTED.items()
        for counter, n in found.items()
    ]
    with stage.platform.plane.context.database.transaction() as session:
        ledger.write(session, [UsageBatch(id=model_id[:36], gateway="g", lines=[], evidence=lines)])


def test_a_rollout_is_started_watched_and_rolled_back_by_itself(
    visitor: Visitor, stage: StagedPlatform, ann: Account, file: Path
) -> None:
    made = beside(stage, ann, file, "Shapes")
    page = visitor.open(f"/ui/models/{made}/rollouts")
    expect(page.get_by_role("heading", name="No rollouts yet")).to_be_visible()
    visitor.picture("rollouts-none")
    page = visitor.open(f"/ui/models/{made}/versions")
    page.get_by_role("link", name="Start a rollout").click()
    expect(page.get_by_label("Version", exact=True)).to_have_value("v2")
    visitor.picture("rollout-new")
    page.get_by_label("Steps (percent of the traffic)").fill("5, 5")
    page.get_by_label("Rows answered otherwise (percent)").fill("much")
    visitor.press("Start the rollout")
    expect(page.locator(".error")).to_have_text(
        [
            "Rows answered otherwise (percent) must be a number",
            "Steps (percent of the traffic) must rise, as 1, 5, 25 do",
        ]
    )
    visitor.picture("rollout-refused")
    page.get_by_label("Steps (percent of the traffic)").fill("5, 25")
    page.get_by_label("Rows answered otherwise (percent)").fill("1")
    page.get_by_label("More requests refused (percent)").fill("")
    visitor.press("Start the rollout")
    expect(page.locator("#toasts")).to_contain_text("The rollout of v2 begins.")
    expect(page.locator("#rollout .badge").first).to_have_text("Waiting")
    expect(page.locator("#rollout tbody tr").nth(2)).to_contain_text("Not looked at")
    report(
        stage, made, state="Shadowing", step="shadow", shadowPercent=100, held="12 rows of 200 are compared."
    )
    expect(page.locator("#rollout .badge").first).to_have_text("Shadowing")
    expect(page.locator("#rollout .note")).to_have_text("It waits: 12 rows of 200 are compared.")
    count(stage, made)
    report(stage, made, state="Canary", step="5", weight=5, shadowPercent=100, findings=[WITHIN, UNKNOWN])
    expect(page.locator("#rollout .chip")).to_have_text("5 % of the traffic")
    expect(page.locator(".step.active strong")).to_have_text("5 % of the traffic")
    expect(page.locator("#rollout")).to_contain_text("0.1 % to 0.9 %")
    expect(page.locator("#rollout")).to_contain_text(HOSTILE)
    assert page.locator("img[src=x], main script").count() == 0
    visitor.picture("rollout-canary")
    expect(visitor.open(f"/ui/models/{made}").locator("#model-head")).to_contain_text(
        "has 5 % of the traffic"
    )
    page = visitor.open(f"/ui/models/{made}/versions")
    expect(page.locator(".note").first).to_contain_text("Rollout 1 of v2 has the traffic")
    visitor.picture("versions-rollout")
    page.get_by_role("link", name="See how it goes").click()
    verdict = f"{BEYOND['message']}; v1 serves on."
    report(
        stage, made, state="RolledBack", step="5", findings=[BEYOND, UNKNOWN], verdict=verdict,
        endedAt="2026-12-01T02:30:00Z",
    )  # fmt: skip
    shown = verdict.replace("`", "")
    expect(page.locator("#rollout .note.bad")).to_have_text(shown)
    expect(page.locator(".step.failed strong")).to_have_text("5 % of the traffic")
    expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
    page.reload()
    expect(page.locator("#rollout")).to_contain_text("Counted in each step")
    expect(page.locator("#rollout")).not_to_contain_text("Where they differ most")
    visitor.picture("rollout-rolled-back")
    page = visitor.open(f"/ui/models/{made}/rollouts")
    expect(page.locator("#rollouts tbody tr")).to_contain_text(shown)
    visitor.picture("rollouts")


def test_a_person_pauses_resumes_and_promotes(
    visitor: Visitor, stage: StagedPlatform, ann: Account, file: Path
) -> None:
    made = beside(stage, ann, file, "Steered")
    started = stage.run(ann.http.post(f"/api/v1/models/{made}/rollouts", json={"version": "v2"}))
    assert started.status_code == 201, started.text
    report(stage, made, state="Canary", step="1", weight=1, shadowPercent=100, findings=[WITHIN])
    page = visitor.open(f"/ui/models/{made}/rollouts/1")
    visitor.press("Pause")
    expect(page.locator("#rollout .note.warn")).to_contain_text("It is paused")
    visitor.press("Resume")
    expect(page.locator("#toasts")).to_contain_text("It goes on.")
    visitor.press("Promote now")
    expect(page.get_by_role("dialog")).to_contain_text("whatever was measured")
    visitor.picture("rollout-promote")
    visitor.press("Promote v2")
    expect(page.locator("#rollout .note")).to_have_text("A person promotes it: it ends in seconds.")
    report(stage, made, state="Promoted", weight=100, verdict="A person promoted it; v2 serves.")
    expect(page.locator("#rollout .note.good")).to_have_text("A person promoted it; v2 serves.")
    expect(page.locator(".step.done")).to_have_count(8)
    visitor.picture("rollout-promoted")


def test_a_version_is_uploaded_to_prove_itself(
    visitor: Visitor, stage: StagedPlatform, ann: Account, file: Path
) -> None:
    made = beside(stage, ann, file, "Guarded")
    page = visitor.open(f"/ui/upload?model={made}")
    drop(page, file)
    page.get_by_label("As many as it has proved itself for").check()
    visitor.picture("upload-guarded")
    visitor.press("Upload the version")
    page.wait_for_url("**/versions/v3/arrival")
    stage.run(stage.platform.serve(made, {"v1": 100}, v1=READY, v2=READY, v3=READY))
    expect(page.get_by_role("heading", name="It is ready, and its rollout goes on")).to_be_visible()
    visitor.picture("arrival-guarded")
    page.get_by_role("link", name="See its rollout").click()
    expect(page.locator("#rollout h2").first).to_have_text("Rollout 1: v1 → v3")
    report(stage, made, version="v3", state="Replaying")
    page = visitor.open(f"/ui/upload?model={made}")
    expect(page.locator(".note")).to_contain_text("Rollout 1 of v3 is going on")
    drop(page, file)
    visitor.press("Upload the version")
    page.wait_for_url("**/versions/v4/arrival")
    page = visitor.open(f"/ui/models/{made}/rollouts/new?version=v4")
    expect(page.get_by_role("heading", name="One at a time")).to_be_visible()
    visitor.picture("rollout-one-at-a-time")
