"""Pages in states that a healthy platform is rarely in, put there by hand, in a real browser."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import pytest
from modelport_control_api.accounts.tables import User
from modelport_control_api.analytics import service as analytics
from modelport_control_api.db.base import utc_now
from modelport_control_api.history.tables import KeptPrediction
from modelport_control_api.registry.tables import BatchJob
from playwright.sync_api import expect
from structlog.testing import capture_logs

from tests.control_api.contract.databases.test_analytics import line, write
from tests.control_api.contract.drift.test_drift_on_both_databases import MINUTE, SIGNATURE, Scene, rows
from tests.control_api.unit.models.fake_cluster import FAILED, READY, STARTING
from tests.control_api.unit.models.platform import PASSWORD, Account
from tests.control_api.unit.models.test_kubectl import by_hand
from tests.support.models import iris_logistic
from tests.support.staged_platform import StagedPlatform
from tests.support.visitor import NARROW, WIDE, Visitor, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.ui
HOSTILE = "<script>document.title='taken'</script>\"'><img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="module")
def ann(stage: StagedPlatform) -> Account:
    return stage.run(stage.platform.account("ann"))


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Of a model's file."""
    path = tmp_path_factory.mktemp("model") / "iris.joblib"
    joblib.dump(iris_logistic().model, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def model_id(stage: StagedPlatform, ann: Account, content: bytes) -> str:
    """Serves, and takes what drift's reference has."""
    made = stage.run(ann.upload(content, "Colors"))
    model_id: str = made.json()["id"]
    stage.run(stage.platform.serve(model_id, {"v1": 100}, v1={**READY, "signature": SIGNATURE}))
    return model_id


@pytest.fixture
def visitor(chromium: "Browser", stage: StagedPlatform, ann: Account) -> Iterator[Visitor]:
    made = visit(chromium, stage)
    yield made.sign_in("ann@example.com", PASSWORD)
    made.context.close()
    assert not made.faults


def user_id(stage: StagedPlatform) -> str:
    with stage.platform.plane.context.database.transaction(read_only=True) as session:
        return session.query(User).filter_by(email="ann@example.com").one().id


def add_job(stage: StagedPlatform, model_id: str, **facts: object) -> str:
    now = utc_now()
    usual = {
        "owner_id": user_id(stage), "model_id": model_id, "version": "v1", "input_format": "csv",
        "output_format": "csv", "input_bytes": 2_345_678, "key_columns": ["customer_id"],
        "started_at": now - timedelta(seconds=90), "created_at": now - timedelta(seconds=95),
    }  # fmt: skip
    if facts["state"] in {"failed", "cancelled", "succeeded"}:
        usual |= {"finished_at": now, "expires_at": now + timedelta(days=7)}
    with stage.platform.plane.context.database.transaction() as session:
        job = BatchJob(**usual | facts)
        session.add(job)
        session.flush()
        return job.id


def test_jobs_in_every_state(visitor: Visitor, stage: StagedPlatform, model_id: str) -> None:
    half = {"rows_total": 250_000, "rows_done": 120_000, "rows_failed": 312}
    running = add_job(stage, model_id, state="running", probabilities=True, **half)
    failed = add_job(
        stage, model_id, state="failed", reason="InputInvalid", message=f"Line 7: {HOSTILE}", rows_done=0
    )
    cancelled = add_job(stage, model_id, state="cancelled", **half)
    page = visitor.open(f"/ui/batch/{running}")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "0.48")
    expect(page.get_by_role("main")).to_contain_text("120,000 of 250,000 rows")
    visitor.picture("job-half")
    page = visitor.open(f"/ui/batch/{failed}")
    expect(page.locator(".note.bad")).to_contain_text(HOSTILE)
    assert page.locator("img[src=x], main script").count() == 0
    visitor.picture("job-failed")
    page = visitor.open(f"/ui/batch/{cancelled}")
    expect(page.get_by_role("main")).to_contain_text("Cancelled")
    visitor.picture("job-cancelled")
    page = visitor.open("/ui/batch")
    expect(page.locator("#jobs tbody tr")).not_to_have_count(1)
    visitor.picture("batch-states")
    page.get_by_label("State").select_option("failed")
    visitor.press("Show")
    page.wait_for_url("**/ui/batch?of=&state=failed")
    expect(page.locator("#jobs .badge")).to_have_text(["Failed"])


