"""Pages of uploads that failed: another sample on the same page, a corrected file, a name that exists."""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import joblib
import pytest
from modelport_control_api.http import client_wheel
from modelport_control_api.http.client_wheel import wheel_path
from modelport_control_api.ui import browser as browsers
from starlette.requests import Request

from tests.control_api.unit.models.fake_cluster import FAILED, READY
from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at
from tests.control_api.unit.ui.test_outsiders import browser, token_of
from tests.support.models import iris_logistic

BAD_SAMPLE = {**FAILED, "reason": "SampleInvalid", "message": "input.wrong is no field."}


@dataclass
class Scene:
    platform: Platform
    ann: Account
    http: httpx.AsyncClient
    """Ann's browser."""
    model_id: str
    content: bytes

    def path(self, rest: str) -> str:
        return f"/ui/models/{self.model_id}{rest}"

    async def retry(self, sample: str, version: str = "v1") -> httpx.Response:
        form = {"csrf_token": await token_of(self.http), "sample": sample}
        return await self.http.post(self.path(f"/versions/{version}/retry"), data=form)


@pytest.fixture
async def scene(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Scene]:
    """A model whose only version failed for its sample."""
    joblib.dump(iris_logistic().model, tmp_path / "iris.joblib")
    content = (tmp_path / "iris.joblib").read_bytes()
    async with running_platform(settings_at(tmp_path, sqlite_url), tmp_path) as platform:
        ann = await platform.account("ann")
        made = await ann.upload(content, sample=json.dumps({"wrong": 1}))
        model_id = made.json()["id"]
        await platform.serve(model_id, {}, v1=BAD_SAMPLE)
        async with browser(platform, "ann") as http:
            yield Scene(platform, ann, http, model_id, content)


async def test_where_the_libraries_were_others_their_own_environment_is_offered(scene: Scene) -> None:
    saved_by = {"found": {"scikit-learn": "1.2.2"}, "here": {"scikit-learn": "1.9.1"}}
    mismatch = {**FAILED, "reason": "LibraryMismatch", "libraries": saved_by}
    await scene.platform.serve(scene.model_id, {}, v1=mismatch)
    page = (await scene.http.get(scene.path("/versions/v1/arrival"))).text
    assert re.search(r"<details[^>]* open", page)
    assert '<option value="sklearn-1.2" selected>' in page
    form = {"csrf_token": await token_of(scene.http), "sample": "", "environment": "sklearn-1.2"}
    answer = await scene.http.post(scene.path("/versions/v1/retry"), data=form)
    assert answer.status_code == 303, answer.text
    page = (await scene.http.get(scene.path("/versions/v2/arrival"))).text
    assert "scikit-learn in sklearn-1.2" in page


async def test_where_a_version_failed_it_can_be_tried_again_with_a_sample(scene: Scene) -> None:
    page = (await scene.http.get(scene.path("/versions/v1/arrival"))).text
    assert f'action="{scene.path("/versions/v1/retry")}"' in page
    assert "{&#34;wrong&#34;: 1}" in page, "filled in with the one that failed"
    assert re.search(r"<details[^>]* open", page), "the sample is to blame"
    assert 'href="/help/reasons/#SampleInvalid"' in page
    answer = await scene.retry("[5.1, 3.5, 1.4, 0.2]")
    assert (answer.status_code, answer.headers["Location"]) == (303, scene.path("/versions/v2/arrival"))
    page = (await scene.http.get(scene.path("/versions/v2/arrival"))).text
    assert "On its way" in page
    assert "/retry" not in page
    sent = (await scene.ann.http.get(f"/api/v1/models/{scene.model_id}/versions/v2")).json()["sample"]
    assert sent == {"input": [5.1, 3.5, 1.4, 0.2]}


async def test_a_sample_that_was_cleared_is_none(scene: Scene) -> None:
    assert (await scene.retry("  ")).status_code == 303
    version = (await scene.ann.http.get(f"/api/v1/models/{scene.model_id}/versions/v2")).json()
    assert version["sample"] is None


@pytest.mark.parametrize(("typed", "said"), [("{x: 1}", "is not JSON"), ("5", "must be one row")])
async def test_a_sample_that_is_none_is_shown_again_with_what_is_wrong(
    scene: Scene, typed: str, said: str
) -> None:
    answer = await scene.retry(typed)
    assert answer.status_code == 422
    assert f">{typed}</textarea>" in answer.text
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert re.search(r"<details[^>]* open", answer.text)


async def test_what_failed_for_another_reason_hides_the_form_until_it_is_wanted(scene: Scene) -> None:
    await scene.platform.serve(scene.model_id, {}, v1=FAILED)
    await scene.platform.heard(
        scene.model_id, lambda live: live.status.version("v1").reason == FAILED["reason"]
    )
    page = (await scene.http.get(scene.path("/versions/v1/steps"))).text
    assert "/retry" in page
    assert not re.search(r"<details[^>]* open", page)


