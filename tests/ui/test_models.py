"""Pages about models in a real browser: failures, traffic, settings, history, and hostile words."""

import re
from pathlib import Path
from typing import Any

import httpx
import joblib
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sklearn.linear_model import LogisticRegression

from tests.support.drag_and_drop import drop
from tests.support.models import iris, iris_frame, iris_logistic_named
from tests.support.visitor import Visitor

pytestmark = pytest.mark.ui
HOSTILE = "<script>document.title='taken'</script>\"'><img src=x onerror=\"document.title='taken'\">"


def serve(visitor: Visitor, path: Path, model: Any, name: str | None = None) -> str:
    """Upload by the page, wait until it answers; gives the model's id."""
    joblib.dump(model, path)
    page = visitor.open("/ui/upload")
    drop(page, path)
    if name is not None:
        visitor.fill("Name", name)
    visitor.press("Upload")
    expect(page.locator(".step.done")).to_have_count(4, timeout=240_000)
    return page.url.split("/models/")[1].partition("/")[0]


def test_a_failing_upload_says_why_what_to_do_and_shows_the_log(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.sign_up().open("/ui/upload")
    (tmp_path / "notes.txt").write_text("no model at all")
    drop(page, tmp_path / "notes.txt")
    visitor.press("Upload")
    expect(page.get_by_role("alert")).to_contain_text("UnsupportedFormat")
    expect(page.get_by_role("alert")).to_contain_text("Upload a joblib, pickle, skops")
    visitor.picture("upload-refused")

    data, species = iris()
    other = tmp_path / "other.joblib"
    joblib.dump(LogisticRegression(max_iter=500).fit(data, species), other)
    # Of equal length, so that the pickle stays one: a class of a module that no version here has.
    other.write_bytes(other.read_bytes().replace(b"sklearn.linear_model", b"sklearn.linear_missi"))
    drop(page, other)
    code = tmp_path / "prep.py"
    code.write_bytes(b"\xff")
    page.get_by_text("More:").click()
    page.get_by_label("Python code").set_input_files(code)
    visitor.press("Upload")
    expect(page.locator("#code-error")).to_contain_text("is neither a module of Python")
    code.write_text("print('the code was read')\n")
    page.get_by_label("Python code").set_input_files(code)
    visitor.press("Upload")
    expect(page.locator(".step.failed")).to_contain_text("Loaded", timeout=240_000)
    expect(page.locator(".note.bad")).to_contain_text("LibraryMismatch")
    expect(page.locator(".note.bad")).to_contain_text("What to do")
    expect(page.get_by_label("The end of the log of v1")).to_contain_text("the code was read")
    expect(page.get_by_label("The end of the log of v1")).to_contain_text("load_failed")
    visitor.picture("arrival-failed")


def test_traffic_moves_by_a_slider_and_back(visitor: Visitor, tmp_path: Path) -> None:
    visitor.sign_up()
    model_id = serve(visitor, tmp_path / "iris.joblib", iris_logistic_named().model)
    page = visitor.open(f"/ui/models/{model_id}")
    page.get_by_role("link", name="New version").click()
    serve_second(visitor, model_id, tmp_path / "iris.joblib")
    page.get_by_label("v1", exact=True).fill("30")
    expect(page.locator("output[for=share-v2]")).to_have_text("70 %")
    visitor.picture("traffic")
    visitor.press("Move the traffic")
    expect(page.locator("#toasts")).to_contain_text("Traffic goes 70 % to v2, 30 % to v1.")
    expect(page.locator("article").first).to_contain_text("70 % of the traffic")
    visitor.press("Roll back")
    expect(page.locator("#toasts")).to_contain_text("Rolled back: traffic goes 100 % to v2.")


def test_a_version_that_lacks_an_input_is_held_until_its_owner_sends_it_traffic(
    visitor: Visitor, tmp_path: Path
) -> None:
    visitor.sign_up()
    model_id = serve(visitor, tmp_path / "iris.joblib", iris_logistic_named().model)
    page = visitor.open(f"/ui/upload?model={model_id}")
    expect(page.get_by_label("All of them, once it has predicted its sample")).to_be_checked()
    visitor.picture("upload-version")
    page.locator("#share").fill("250")
    expect(page.get_by_label("A share of them:")).to_be_checked()
    narrow = LogisticRegression(max_iter=500).fit(iris_frame().drop(columns="petal_width"), iris()[1])
    joblib.dump(narrow, tmp_path / "narrow.joblib")
    drop(page, tmp_path / "narrow.joblib")
    visitor.press("Upload the version")
    expect(page.locator("#traffic-error")).to_contain_text("must be a whole number from 0")
    page.locator("#share").fill("25")
    visitor.press("Upload the version")
    title = page.get_by_role("heading", name="It is ready, and gets no requests")
    expect(title).to_be_visible(timeout=240_000)
    expect(page.locator(".changes")).to_contain_text("input petal_width is gone")
    visitor.picture("arrival-held")
    page.get_by_role("link", name="Decide on the page of versions").click()
    card = page.locator("article").first
    expect(card).to_contain_text("input petal_width is gone")
    visitor.picture("version-held")
    card.get_by_role("button", name="Send traffic anyway").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Send traffic to v2 anyway?")
    dialog.get_by_role("button", name="Send traffic anyway").click()
    expect(page.locator("#toasts")).to_contain_text("Traffic goes 75 % to v1, 25 % to v2.")
    expect(card).to_contain_text("25 % of the traffic")


def test_a_version_that_was_kept_at_none_shows_what_differs_before_it_gets_any(
    visitor: Visitor, tmp_path: Path
) -> None:
    visitor.sign_up()
    model_id = serve(visitor, tmp_path / "iris.joblib", iris_logistic_named().model)
    page = visitor.open(f"/ui/upload?model={model_id}")
    page.get_by_label("None: you try it first").check()
    joblib.dump(
        LogisticRegression(max_iter=500).fit(iris_frame(), iris()[1] != "setosa"), tmp_path / "two.joblib"
    )
    drop(page, tmp_path / "two.joblib")
    visitor.press("Upload the version")
    expect(page.locator(".step.done")).to_have_count(4, timeout=240_000)
    page = visitor.open(f"/ui/models/{model_id}/versions")
    expect(page.locator("article").first).to_contain_text(
        "Callers of v1, which serves, depend on what differs"
    )
    page.get_by_label("v2", exact=True).fill("100")
    visitor.press("Move the traffic")
    refused = page.locator(".traffic-error")
    expect(refused).to_contain_text("No traffic was moved")
    expect(refused.locator(".changes")).to_contain_text('it never answers "setosa"')
    visitor.picture("traffic-refused")
    refused.get_by_role("button", name="Send traffic anyway").click()
    expect(page.locator("#toasts")).to_contain_text("Traffic goes 100 % to v2.")


def test_a_canary_gets_its_share_of_one_callers_requests(visitor: Visitor, tmp_path: Path) -> None:
    visitor.sign_up()
    model_id = serve(visitor, tmp_path / "iris.joblib", iris_logistic_named().model)
    page = visitor.open(f"/ui/models/{model_id}/settings")
    expect(page.get_by_label("What stays on one version of a traffic split")).to_have_value("")
    visitor.picture("settings-sticky")
    go_public(visitor)
    visitor.open(f"/ui/upload?model={model_id}")
    serve_second(visitor, model_id, tmp_path / "iris.joblib")
    shares = page.locator("#versions section", has_text="Shares of the requests")
    expect(shares).to_contain_text("–")
    visitor.picture("shares-of-none")
    page.get_by_label("v1", exact=True).fill("70")
    visitor.press("Move the traffic")
    expect(page.locator("article").first).to_contain_text("30 % of the traffic")
    predict_often(visitor, model_id, 60)
    expect(shares.locator("tbody tr").first).not_to_contain_text("–", timeout=120_000)
    expect(shares).to_contain_text(re.compile("6[0-9] requests since the minute"), timeout=120_000)
    visitor.picture("shares-observed")


def go_public(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_label("Who may predict").select_option("public")
    visitor.press("Save")
    expect(page.get_by_role("alert")).to_contain_text("Not saved yet")
    visitor.picture("settings-going-public")
    page.get_by_label("Let everyone call it").check()
    visitor.press("Save")
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    expect(page.locator("#model-head .badge", has_text="public")).to_be_visible()
    visitor.picture("settings-public")


def serve_second(visitor: Visitor, model_id: str, file: Path) -> None:
    """From the form of a new version to the page of versions, where all traffic is on the second."""
    page = visitor.page
    drop(page, file)
    visitor.press("Upload the version")
    expect(page.locator(".step.done")).to_have_count(4, timeout=240_000)
    visitor.open(f"/ui/models/{model_id}/versions")
    expect(page.locator("article").first).to_contain_text("100 % of the traffic")
    page.reload()


def predict_often(visitor: Visitor, model_id: str, requests: int) -> None:
    """As one caller who names no session; both versions answer."""
    row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    with httpx.Client(base_url=visitor.url, timeout=60) as client:
        answers = [
            client.post(f"/predict/{model_id}", json={"input": row}).raise_for_status()
            for _ in range(requests)
        ]
    assert {answer.headers["X-Modelport-Version"] for answer in answers} == {"v1", "v2"}


def test_settings_are_checked_kept_and_end_with_the_model(visitor: Visitor, tmp_path: Path) -> None:
    visitor.sign_up()
    model_id = serve(visitor, tmp_path / "iris.joblib", iris_logistic_named().model)
    page = visitor.open("/ui/history")
    expect(page.get_by_role("heading", name="History is off for Iris")).to_be_visible()
    page = visitor.open(f"/ui/models/{model_id}/settings")
    visitor.fill("Give up after (seconds)", "9999")
    page.locator("[id='history.percent']").fill("100")
    page.locator("[id='feedback.percent']").fill("50")
    visitor.press("Save")
    expect(page.locator("#timeout_seconds-error")).to_contain_text("must be 600 or less")
    visitor.picture("settings-refused")
    visitor.fill("Give up after (seconds)", "20")
    visitor.press("Save")
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    expect(page.locator("[id='history.percent']")).to_have_value("100")
    expect(page.locator("[id='feedback.percent']")).to_have_value("50")
    expect(page.locator("[id='feedback.retention_days']")).to_have_value("90")
    keep_a_prediction(visitor, model_id)
    page = visitor.open(f"/ui/models/{model_id}/settings")
    visitor.press("Delete the model")
    expect(page.locator("#confirm_name-error")).to_be_visible()
    page.locator("#confirm_name").fill("Iris")
    visitor.press("Delete the model")
    expect(page.get_by_role("heading", name="Upload your first model")).to_be_visible()


def keep_a_prediction(visitor: Visitor, model_id: str) -> None:
    page = visitor.open(f"/ui/models/{model_id}")
    for value in range(20):
        visitor.fill("sepal_length", str(value))
        visitor.press("Predict")
        expect(page.get_by_role("button", name="Predict")).not_to_have_attribute("aria-busy", "true")
        page.goto(f"{visitor.url}/ui/history?model={model_id}")
        if page.locator(".kept").count():
            break
        visitor.open(f"/ui/models/{model_id}")
    page.locator(".kept summary").first.click()
    expect(page.locator(".kept .sides").first).to_contain_text("sepal_length")
    visitor.picture("history")


def test_a_model_is_uploaded_and_tried_by_keyboard(visitor: Visitor, tmp_path: Path) -> None:
    joblib.dump(iris_logistic_named().model, tmp_path / "iris.joblib")
    page = visitor.sign_up().open("/ui/upload")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab_to(page, "[type=file]")
    # Not by the chooser that Space opens: it is the browser's, and Playwright missed its event now and then.
    page.locator("[type=file]:focus").set_input_files(tmp_path / "iris.joblib")
    tab_to(page, "#name")
    expect(page.locator("#name")).to_have_value("Iris")
    page.keyboard.press("Enter")
    expect(page.locator(".step.done")).to_have_count(4, timeout=240_000)
    tab_to(page, "a[data-arrived]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/ui/models/[^/]+$"))
    tab_to(page, "[data-name=petal_length]")
    page.keyboard.press("Control+A")
    page.keyboard.type("1.2")
    page.keyboard.press("Enter")
    expect(page.locator(".answer-value")).to_have_text("setosa")
    page.get_by_label("With contributions").check()
    visitor.press("Predict")
    expect(page.locator(".terms .share")).to_have_count(4)
    expect(page.locator(".answer")).to_contain_text("the score of setosa")
    visitor.picture("contributions")
    tab_to(page, "#tab-curl")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tabpanel")).to_contain_text("import requests")


def tab_to(page: Page, selector: str, most: int = 30) -> None:
    """Press Tab until the element has the focus, and shows it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached by {most} tabs")


def test_hostile_words_stay_words(visitor: Visitor, tmp_path: Path) -> None:
    visitor.sign_up()
    data, species = iris()
    classes = np.where(species == "setosa", HOSTILE, species).astype(object)
    name = HOSTILE[:100]
    model_id = serve(
        visitor, tmp_path / "h.joblib", LogisticRegression(max_iter=500).fit(data, classes), name
    )
    page = visitor.open(f"/ui/models/{model_id}")
    for place in range(4):
        page.locator("[data-control]").nth(place).fill("0.1")
    visitor.press("Predict")
    expect(page.locator(".shares")).to_contain_text("<script>")
    for path in ("", "/versions", "/usage", "/settings", "/versions/v1/logs", "/versions/v1/arrival"):
        page = visitor.open(f"/ui/models/{model_id}{path}")
        expect(page.get_by_text(name[:30]).first).to_be_visible()
        assert "taken" not in page.title().replace(name, "")
    for path in ("/ui/", "/ui/models", "/ui/batch", "/ui/history"):
        page = visitor.open(path)
        expect(page.get_by_text(name[:30]).first).to_be_attached()
        assert page.locator("img[src=x], main script").count() == 0


def test_a_form_that_only_its_script_can_send_waits_for_it(visitor: Visitor, tmp_path: Path) -> None:
    """Pressed before, the browser would open the page again, without what was filled in."""
    visitor.sign_up()
    model_id = serve(visitor, tmp_path / "iris.joblib", iris_logistic_named().model)
    buttons = {f"/ui/models/{model_id}": "Predict", "/ui/upload": "Upload", "/ui/batch": "Start the job"}
    visitor.page.route(re.compile(r"/static/.*(try-it|upload)"), lambda route: route.abort())
    for address, name in buttons.items():
        expect(visitor.open(address).get_by_role("button", name=name, exact=True)).to_be_disabled()
    visitor.page.unroute_all()
    for address, name in buttons.items():
        expect(visitor.open(address).get_by_role("button", name=name, exact=True)).to_be_enabled()
    visitor.faults.clear()