def test_a_refresh_copies_no_style_onto_what_it_brings(visitor: Visitor, model_id: str) -> None:
    """A script or a person who sizes a field sets one; as an attribute the page's own policy forbids it."""
    page = visitor.open("/ui/models")
    page.locator("#models").evaluate("element => { element.style.minHeight = '1px' }")
    page.locator("#models").dispatch_event("refresh")
    page.wait_for_function("() => !document.querySelector('#models').hasAttribute('style')")


def test_a_drifting_feature_is_shown_beside_its_reference(
    visitor: Visitor, stage: StagedPlatform, ann: Account, model_id: str, tmp_path: Path
) -> None:
    page = visitor.open(f"/ui/models/{model_id}/usage")
    (tmp_path / "few.csv").write_text("size,hue\n1,red\n")
    (tmp_path / "train.csv").write_text(as_csv(300))
    # Not enough rows: said beside the field.
    give_reference(visitor, tmp_path / "few.csv")
    expect(page.locator("#drift .error")).to_contain_text("has 1 row;")
    give_reference(visitor, tmp_path / "train.csv")
    expect(page.locator("#drift")).to_contain_text("Collecting")
    scene = Scene(stage.platform, ann, model_id)
    bins = stage.run(scene.bins())
    scene.arrive(scene.payload(bins, rows(600, shift=1, seed=3), MINUTE))
    scene.evaluate()
    page = visitor.open(f"/ui/models/{model_id}/usage")
    expect(page.locator("#drift .badge")).to_have_text("Drift")
    expect(page.locator("#drift .warn").nth(1)).to_contain_text("PSI")
    expect(page.locator("#model-head .pulse")).to_contain_text("Inputs of v1 drift: size")
    visitor.picture("drift")
    draw_from_the_training_rows(visitor, model_id)


def draw_from_the_training_rows(visitor: Visitor, model_id: str) -> None:
    page = visitor.open(f"/ui/models/{model_id}")
    page.get_by_role("link", name="A row like the training rows").click()
    expect(page.locator("[data-answer]")).to_contain_text("each column drawn by itself")
    assert page.locator("[data-name=hue]").input_value() in {"red", "blue"}
    assert -5 < float(page.locator("[data-name=size]").input_value()) < 5
    visitor.picture("try-it-drawn")


def as_csv(count: int) -> str:
    table = rows(count)
    return "\n".join(["size,hue", *(f"{row['size']!r},{row['hue']}" for row in table)])


def give_reference(visitor: Visitor, path: Path) -> None:
    visitor.page.get_by_label("Training rows of v1").set_input_files(path)
    visitor.press("Compare")