async def test_a_version_that_serves_has_no_such_form(scene: Scene) -> None:
    await scene.platform.serve(scene.model_id, {"v1": 100}, v1=READY)
    assert "/retry" not in (await scene.http.get(scene.path("/versions/v1/arrival"))).text
    assert (await scene.retry("[1]")).status_code == 409


async def test_a_corrected_file_is_offered_the_place(scene: Scene) -> None:
    page = (await scene.http.get(scene.path("/versions/v1/arrival"))).text
    (link,) = re.findall(r'href="(/ui/upload\?model=[^"]+replaces=v1)"', page)
    form = (await scene.http.get(link.replace("&amp;", "&"))).text
    assert '<input type="hidden" name="replaces" value="v1">' in form
    assert "takes the place of v1" in form
    await scene.platform.serve(scene.model_id, {"v1": 100}, v1=READY)
    assert "replaces" not in (await scene.http.get(link.replace("&amp;", "&"))).text


# Names


async def same_name(http: httpx.AsyncClient, name: str) -> str:
    response = await http.get("/ui/upload/same-name", params={"name": name}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response.text.strip()


async def test_a_name_that_a_failed_model_has_offers_its_place_first(scene: Scene) -> None:
    part = await same_name(scene.http, " Iris ")
    assert f'value="{scene.model_id}" checked data-replaces="v1"' in part
    assert "In place of v1, which failed." in part
    assert part.count('type="radio"') == 2


async def test_a_name_that_a_serving_model_has_is_said_and_nothing_chosen_for_it(scene: Scene) -> None:
    await scene.platform.serve(scene.model_id, {"v1": 100}, v1=READY)
    part = await same_name(scene.http, "Iris")
    assert "You have a model of this name" in part
    assert f'value="{scene.model_id}">' in part
    assert 'value="" checked' in part
    assert "data-replaces" not in part


@pytest.mark.parametrize("name", ["Other", "", "iris", "I\x00ris"])
async def test_a_name_that_is_free_says_nothing(scene: Scene, name: str) -> None:
    assert await same_name(scene.http, name) == ""


async def test_of_names_of_others_nothing_is_said(scene: Scene) -> None:
    await scene.platform.account("bob")
    async with browser(scene.platform, "bob") as outsider:
        assert await same_name(outsider, "Iris") == ""
    async with scene.platform.client() as nobody:
        assert (await nobody.get("/ui/upload/same-name?name=Iris")).status_code == 303


# The client


async def test_the_pages_name_the_client_that_the_platform_serves(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_wheel: Callable[[], None]
) -> None:
    columns = [{"name": "x", "kind": "number"}]
    signature = {"columns": columns, "outputs": ["prediction"]}
    await scene.platform.serve(scene.model_id, {"v1": 100}, v1={**READY, "signature": signature})
    assert f'data-wheel="{wheel_path()}"' in (await scene.http.get(scene.path(""))).text
    upload = (await scene.http.get("/ui/upload")).text
    assert f"@ http://localhost{wheel_path()}&#34;" in upload
    assert "with Modelport(&#34;http://localhost&#34;) as platform:" in upload

    def none(name: str) -> None:
        raise client_wheel.PackageNotFoundError(name)

    monkeypatch.setattr(client_wheel, "PACKAGED", tmp_path / "none")
    monkeypatch.setattr(client_wheel, "distribution", none)
    forget_wheel()
    page = (await scene.http.get(scene.path(""))).text
    assert "data-wheel" not in page
    assert "pip install modelport" in page
    assert "without a file" not in (await scene.http.get("/ui/upload")).text


@pytest.mark.parametrize(
    ("public_url", "headers", "address"),
    [
        ("https://models.example/", {"host": "10.0.0.7:8000"}, "https://models.example"),
        (None, {"host": "10.0.0.7:8000"}, "http://10.0.0.7:8000"),
        # A proxy took the TLS off.
        (None, {"host": "models.example", "sec-fetch-site": "none"}, "https://models.example"),
        (None, {"host": "models.example", "origin": "https://models.example"}, "https://models.example"),
        (None, {"host": "localhost:8000", "sec-fetch-site": "none"}, "http://localhost:8000"),
    ],
)
def test_the_platforms_address_is_the_operators_or_as_the_browser_has_it(
    monkeypatch: pytest.MonkeyPatch, public_url: str | None, headers: dict[str, str], address: str
) -> None:
    context = SimpleNamespace(settings=SimpleNamespace(public_url=public_url))
    monkeypatch.setattr(browsers, "get_context", lambda _: context)
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "scheme": "http", "path": "/ui/upload", "query_string": b"", "headers": sent}
    assert browsers.address_of(Request(scope)) == address
