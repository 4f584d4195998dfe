"""The Python client from the pages that show it, and uploads that fail, in a real browser."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import joblib
import pytest
from playwright.sync_api import expect

from tests.support import empty_environments
from tests.support.models import iris_logistic_named
from tests.support.visitor import Visitor
from tests.ui.test_models import serve

pytestmark = pytest.mark.ui


def test_the_snippet_of_the_page_works_in_an_empty_environment(visitor: Visitor, tmp_path: Path) -> None:
    visitor.sign_up()
    model_id = serve(visitor, tmp_path / "iris.joblib", iris_logistic_named().model)
    page = visitor.open(f"/ui/models/{model_id}")
    for name, value in (("sepal_length", "5.1"), ("sepal_width", "3.5"), ("petal_length", "1.4")):
        visitor.fill(name, value)
    visitor.fill("petal_width", "0.2")
    visitor.press("Put a new key in")
    page.get_by_role("tab", name="Python SDK").click()
    code = page.locator("[data-snippet=sdk]")
    expect(code).to_contain_text("mlp_live_")
    visitor.picture("try-it-sdk")
    install = page.locator("[data-snippet=install]").inner_text()
    assert install.startswith(f"pip install {visitor.url}/sdk/modelport-{version('modelport')}-")
    python = empty_environments.make(tmp_path / "empty", empty_environments.pythons()[-1])
    empty_environments.pip(python, *install.split()[1:], "--quiet")
    printed = empty_environments.run(python, code.inner_text(), XDG_CONFIG_HOME=str(tmp_path))
    assert printed == "setosa\n"


def test_the_upload_page_shows_how_to_deploy_from_memory(visitor: Visitor) -> None:
    page = visitor.sign_up().open("/ui/upload")
    page.get_by_text("Or from Python, without a file").click()
    expect(page.get_by_role("region", name="code that deploys an estimator")).to_contain_text(visitor.url)
    expect(page.get_by_role("main")).not_to_contain_text("<platform>")
    visitor.picture("upload-from-python")


def fail(visitor: Visitor, path: Path) -> str:
    """Upload a model with a sample that it cannot predict; gives its id."""
    joblib.dump(iris_logistic_named().model, path)
    page = visitor.open("/ui/upload")
    page.locator("[type=file]").first.set_input_files(path)
    page.get_by_text("More: description").click()
    page.locator("#sample").fill('{"sepal_length": "long"}')
    visitor.press("Upload")
    expect(page.get_by_role("heading", name="It failed")).to_be_visible(timeout=240_000)
    return re.findall(r"/ui/models/([^/]+)/", page.url)[0]


def test_a_sample_that_fails_is_corrected_where_it_failed(visitor: Visitor, tmp_path: Path) -> None:
    visitor.sign_up()
    model_id = fail(visitor, tmp_path / "iris.joblib")
    page = visitor.page
    sample = page.locator("#sample")
    expect(sample).to_have_value('{"sepal_length": "long"}')
    visitor.picture("arrival-failed")
    sample.fill("{broken")
    visitor.press("Try again")
    expect(page.locator("#sample-error")).to_contain_text("is not JSON")
    row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    page.locator("#sample").fill(json.dumps(row))
    visitor.press("Try again")
    expect(page.locator(".step.done")).to_have_count(4, timeout=240_000)
    assert page.url.endswith(f"/ui/models/{model_id}/versions/v2/arrival")
    visitor.open(f"/ui/models/{model_id}/versions")
    expect(page.locator("article.version")).to_have_count(1)


def test_a_second_try_under_the_same_name_takes_the_place_of_the_first(
    visitor: Visitor, tmp_path: Path
) -> None:
    visitor.sign_up()
    model_id = fail(visitor, tmp_path / "iris.joblib")
    page = visitor.open("/ui/upload")
    page.locator("[type=file]").first.set_input_files(tmp_path / "iris.joblib")
    expect(page.get_by_label(f"the next version of {model_id}")).to_be_checked()
    visitor.picture("upload-same-name")
    page.locator("#name").fill("Something else")
    expect(page.locator("input[name=target]")).to_have_count(0)
    page.locator("#name").fill("Iris")
    expect(page.get_by_label(f"the next version of {model_id}")).to_be_checked()
    visitor.press("Upload")
    expect(page.locator(".step.done")).to_have_count(4, timeout=240_000)
    assert page.url.endswith(f"/ui/models/{model_id}/versions/v2/arrival")
    visitor.open("/ui/models")
    expect(page.locator("#models tbody tr")).to_have_count(1)