def test_a_model_that_serves_while_it_changes_is_updating(
    visitor: Visitor, stage: StagedPlatform, ann: Account, content: bytes
) -> None:
    made = stage.run(ann.upload(content, "Prices")).json()["id"]
    stage.run(stage.platform.serve(made, {}, v1=STARTING))
    page = visitor.open(f"/ui/models/{made}")
    expect(page.locator("#model-head .badge")).to_have_text("Starting")
    stage.run(ann.upload_version(made, content))
    stage.run(stage.platform.serve(made, {"v1": 100}, v1=READY, v2=STARTING))
    page = visitor.open(f"/ui/models/{made}")
    expect(page.locator("#model-head .badge")).to_have_text("Updating")
    expect(page.locator("#model-head .note")).to_contain_text("v1 goes on serving.")
    visitor.picture("model-updating")
    stage.run(stage.platform.serve(made, {"v1": 100}, v1=READY, v2=READY))
    moved = stage.run(ann.http.put(f"/api/v1/models/{made}/traffic", json={"v1": 90, "v2": 10}))
    assert moved.status_code == 200, moved.text
    stage.run(stage.platform.serve(made, {"v2": 10, "v1": 90}, v1=READY, v2=READY))
    badge = visitor.open(f"/ui/models/{made}").locator("#model-head .badge")
    expect(badge).to_have_attribute("title", "v1 (90 %) and v2 (10 %) serve.")
    recent = visitor.open("/ui/").get_by_text("Traffic moved")
    expect(recent.first).to_have_text("Traffic moved Prices: v1 (90 %) and v2 (10 %)")
    visitor.picture("dashboard-activity")
    expect(visitor.open("/ui/settings/audit").get_by_role("main")).to_contain_text("v1 (90 %) and v2 (10 %)")
    visitor.picture("audit-words")


def test_cards_and_tables_are_one_reading_and_outcomes_have_words(
    visitor: Visitor, stage: StagedPlatform, ann: Account, content: bytes
) -> None:
    made = stage.run(ann.upload(content, "Bikes")).json()["id"]
    stage.run(stage.platform.serve(made, {"v1": 100}, v1=READY))
    write(stage.platform.plane, line(made, utc_now()))
    used = visitor.open("/ui/").locator("#lists li", has=visitor.page.get_by_text("Bikes", exact=True)).first
    expect(used).to_contain_text("1 request ·")
    # By the hour: the minute may end between two of them.
    page = visitor.open(f"/ui/models/{made}/usage?period=24h")
    with page.expect_response("**/usage/live*") as polled:
        write(stage.platform.plane, line(made, utc_now(), requests=3, status=504, reason="ModelTimeout"))
    assert 'id="usage-tables" hx-swap-oob="true"' in polled.value.text()
    expect(page.locator("#usage .value").first).to_have_text("4")
    assert page.locator("#usage-tables td.number").first.inner_text() == "4"
    drawn = json.loads(page.locator("[data-chart]").first.get_attribute("data-chart") or "")
    assert [each["values"][-1] for each in drawn["series"]] == [1, 0, 3]
    redrawn_only_with_other_figures(page)
    expect(page.locator("#usage-tables")).to_contain_text("504 The model took too long ModelTimeout")
    visitor.picture("usage-words")


def redrawn_only_with_other_figures(page: "Page") -> None:
    page.evaluate("document.querySelector('[data-chart]').marked = true")
    with page.expect_response("**/usage/live*"):
        pass
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelector('[data-chart]').marked") is True
    expect(page.locator(".plot canvas")).to_have_count(2)


def test_each_version_that_was_called_has_a_line(
    visitor: Visitor, stage: StagedPlatform, ann: Account, content: bytes
) -> None:
    made = stage.run(ann.upload(content, "Lines")).json()["id"]
    stage.run(ann.upload_version(made, content))
    stage.run(stage.platform.serve(made, {"v1": 90, "v2": 10}, v1=READY, v2=READY))
    now = utc_now()
    for minute in range(30):
        at = now - timedelta(minutes=minute)
        write(stage.platform.plane, line(made, at, requests=20 + minute % 5))
        write(stage.platform.plane, line(made, at, version="v2", requests=2, status=200 if minute else 500))
    page = visitor.open(f"/ui/models/{made}/usage")
    expect(page.get_by_role("link", name="1 h", exact=True)).to_have_attribute("aria-current", "true")
    expect(page.locator(".plot canvas")).to_have_count(4)
    lines = page.locator("section", has=page.get_by_role("heading", name="Requests by version", exact=True))
    expect(lines.locator(".legend")).to_have_text("v1v2")
    expect(page.locator("#model-head .pulse")).to_contain_text("2 of ")
    visitor.picture("usage-versions")


