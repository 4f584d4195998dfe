"""The first hour of a data scientist, watched: a file, an endpoint, its use, a batch, a revoked key."""

import csv
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
from playwright.sync_api import Page, expect

from tests.support.drag_and_drop import drop
from tests.support.models import iris_logistic_named
from tests.support.page_cost import require_cheap
from tests.support.slowness import slowness
from tests.support.visitor import Visitor

pytestmark = pytest.mark.ui
SHOWN_WITHIN_SECONDS = 5
REVOKED_WITHIN_SECONDS = 6
BATCH_ROWS = int(os.environ.get("MODELPORT_UI_TEST_BATCH_ROWS", "20000"))
"""100,000 show the progress longer, and take longer."""


def test_from_a_file_to_a_batch_and_a_revoked_key(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.sign_up().open("/ui/")
    expect(page.get_by_role("heading", name="Upload your first model")).to_be_visible()
    visitor.picture("dashboard-empty")

    upload(visitor, tmp_path / "iris_flowers.joblib")
    visitor.picture("arrival")
    page.get_by_role("link", name="Try it", exact=True).click()
    try_it(visitor)
    curl = copy_the_curl(visitor)
    answer = run(curl)
    assert answer["prediction"] == "versicolor"

    watch_the_dashboard(visitor)
    run_a_batch(visitor, tmp_path)
    for name in (
        "/ui/models",
        "/ui/models/{id}/usage",
        "/ui/models/{id}/settings",
        "/ui/models/{id}/versions",
    ):
        visitor.open(name.replace("{id}", answer["model"]))
        visitor.picture(f"model-{name.rpartition('/')[2]}")
    for path in ("/ui/", f"/ui/models/{answer['model']}", f"/ui/models/{answer['model']}/usage"):
        require_cheap(visitor, path, loads=3)
    revoke_the_key(visitor)
    assert within(REVOKED_WITHIN_SECONDS * slowness(), lambda: run(curl).get("status") == 401)


def upload(visitor: Visitor, path: Path) -> None:
    joblib.dump(iris_logistic_named().model, path)
    page = visitor.open("/ui/upload")
    drop(page, path)
    expect(page.get_by_label("Name")).to_have_value("Iris flowers")
    page.get_by_text("More: description").click()
    row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    page.locator("#sample").fill(json.dumps(row))
    visitor.picture("upload")
    visitor.press("Upload")
    expect(page.locator(".step.done")).to_have_count(4, timeout=240_000)


def try_it(visitor: Visitor) -> None:
    page = visitor.page
    # Filled in with the sample.
    expect(page.get_by_label("petal_length")).to_have_value("1.4")
    visitor.press("Predict")
    expect(page.locator(".answer-value")).to_have_text("setosa")
    expect(page.locator(".share").first).to_contain_text("setosa")
    visitor.press("Predict")
    expect(page.locator(".answer")).to_contain_text("from the cache")
    visitor.fill("petal_length", "long")
    visitor.press("Predict")
    expect(page.locator("#f3-error")).to_contain_text("number")
    visitor.picture("try-it-refused")
    visitor.fill("petal_length", "4.5")
    visitor.fill("petal_width", "1.4")
    visitor.press("Predict")
    expect(page.locator(".answer-value")).to_have_text("versicolor")
    visitor.picture("try-it")


def copy_the_curl(visitor: Visitor) -> str:
    visitor.press("Put a new key in")
    code = visitor.page.locator("[data-snippet=curl]")
    expect(code).to_contain_text("mlp_live_")
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.press("Copy the curl code")
    expect(visitor.page.locator(".toast")).to_contain_text("Copied")
    copied: str = visitor.page.evaluate("navigator.clipboard.readText()")
    assert copied == code.text_content()
    expect(visitor.page.locator("[data-key-said]")).to_contain_text("ends in a day")
    return copied


def run(command: str) -> dict[str, Any]:
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def watch_the_dashboard(visitor: Visitor) -> None:
    page = visitor.open("/ui/")
    requests = page.locator(".stat", has_text="Requests").locator(".value")
    # Four of the form, of which one was refused, and the curl.
    expect(requests).to_have_text("5")
    predict_once(page)
    expect(requests).to_have_text("6", timeout=SHOWN_WITHIN_SECONDS * 1000 * slowness())
    visitor.picture("dashboard")
    rests_while_hidden(page)


def rests_while_hidden(page: Page) -> None:
    asked: list[str] = []
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.isHidden, configurable: true})"
    )
    page.evaluate("window.isHidden = true")
    # What was in flight when it was hidden may still end.
    page.wait_for_timeout(500)
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3500)
    assert asked == []
    with page.expect_request("**/dashboard/live*"):
        page.evaluate("window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")


def predict_once(page: Page) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("link", name="Iris flowers").first.click()
    other.get_by_role("button", name="Predict").click()
    expect(other.locator(".answer-value")).to_have_text("setosa")
    other.close()


def run_a_batch(visitor: Visitor, folder: Path) -> None:
    rows = iris_logistic_named().data.to_numpy().tolist()
    with (folder / "rows.csv").open("w") as file:
        file.write("flower,sepal_length,sepal_width,petal_length,petal_width\n")
        for number in range(BATCH_ROWS):
            file.write(f"{number},{','.join(map(str, rows[number % len(rows)]))}\n")
    page = visitor.open("/ui/batch")
    visitor.picture("batch-new")
    drop(page, folder / "rows.csv")
    page.get_by_text("More: key columns").click()
    visitor.fill_optional("Webhook", "not an address")
    visitor.press("Start the job")
    expect(page.locator("#webhook_url-error")).to_be_visible()
    visitor.fill_optional("Webhook", "")
    visitor.fill_optional("Key columns", "flower")
    page.get_by_role("checkbox", name="With probabilities").check()
    visitor.press("Start the job")
    page.wait_for_url("**/ui/batch/*")
    download = page.get_by_role("link", name="Download CSV")
    # A job that is done before the page asks again shows none; `test_states` has one that stands still.
    progress = page.locator("progress[value]")
    expect(progress.or_(download).first).to_be_visible(timeout=240_000)
    visitor.picture("job-running")
    expect(download).to_be_visible(timeout=480_000)
    expect(page.get_by_text("rows.csv")).to_be_visible()
    expect(page.get_by_role("button", name="Retry failed rows")).to_have_count(0)
    visitor.picture("job-done")
    with page.expect_download() as started:
        download.click()
    with Path(started.value.path()).open() as file:
        results = list(csv.DictReader(file))
    assert [int(row["flower"]) for row in results] == list(range(BATCH_ROWS))
    assert results[0]["prediction"] == "setosa"
    assert float(results[0]["probability_setosa"]) > 0.5
    visitor.press("Retry all rows")
    expect(page.get_by_text("all rows of")).to_be_visible()
    page.get_by_role("link", name="log of its batch processes").click()
    expect(page.get_by_role("heading", name="Log of v1's batch processes")).to_be_visible()
    page = visitor.open("/ui/batch")
    expect(page.get_by_text("rows.csv")).to_have_count(2)
    visitor.picture("batch")


def revoke_the_key(visitor: Visitor) -> None:
    page = visitor.open("/ui/keys")
    page.get_by_role("button", name="Revoke Try it").first.click()
    visitor.press("Revoke key")
    expect(page.get_by_role("heading", name="No API keys yet")).to_be_visible()


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    give_up_at = time.monotonic() + seconds
    while not (so := is_so()) and time.monotonic() < give_up_at:
        time.sleep(0.2)
    return so