def test_what_needs_a_look_stands_first_and_a_list_is_filtered(
    visitor: Visitor, stage: StagedPlatform, ann: Account, content: bytes
) -> None:
    made = [stage.run(ann.upload(content, name)).json()["id"] for name in ("Fallen", "Zebra", "Antelope")]
    stage.run(stage.platform.serve(made[0], {}, v1=FAILED))
    for one in made[1:]:
        stage.run(stage.platform.serve(one, {"v1": 100}, v1=READY))
        stage.run(ann.http.patch(f"/api/v1/models/{one}", json={"tags": ["animals", one[0]]}))
    page = visitor.open("/ui/")
    expect(page.locator("#lists .rows").first.locator("li .badge").first).to_have_text("Failed")
    visitor.picture("dashboard-urgent")
    page = visitor.open("/ui/models")
    searches: list[str] = []
    # The form's; those of the poll have no empty fields.
    form_asks = "/live?q=zeb&status=&"
    page.on("request", lambda request: searches.append(request.url) if form_asks in request.url else None)
    names = page.locator("#models td.lead > a")
    search = page.get_by_label("Search")
    search.fill("zeb")
    expect(names).to_have_text(["Zebra"])
    search.press("Tab")
    # Longer than the form waits for more to be typed.
    page.wait_for_timeout(300)
    assert len(searches) == 1, "leaving the field asked again"
    search.clear()
    expect(names).not_to_have_count(1)
    page.get_by_label("Status").select_option("failed")
    badges = page.locator("#models tbody .badge")
    expect(badges.get_by_text("Ready")).to_have_count(0)
    expect(names).to_have_text(["Fallen"])
    page.get_by_label("Status").select_option("")
    # The next choice would else end this one's request, which htmx reports as an error.
    expect(names).not_to_have_count(1)
    page.get_by_label("Tag").select_option("animals")
    expect(names).to_have_text(["Antelope", "Zebra"])
    page.get_by_role("link", name="Model", exact=True).click()
    page.wait_for_url("**/ui/models?tag=animals&sort=name")
    page.get_by_role("link", name="Model", exact=True).click()
    page.wait_for_url("**/ui/models?tag=animals&sort=-name")
    expect(names).to_have_text(["Zebra", "Antelope"])
    expect(page.get_by_role("columnheader", name="Model")).to_have_attribute("aria-sort", "descending")
    visitor.picture("models-tagged")
    page.locator("#models").get_by_role("link", name="z", exact=True).click()
    expect(names).to_have_text(["Zebra"])


PASTED = [
    ('{"size": 2.5, "hue": "red"}', ["2.5", "red"], "2 values filled in."),
    ('{"input": {"hue": "blue"}}', ["1", "blue"], "1 value filled in; not in it, left as they were: size."),
    ("[3, null]", ["3", ""], "2 values filled in."),
    ('[{"size": 1.25, "hue": "7"}, {}]', ["1.25", "7"], "2 values filled in; the first of 2 rows."),
    ("hue,id,size\nblue,7,1.50\n", ["1.50", "blue"], "2 values filled in; not taken by the model: id."),
    (";hue;size\n0;'a';-4\n", ["-4", "'a'"], "2 values filled in."),
    ('hue\tsize\n"deep, ""dark"" red"\tNaN', ["", 'deep, "dark" red'], "2 values filled in."),
    ("9.5,green", ["9.5", "green"], "2 values filled in."),
]  # fmt: skip
REFUSED = [
    ('{"size": 2.5', "It is not JSON: check commas, quotes and brackets."),
    ("1,2,3", "It has 3 values without names, and the model takes 2: put the line of names above it."),
    ('{"weight": 1}', "None of its names is one of the model's."),
    ("size,hue\n", "These are names alone: add the line with the values."),
    ("size,hue\n1,red,3", "The row has 3 cells, and the line of names above it has 2."),
    ('[9007199254740993, "red"]', "It has a whole number beyond 2^53"),
]


def test_a_pasted_row_fills_the_fields_or_says_why_not(visitor: Visitor, model_id: str) -> None:
    page = visitor.open(f"/ui/models/{model_id}")
    page.get_by_text("Paste a row").click()
    box = page.get_by_label("A row as JSON or CSV")
    fields = [page.locator("[data-name=size]"), page.locator("[data-name=hue]")]
    for text, filled, said in PASTED:
        fields[0].fill("1")
        box.fill(text)
        expect(page.locator("#pasted-said")).to_have_text(said)
        assert [field.input_value() for field in fields] == filled, text
    # The call as code follows.
    expect(page.locator("[data-snippet=curl]")).to_contain_text('{"size": 9.5, "hue": "green"}')
    for text, why in REFUSED:
        box.fill(text)
        expect(page.locator("#pasted-error")).to_contain_text(why)
        assert [field.input_value() for field in fields] == ["9.5", "green"], text
    visitor.picture("try-it-pasted")


def test_predict_stays_in_sight_and_a_wide_row_is_pasted_into_its_json(
    visitor: Visitor, stage: StagedPlatform, ann: Account, content: bytes
) -> None:
    names = [f"x{number}" for number in range(120)]
    for count, mode in ((60, "fields"), (120, "json")):
        made = stage.run(ann.upload(content, f"Wide {count}")).json()["id"]
        columns = [{"name": name, "kind": "number"} for name in names[:count]]
        signature = {"task": "regressor", "columns": columns}
        stage.run(stage.platform.serve(made, {"v1": 100}, v1={**READY, "signature": signature}))
        page = visitor.open(f"/ui/models/{made}")
        button = page.get_by_role("button", name="Predict", exact=True)
        for size in (WIDE, NARROW):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            expect(button).to_be_in_viewport(ratio=1)
            assert is_uncovered(page, "[data-script]"), (mode, size)
        page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        page.get_by_text("Paste a row").click()
        header, row = ",".join(reversed(names[:count])), ",".join(str(each) for each in range(count))
        page.get_by_label("A row as JSON or CSV").fill(f"{header}\n{row}")
        expect(page.locator("#pasted-said")).to_have_text(f"{count} values filled in.")
        if mode == "fields":
            assert page.locator("[data-name=x0]").input_value() == str(count - 1)
        else:
            filled = json.loads(page.locator("#row").input_value())
            assert filled == {name: count - 1 - at for at, name in enumerate(names)}
        visitor.picture(f"try-it-wide-{mode}")


def is_uncovered(page: "Page", selector: str) -> bool:
    """Whether a pointer at its middle would hit it: nothing that is fixed lies over it."""
    found: bool = page.evaluate(
        """(selector) => {
          const element = document.querySelector(selector);
          const box = element.getBoundingClientRect();
          return element.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
        }""",
        selector,
    )
    return found


def test_the_reference_of_the_api_loads_nothing_from_elsewhere(visitor: Visitor) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    page = visitor.open("/redoc")
    expect(page.get_by_text("API docs by Redocly")).to_be_visible()
    assert [url for url in asked if not url.startswith((visitor.url, "data:", "blob:"))] == []


def test_kept_predictions_are_shown_and_deleted_singly(
    visitor: Visitor, stage: StagedPlatform, ann: Account, model_id: str
) -> None:
    stage.run(ann.http.patch(f"/api/v1/models/{model_id}", json={"history": {"percent": 100}}))
    keep(stage, model_id, answer='{"prediction": "red", "probabilities": {"red": 0.75, "blue": 0.25}}')
    keep(stage, model_id, answer='{"prediction": "blue"}', cache="hit")
    keep(stage, model_id, status=422, reason="SampleRejected", answer='{"detail": "size: must be a number"}')
    keep(stage, model_id, status=503, reason="RuntimeCrashed", request=None, truncated=True, answer=None)
    page = visitor.open(f"/ui/history?model={model_id}")
    expect(page.locator(".kept")).to_have_count(4)
    assert page.get_by_label("Outcome").locator("option").all_inner_texts() == [
        "Any", "Predicted", "Any error", "The model raised an error", "The model took too long",
        "Its queue was full", "No version was ready",
    ]  # fmt: skip
    visitor.picture("history-rows")
    row = page.locator(".kept", has=page.locator(".preview", has_text="red"))
    row.locator("summary").click()
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Delete").click()
    expect(page.locator(".kept")).to_have_count(3)
    expect(page.locator("#toasts")).to_contain_text("The stored prediction is deleted.")
    page.reload()
    expect(page.locator(".kept")).to_have_count(3)


def keep(stage: StagedPlatform, model_id: str, **facts: object) -> None:
    usual = {
        "model_id": model_id, "version": "v1", "created_at": utc_now(), "caller_id": "", "api_key_id": "",
        "request_id": "r", "status": 200, "reason": "", "cache": "miss", "seconds": 0.0123,
        "request": '{"input": {"size": 1.5, "hue": "red"}}', "request_bytes": 40, "truncated": False,
    }  # fmt: skip
    with stage.platform.plane.context.database.transaction() as session:
        session.add(KeptPrediction(**usual | facts))


def test_hostile_reasons_and_log_lines_stay_words(
    visitor: Visitor, stage: StagedPlatform, ann: Account, content: bytes
) -> None:
    message = f"ValueError: {HOSTILE}"
    made = stage.run(ann.upload(content, "Broken")).json()["id"]
    failed = {"failed": True, "reason": "LoadFailed", "message": message}
    stage.run(stage.platform.serve(made, {}, v1=failed))
    labels = {"serving.modelport.dev/model": made, "serving.modelport.dev/version": "v1"}
    line = '{"time": "2026-11-25T12:00:00Z", "level": "error", "event": "broken", "detail": "<img src=x>"}'
    stage.platform.cluster.pods = {"one": (labels, f"{HOSTILE}\n{line}\n")}
    for path in ("/versions/v1/arrival", "/versions/v1/logs", "/versions", ""):
        page = visitor.open(f"/ui/models/{made}{path}")
        expect(page.get_by_text("<img src=x").first).to_be_visible()
        assert page.locator("img[src=x], main script").count() == 0
        assert "taken" not in page.title()
    page = visitor.open("/ui/models")
    expect(page.get_by_text("ValueError: <script>").first).to_be_visible()
    assert page.locator("img[src=x], main script").count() == 0
    visitor.picture("models-states")


def test_models_of_kubectl_say_where_they_are_changed(chromium: "Browser", stage: StagedPlatform) -> None:
    stage.run(stage.platform.admin())
    stage.loop.call_soon_threadsafe(stage.platform.cluster.put, by_hand("wine"))
    stage.run(stage.platform.heard("wine", lambda live: live is not None))
    visitor = visit(chromium, stage).sign_in("root@example.com", PASSWORD)
    page = visitor.open("/ui/models/wine/settings")
    expect(page.get_by_role("region", name="kubectl command")).to_contain_text("edit mlmodel wine")
    expect(page.get_by_role("main").locator("form")).to_have_count(0)
    visitor.picture("model-kubectl")
    visitor.context.close()
    assert not visitor.faults


def test_what_breaks_on_our_side_is_a_page_with_the_requests_id(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_(*_: object) -> None:
        raise RuntimeError(f"the ledger is gone {HOSTILE}")

    monkeypatch.setattr(analytics, "overview", break_)
    # Without a logger that is set up, structlog draws the trace in colors, which takes seconds.
    with capture_logs():
        page = visitor.open("/ui/")
    expect(page.get_by_role("heading", name="Something broke")).to_be_visible()
    assert "ledger is gone" not in page.content()
    expect(page.get_by_role("main")).to_contain_text("Request ")
    visitor.picture("error-500")
    assert [fault for fault in visitor.faults if "status of 500" not in fault] == []
    visitor.faults.clear()
